//! The outside world on loopback, for tests, benches and the rehearsal: servers that speak the real wire.
//! None of this is in the shipped program.

pub mod anthropic;
#[cfg(unix)]
mod claude;
pub mod engine;
#[cfg(target_os = "linux")]
pub mod firefox;
pub mod forge;
pub mod git;
#[cfg(target_os = "linux")]
pub mod keyring;
#[cfg(target_os = "linux")]
pub mod lock_screen;
pub mod mirror;
pub mod ngrok;
pub mod oracle;
pub mod push;
pub mod rehearsal;
pub mod releases;
pub mod twilio;

#[cfg(unix)]
pub use claude::{CLAUDE, CLAUDE_BEFORE, Den, claude_cli};
