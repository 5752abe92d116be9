//! Tasks: a repository and words, done from clone to pull request in a sandbox of their own.
//!
//! A task's work is done in a session, so that what it asks, spends and says goes by the ways of all sessions. Where it stands is
//! in the store before anything is done, and each step may be done again: a kill anywhere leads on or back to the queue, and an
//! agent's turn that was cut off is offered again like any other.

mod ended;
mod forges;
mod mirror;
mod queue;
mod room;
mod run;
mod schedule;
mod setup;
mod stand;
mod watch;
mod worker;

pub use ended::in_words as end_in_words;
pub use forges::{Forges, forge_of, problem as forge_problem};
pub use queue::{Wish, again, cancel, queue, queue_in};
pub use run::{Running, run, take_up};
pub use schedule::{in_words, plan, unplan};
pub use watch::{hand_back, look, watch};
