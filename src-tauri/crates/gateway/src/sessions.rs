//! Sessions at work: one driver for each, a registry to ring them by, and the workshop that gives them processes.

mod driver;
mod failure;
mod photo;
mod places;
mod registry;
mod start;
mod workshop;
mod writes;

pub use failure::{LastFailure, stops_every_turn};
pub use places::Place;
pub use registry::{Glance, Registry};
pub use start::{Opening, Saying, open_session, say, say_again, title_of};
pub(crate) use workshop::engine_settings;
pub use workshop::{Apart, Lease, Pass, Rooms, SandboxState, Wanted, Workshop};
pub use writes::{AnsweredBy, Scene, WORKSPACE};
