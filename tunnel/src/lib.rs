//! The public address and the local one: a tunnel through ngrok, a door on the local network with TLS and its
//! announcement, and the QR code that leads a phone there.
//!
//! Absent and to stay so: any knowledge of who a visitor is or what they may do; a local port behind the tunnel; an HTTP
//! client or server; keys on disk (the caller keeps them).

pub mod clock;
mod connection;
mod error;
pub mod lan;
pub mod ngrok;
pub mod probe;
pub mod qr;
pub mod retry;
mod status;

pub use self::ngrok::{Config, Pace, Tunnel, sign_in};
pub use connection::{Connection, Peer, Visitors, Way};
pub use error::Error;
pub use lan::{Authority, Lan, LanConfig, LanStatus, Reach};
pub use status::TunnelStatus;
