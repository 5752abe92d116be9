//! Sandboxes: locked containers in which an agent works, their image, and the two ways bytes get in and out of one.
//!
//! A sandbox has no network. The relay inside it carries connections out to the egress door ([`Incoming`]) and in to
//! previews ([`Sandboxes::dial`]); processes are started through the engine ([`Sandboxes::exec`], [`Sandboxes::attach`]).
//! Absent and to stay so: secrets (nothing here knows one), bollard's types in a public signature, a published port.

pub mod agent;
mod carrier;
mod connect;
mod container;
mod docker;
mod error;
mod files;
mod health;
mod image;
mod process;
mod settings;
mod sources;
mod sweep;
mod upkeep;
mod workspace;

pub use carrier::Incoming;
pub use connect::{EngineInfo, Sandboxes};
pub use error::Error;
pub use health::Health;
pub use image::{CLAUDE_VERSION, ImageInfo, ImageState, Progress};
pub use process::{Attached, Chunk, Command, Ended, ExecHandle, Output, ProcessMark};
pub use relay::{PORT as RELAY_PORT, RelayStream};
pub use settings::{Carrier, SandboxSpec, Settings, Size, Volumes, Workspace};
pub use sweep::{Holdings, Listed, SweepReport};
