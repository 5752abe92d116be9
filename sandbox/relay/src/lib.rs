//! Carries connections between a sandbox without a network and the gateway outside, over one stream of bytes.
//!
//! ```text
//! agent -- TCP 127.0.0.1:3128 -- relay ==[ one carrier, many streams ]== gateway -- egress door
//! dev server -- TCP 127.0.0.1:PORT -- relay ==[ the same carrier ]== gateway -- preview
//! ```
//!
//! The carrier is a unix socket the relay dials, or the standard streams of `lanyard-relay pipe`. What runs over it is
//! the same: yamux, and in each of its streams first a [`Header`] and its [`Answer`], then frames ([`RelayStream`]).
//! Absent and to stay so: any knowledge of HTTP, hosts or tokens. The relay holds no secret and decides nothing.

#[cfg(target_os = "linux")]
pub mod calls;
pub mod end;
mod header;
mod mux;
#[cfg(unix)]
pub mod pipe;
#[cfg(unix)]
pub mod serve;
mod stream;
pub mod within;

pub use header::{Answer, Header, Kind};
pub use mux::{CONNECTIONS, Mux, Offers, Side, start};
pub use stream::{Offer, RelayStream};

/// Where the relay listens inside the sandbox, for HTTP to the model's base URL and as an HTTP proxy.
pub const PORT: u16 = 3128;
/// Where the gateway's socket folder is mounted inside the sandbox.
pub const SOCKET_FOLDER: &str = "/run/lanyard";
/// The gateway's socket in its folder, inside and outside.
pub const SOCKET_NAME: &str = "door.sock";
/// A folder inside the sandbox that only the relay's user can enter.
pub const PRIVATE_FOLDER: &str = "/run/lanyard-relay";
/// The relay's own socket in its private folder, for `lanyard-relay pipe`.
pub const PIPE_SOCKET: &str = "/run/lanyard-relay/pipe.sock";
