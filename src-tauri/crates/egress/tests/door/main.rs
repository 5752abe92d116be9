//! The door as a sandbox and a model meet it: real HTTP on both sides, over loopback and in-memory streams.

mod model;
mod money;
mod proxy;
mod secrets;
mod signed;
mod stop;
mod support;
mod tls;
