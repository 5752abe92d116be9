//! The app as an older version that knows a key, for the tests of updates: `TAURI_CONFIG` names both when it is built.

use std::process::ExitCode;

fn main() -> ExitCode {
    lanyard_desktop::program()
}
