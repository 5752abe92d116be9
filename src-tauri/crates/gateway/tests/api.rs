//! The companion API without a sandbox: who gets in, what is refused, and what a phone sees.

mod api_world;
mod world;

#[path = "api/doors.rs"]
mod doors;
#[path = "api/in_process.rs"]
mod in_process;
#[path = "api/letters.rs"]
mod letters;
#[path = "api/pairing.rs"]
mod pairing;
#[path = "api/rest.rs"]
mod rest;
#[path = "api/slow.rs"]
mod slow;
#[path = "api/sockets.rs"]
mod sockets;
