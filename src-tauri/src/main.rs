//! The desktop app. With a subcommand it is the command line `lanyard`; without one it is the tray and the window.

// On Windows no console window beside the app.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lanyard_desktop::program()
}
