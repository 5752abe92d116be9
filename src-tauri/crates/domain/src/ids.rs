//! Typed ids. All are UUIDs; those of rows that are listed by age are version 7, which sort by time.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, later than every id made before it on this machine.
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    };
}

id!(/// One thread of work with an agent; survives the process, the container and the app.
    SessionId);
id!(/// One request and everything up to its answer.
    TurnId);
id!(/// A question that only the owner may answer.
    ApprovalId);
id!(/// A file a turn produced, or a picture that came in, that a person would want.
    ArtifactId);
id!(/// A paired device: a phone, a tablet, another browser.
    PhoneId);
id!(/// A named token for scripts and other programs.
    ApiTokenId);
id!(/// One container with its volumes.
    SandboxId);
