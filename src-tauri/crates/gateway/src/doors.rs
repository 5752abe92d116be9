//! The doors people come through. What the internet can reach is the router of [`public`] and nothing else; [`local`] is
//! bound to no port.

pub mod api;
pub mod local;
pub mod owners;
pub mod page;
pub mod phones;
mod proxied;
pub mod public;
pub mod reply;
pub mod serving;

/// How a visitor of the public door came. Each way has a router of its own, so that no header can claim another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The listening port: this computer, or the owner's own proxy.
    Port,
    Tunnel,
    /// The local network.
    Lan,
}
