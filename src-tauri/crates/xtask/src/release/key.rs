//! The key that releases are signed with.

use super::packages;
use crate::place::Place;
use crate::process;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

pub const ADVICE: &str = "A release is signed. Name the key in the environment: TAURI_SIGNING_PRIVATE_KEY (what `tauri signer \
     generate` wrote, or the file's path), TAURI_SIGNING_PRIVATE_KEY_PASSWORD, and LANYARD_UPDATE_KEY (the public one). \
     With --local a key is made for the occasion.";

const SECRET: &str = "TAURI_SIGNING_PRIVATE_KEY";
const PASSWORD: &str = "TAURI_SIGNING_PRIVATE_KEY_PASSWORD";
const PUBLIC: &str = "LANYARD_UPDATE_KEY";

/// What only a program that signs may have in its environment: cargo runs the build scripts of every crate, and npm what each
/// package brings. [`process`] gives none of it to any program, [`Key::give`] gives it to those that sign.
pub const SECRETS: [&str; 7] = [
    SECRET,
    PASSWORD,
    "APPLE_CERTIFICATE",
    "APPLE_CERTIFICATE_PASSWORD",
    "APPLE_ID",
    "APPLE_PASSWORD",
    "APPLE_TEAM_ID",
];

/// What is built into the app, and where the other half is.
pub struct Key {
    pub public: String,
    /// None: the environment holds it.
    file: Option<PathBuf>,
}

impl Key {
    /// Its public half alone: enough to build, not to sign.
    pub fn public() -> Result<Key> {
        let public = std::env::var(PUBLIC).ok().filter(|value| !value.is_empty());
        Ok(Key { public: public.with_context(|| format!("set {PUBLIC}, which is built into the app"))?, file: None })
    }

    /// The one that the environment names.
    pub fn given() -> Option<Key> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        set(SECRET)?;
        Some(Key { public: set(PUBLIC)?, file: None })
    }

    /// One for releases that stay on this computer, without a password. Kept, so that one of them updates to the next.
    pub fn of_this_computer(place: &Place) -> Result<Key> {
        let file = place.target.join("packages/key");
        let public = file.with_extension("pub");
        if !public.is_file() {
            std::fs::create_dir_all(place.target.join("packages"))?;
            let mut generate = packages::tauri(place);
            process::loud(generate.args(["signer", "generate", "--ci", "--force", "-p", "", "-w"]).arg(&file))?;
        }
        let public = std::fs::read_to_string(&public).context("the key just made cannot be read")?.trim().to_owned();
        Ok(Key { public, file: Some(file) })
    }

    /// The file with the secret half, of a key of this computer.
    pub fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    /// For the programs that sign, whose bundler signs for Apple too.
    pub fn give<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for name in SECRETS {
            std::env::var_os(name).map(|value| command.env(name, value));
        }
        match &self.file {
            Some(file) => command.env(SECRET, file).env(PASSWORD, ""),
            None => command,
        }
    }
}
