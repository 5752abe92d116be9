//! The sandbox door: the only way out of a sandbox.
//!
//! A sandbox has no network. Whatever a program in it wants of the world arrives here as one byte stream per
//! connection and is one of three things:
//! - a request for the model (`/v1/messages` …): the sandbox's token comes off, the owner's key goes on, the tokens the
//!   model counts are priced and recorded before the answer is seen to end;
//! - `CONNECT host:port`, a tunnel, or `http://host/…`, a plain proxied request: allowed by host name, checked again at
//!   the address that is really connected to;
//! - anything else, which is refused with a sentence.
//!
//! Absent and to stay so: any knowledge of store, gateway or engine (the [`House`] answers what the door must ask); any
//! listening socket; any way to name an address that the owner did not allow.

mod account;
mod addresses;
mod answer;
mod credentials;
mod crowd;
mod dial;
mod door;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod headers;
mod hello;
mod hosts;
mod house;
mod limit;
mod meter;
mod model;
mod outline;
mod policy;
mod prices;
mod proxy;
mod purse;
mod push;
mod settings;
mod signed;
mod sse;
mod tunnel;
mod upstream;
mod veil;

pub use addresses::on_own_network;
pub use credentials::{CredentialRule, CredentialSource};
pub use dial::{Resolve, SystemNames};
pub use door::Door;
pub use error::Error;
pub use hosts::{BadRule, HostRule};
pub use house::{
    Admission, Carried, Credential, Decision, DecisionId, HostAsk, House, Kind, Left, Payer, PushAsk, Spend,
};
pub use limit::Window;
pub use policy::{Beside, Policy};
pub use prices::{AS_OF, BadPrice, Price, Prices};
pub use push::RefUpdate;
pub use settings::Settings;
