//! The gateway: what people reach Lanyard through, and what carries their words to an agent and back. A library without a
//! display; the headless program `lanyard` and the desktop app are two users of it.
//!
//! A message's way: a door writes it to the inbox; [`sms::desk`] or the local door routes it to a session; the session's
//! [`sessions::driver`] carries out what the state machine in `domain` decides; the outbox sends what comes of it. Kill the
//! program between any two steps and [`launch`] goes on from what is on disk.

pub mod address;
pub mod approvals;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod desk;
pub mod doctor;
pub mod doors;
pub mod gateway;
pub mod home;
pub mod hosts;
pub mod house;
pub mod lan;
pub mod launch;
pub mod links;
pub mod live;
pub mod lock;
pub mod logging;
pub mod metrics;
pub mod packages;
pub mod pairing;
pub mod parking;
pub mod pictures;
pub mod pin;
pub mod push;
pub mod pushes;
pub mod records;
pub mod restart;
pub mod secrets;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod sms;
pub mod stream;
pub mod switch;
pub mod talk;
pub mod tasks;
pub mod tokens;
pub mod wire;

pub use gateway::{App, Ended, Gateway};

/// In tests with failpoints: the program dies here as if it were killed, at the named step. Otherwise nothing.
#[macro_export]
macro_rules! may_die {
    ($step:literal) => {
        fail::fail_point!($step, |_| $crate::die())
    };
}

/// As `kill -9` does it: no destructor runs, nothing is flushed.
#[doc(hidden)]
pub fn die() -> ! {
    let _about_to_die = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}
