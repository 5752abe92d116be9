//! An AppImage that takes the system's own webview: a folder as a SquashFS image behind a small program that mounts and starts
//! it. Tauri's own bundler makes one with a webview inside (80 MB more), and fetches what it needs for that.

use crate::place::Place;
use crate::process;
use crate::show::Step;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package that holds the program which mounts an AppImage (AppImageKit's, type 2, for x86-64).
const RUNTIME: (&str, &str) = ("appimage", "0.4.0");
/// What the program says it is packed as: written over by whoever packs it.
const UNPACKED: &[u8] = b"__TAURI_BUNDLE_TYPE_VAR_UNK";
const PACKED: &[u8] = b"__TAURI_BUNDLE_TYPE_VAR_APP";

const ENTRY: &str = "[Desktop Entry]\nType=Application\nName=Lanyard\nComment=Your coding agent on a lanyard\n\
     Exec=lanyard-desktop %u\nIcon=lanyard\nTerminal=false\nCategories=Development;\nMimeType=x-scheme-handler/lanyard;\n";

pub fn make(place: &Place, program: &Path, relay: &Path, image: &Path) -> Result<()> {
    let step = Step::begin("AppImage");
    let folder = place.target.join("packages/Lanyard.AppDir");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fill(&folder, place, program, relay)?;
    let squashed = folder.with_extension("sqfs");
    let mut squash = Command::new("mksquashfs");
    squash.arg(&folder).arg(&squashed).args(["-comp", "gzip", "-root-owned", "-noappend", "-no-progress"]);
    process::quiet(&mut squash, &step, &place.log("AppImage")?).context("mksquashfs comes with squashfs-tools")?;
    let bytes = [fs::read(runtime(place)?)?, fs::read(&squashed)?].concat();
    // A running AppImage cannot be written over.
    fs::remove_file(image).ok();
    fs::write(image, bytes)?;
    executable(image)?;
    fs::remove_file(squashed)?;
    step.done(&image.display().to_string());
    Ok(())
}

fn fill(folder: &Path, place: &Place, program: &Path, relay: &Path) -> Result<()> {
    let programs = folder.join("usr/bin");
    fs::create_dir_all(&programs)?;
    let packed = programs.join("lanyard-desktop");
    fs::write(&packed, marked(fs::read(program)?)?)?;
    executable(&packed)?;
    fs::copy(relay, programs.join("lanyard-relay"))?;
    fs::copy(place.checkout.join("icons/icon.png"), folder.join("lanyard.png"))?;
    fs::write(folder.join("lanyard.desktop"), ENTRY)?;
    link("usr/bin/lanyard-desktop", &folder.join("AppRun"))?;
    link("lanyard.png", &folder.join(".DirIcon"))
}

/// The same program, which knows that it is in an AppImage.
fn marked(mut program: Vec<u8>) -> Result<Vec<u8>> {
    let at = program.windows(UNPACKED.len()).position(|part| part == UNPACKED);
    let at = at.context("the program does not say what it is packed as")?;
    program[at..at + PACKED.len()].copy_from_slice(PACKED);
    Ok(program)
}

/// Cargo fetches the package as it fetches any; nothing of it is built.
fn runtime(place: &Place) -> Result<PathBuf> {
    let folder = place.cache.join("appimage");
    let (name, version) = RUNTIME;
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"fetches\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n{name} = \"={version}\"\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    let mut cargo = place.cargo();
    let said = process::said(cargo.args(["metadata", "--format-version", "1"]).current_dir(&folder))?;
    let metadata: serde_json::Value = serde_json::from_str(&said)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.into_iter().find(|package| package["name"] == name).and_then(|p| p["manifest_path"].as_str());
    let manifest = found.with_context(|| format!("cargo does not say where {name} is"))?;
    Ok(Path::new(manifest).with_file_name("assets").join("runtime-x86_64"))
}

#[cfg(unix)]
fn executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

#[cfg(unix)]
fn link(to: &str, at: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(to, at)?)
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<()> {
    anyhow::bail!("An AppImage is made on Linux.")
}

#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> Result<()> {
    anyhow::bail!("An AppImage is made on Linux.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_told_that_it_is_in_an_appimage() {
        let program = [b"before ", UNPACKED, b" after"].concat();
        assert_eq!(marked(program).unwrap(), [b"before ", PACKED, b" after"].concat());
        assert!(marked(b"packed by somebody else".to_vec()).is_err());
    }
}
