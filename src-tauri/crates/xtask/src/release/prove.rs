//! Proves on this computer that one release becomes the next: the programs and packages that were just made, over https.

use super::key::Key;
use crate::place::Place;
use crate::process;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Tests of the plain program, of the AppImage, and (as root) of the Debian package, which is installed and removed again.
pub fn prove(place: &Place, key: &Key, older: &Path, newer: &Path) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("Releases are proved on x86-64 Linux.");
    }
    let key =
        key.file().context("releases are proved with a key of this computer: leave TAURI_SIGNING_PRIVATE_KEY unset")?;
    let mut cargo = place.cargo();
    cargo.args([
        "test",
        "--package",
        "lanyard-desktop",
        "--features",
        "packages",
        "--test",
        "updates",
        "--test",
        "packages",
    ]);
    cargo.args(["--", "--test-threads=1"]);
    cargo.env("LANYARD_RELEASE_KEY", key).env("LANYARD_OLDER", older).env("LANYARD_NEWER", newer);
    process::loud(&mut cargo)
}
