//! The doors people come through. What the internet can reach is the router of [`public`] and nothing else; [`local`] is
//! bound to no port.

pub mod api;
pub mod local;
pub mod page;
pub mod phones;
pub mod public;
pub mod reply;
pub mod serving;
