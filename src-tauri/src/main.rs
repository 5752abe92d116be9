//! The desktop app. With a subcommand it is the command line `lanyard`; without one it is the tray and the window.

// On Windows no console window beside the app.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use lanyard_desktop::{start::Start, updates::trial::Trial};
use std::process::ExitCode;

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(trial) = Trial::asked(std::env::args_os().skip(1)) {
        return trial.run();
    }
    match Start::read(std::env::args_os().skip(1), std::env::var_os("LANYARD_HOME")) {
        Start::Command => gateway::cli::program(),
        Start::App(opening) => lanyard_desktop::run(opening),
    }
}
