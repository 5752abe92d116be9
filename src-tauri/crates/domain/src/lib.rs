//! What Lanyard is about, with no IO, no clock and no SDK: ids, words a person and an agent exchange, the session
//! state machine, approvals and their risk, the texting grammar, SMS segments, and every sentence Lanyard says.
//!
//! Absent and to stay so: async, files, sockets, `SystemTime::now`. Time comes in as a [`Timestamp`] argument.

pub mod agent;
pub mod approval;
pub mod code;
pub mod event;
pub mod grammar;
pub mod ids;
pub mod mode;
pub mod pairing;
pub mod phone_number;
pub mod phrases;
pub mod risk;
pub mod segments;
pub mod session;
pub mod shown;
pub mod task;
pub mod time;
pub mod usage;

pub use code::{Code, Problem};
pub use ids::{ApiTokenId, ApprovalId, ArtifactId, PhoneId, SandboxId, SessionId, TurnId};
pub use mode::PermissionMode;
pub use phone_number::{Address, PhoneNumber};
pub use time::Timestamp;
