//! Plain words of the API, and how Lanyard's own types become them.

use domain::{PermissionMode, code, event, pairing::Scope, risk::Risk, task, usage};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

macro_rules! word {
    ($(#[$doc:meta])* $name:ident from $from:ty, $case:tt { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
        #[serde(rename_all = $case)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl From<$from> for $name {
            fn from(of: $from) -> Self {
                match of { $(<$from>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $from {
            fn from(of: $name) -> Self {
                match of { $($name::$variant => <$from>::$variant),+ }
            }
        }
    };
}

word!(/// Where words come from and go to.
    ChannelWord from event::Channel, "lowercase" { Sms, Phone, Desktop, Api, Cli });
word!(/// Words said while the agent works: `queue` waits for the turn's end, `steer` goes into the running turn.
    WhenWord from event::When, "lowercase" { Queue, Steer });
word!(/// How a turn ended. `halted`: the owner stopped it. `interrupted`: the program or the machine went down in it.
    OutcomeWord from event::Outcome, "lowercase" { Completed, Halted, Failed, Interrupted });
word!(/// Which part of Lanyard an error belongs to: `connection` (the request, the network), `process` (the agent and its
    /// model), `session`, `permission` (who may what), `system` (the machine, the engine, the config).
    ErrorKind from code::Kind, "lowercase" { Connection, Process, Session, Permission, System });
word!(/// Where a task stands. `needs_you`: a question to the owner is open.
TaskStateWord from task::TaskState, "snake_case" {
    Queued, Starting, Cloning, Working, NeedsYou, Pushing, Done, Failed, Cancelled,
});
word!(/// A step counts as an hour of waiting.
    PriorityWord from task::Priority, "snake_case" { Low, Normal, High });
word!(/// What the forge's checks say of a pull request. `none`: there are none, or none yet.
    ChecksWord from task::Checks, "snake_case" { None, Running, Passed, Failed });
word!(/// How much could go wrong.
    RiskWord from Risk, "lowercase" { Low, Medium, High });
word!(/// How much the agent may do without asking, as Claude Code names it.
    ModeWord from PermissionMode, "camelCase" { Default, AcceptEdits, BypassPermissions, Plan });
word!(/// What a phone or a token may do.
ScopeWord from Scope, "lowercase" {
    /// Sessions, events, artifacts, search, status.
    Read,
    /// Start sessions, say things, interrupt, close.
    Chat,
    /// Answer what the agent asks.
    Approve,
    Terminal,
    Preview,
    Tasks,
});

/// What a session does: `cold` (no process; words start one), `starting`, `idle` (a warm process), `working`, `closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    Cold,
    Starting,
    Idle,
    Working,
    Closed,
}

impl SessionState {
    /// From the registry's glance; a session nobody rang since the start has none.
    pub fn of(open: bool, glance: Option<&str>) -> Self {
        match glance {
            Some("starting") => Self::Starting,
            Some("idle") => Self::Idle,
            Some("working") => Self::Working,
            Some("closed") => Self::Closed,
            _ if open => Self::Cold,
            _ => Self::Closed,
        }
    }
}

/// Tokens of the model, by the four kinds that are priced apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct TokenCounts {
    pub input: u64,
    pub output: u64,
    pub cache_write: u64,
    pub cache_read: u64,
}

impl From<usage::Tokens> for TokenCounts {
    fn from(t: usage::Tokens) -> Self {
        Self { input: t.input, output: t.output, cache_write: t.cache_write, cache_read: t.cache_read }
    }
}
