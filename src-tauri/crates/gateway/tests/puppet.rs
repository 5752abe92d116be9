//! Sessions with an agent that does what a test wants, in the place of a real one: what the real one does seldom or never.

#[path = "puppet/agent.rs"]
mod agent;
#[path = "puppet/failure.rs"]
mod failure;
#[path = "puppet/gate.rs"]
mod gate;
#[path = "puppet/lines.rs"]
mod lines;
#[path = "puppet/secrets.rs"]
mod secrets;
#[path = "puppet/store.rs"]
mod store;
mod world;
