//! The desktop app: the tray, the window and the notices around a gateway that runs in the same process.
//!
//! [`controller`] decides, and knows no system; [`panel`] carries it out; [`keep`] runs the gateway; [`tray`] says what the
//! tray shows. The page in the window reaches the gateway by [`scheme`] and [`commands`]. Sole user of Tauri.

pub mod commands;
pub mod controller;
pub mod ending;
#[cfg(target_os = "linux")]
mod entry;
pub mod errands;
pub mod keep;
pub mod lines;
pub mod links;
pub mod login;
#[cfg(target_os = "macos")]
mod menu_bar;
pub mod native_status;
pub mod notices;
pub mod panel;
pub mod saving;
pub mod scheme;
pub mod start;
pub mod tray;
pub mod trouble;
pub mod updates;
pub mod window;

mod app;

use start::Start;
use std::process::ExitCode;
use updates::trial::Trial;

/// The whole program: what it was started for, done.
pub fn program() -> ExitCode {
    if let Some(trial) = Trial::asked(std::env::args_os().skip(1)) {
        return trial.run();
    }
    match Start::read(std::env::args_os().skip(1), std::env::var_os("LANYARD_HOME")) {
        Start::Command => gateway::cli::program(),
        Start::App(opening) => app::run(opening),
    }
}
