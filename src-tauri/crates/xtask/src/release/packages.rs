//! What Tauri's own command line makes: the program, and each system's packages of it.

use super::key::Key;
use crate::place::Place;
use crate::process;
use crate::show::Step;
use crate::stamps::{Inputs, Stamp};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Packages<'p> {
    pub place: &'p Place,
    pub key: &'p Key,
    /// The static program that goes into sandboxes.
    pub relay: &'p Path,
    pub version: &'p str,
    /// Where the app looks for newer versions.
    pub list: &'p str,
}

/// Where a bundler leaves what is released, by the end of its name.
const RELEASED: [&str; 6] = [".deb", ".rpm", ".AppImage", ".dmg", ".app.tar.gz", "-setup.exe"];

/// Tauri's command line into src-tauri, unless it is there. It is one package and its binary for this system, both named by exact
/// version, so that a lock file would add nothing.
pub fn fetch_cli(place: &Place) -> Result<()> {
    let folder = place.checkout.join("src-tauri");
    let fingerprint = Inputs::default().path(&folder, "package.json")?.fingerprint();
    let stamp = Stamp::at(folder.join("node_modules/.lanyard-packages"));
    if stamp.is(&fingerprint) {
        return Ok(());
    }
    let step = Step::begin("Bundler");
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(["install", "--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline"]).current_dir(&folder);
    process::quiet(&mut npm, &step, &place.log("Bundler")?)?;
    stamp.set(&fingerprint)?;
    step.done("src-tauri/node_modules");
    Ok(())
}

/// Tauri's command line, in src-tauri.
pub fn tauri(place: &Place) -> Command {
    let folder = place.checkout.join("src-tauri");
    let mut node = Command::new("node");
    node.arg(folder.join("node_modules/@tauri-apps/cli/tauri.js")).current_dir(folder);
    node.env("CI", "true").env("CARGO_TARGET_DIR", &place.target);
    node
}

/// As Debian names this processor.
pub fn debian_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl Packages<'_> {
    /// The program, of the release profile.
    pub fn build(&self) -> Result<PathBuf> {
        self.run(&["build", "--no-bundle", "--ci"], &format!("Program {}", self.version), &self.config(), |tauri| {
            tauri
        })?;
        Ok(self.place.program("release", "lanyard-desktop"))
    }

    /// This system's packages of it, copied into `folder` with their signatures.
    pub fn bundle(&self, local: bool, folder: &Path) -> Result<Vec<PathBuf>> {
        let bundles = match std::env::consts::OS {
            "linux" if local => "deb,rpm",
            "linux" => "deb,rpm,appimage",
            "macos" => "app,dmg",
            "windows" => "nsis",
            other => bail!("Lanyard has no packages for {other}"),
        };
        let made = self.place.target.join("release/bundle");
        if made.exists() {
            std::fs::remove_dir_all(&made)?;
        }
        let name = format!("Packages {}", self.version);
        self.run(&["bundle", "--bundles", bundles, "--ci"], &name, &self.bundler_config(), |tauri| {
            self.key.give(tauri)
        })?;
        let mut copied = Vec::new();
        for file in files(&made)? {
            if let Some(name) = self.released(&file) {
                let to = folder.join(&name);
                std::fs::copy(&file, &to)?;
                if !name.ends_with(".sig") {
                    copied.push(to);
                }
            }
        }
        copied.sort();
        Ok(copied)
    }

    /// The name it is released by: one that says version and processor, also where the bundler's does not.
    fn released(&self, file: &Path) -> Option<String> {
        let name = file.file_name()?.to_str()?;
        let (stem, signature) = name.strip_suffix(".sig").map_or((name, ""), |stem| (stem, ".sig"));
        RELEASED.iter().find(|ending| stem.ends_with(*ending))?;
        match stem.strip_suffix(".app.tar.gz") {
            Some(app) => Some(format!("{app}_{}_{}.app.tar.gz{signature}", self.version, std::env::consts::ARCH)),
            None => Some(name.to_owned()),
        }
    }

    /// Writes `file`.sig, which names the version.
    pub fn sign(&self, file: &Path) -> Result<()> {
        let mut sign = tauri(self.place);
        sign.args(["signer", "sign", "--app-version", self.version]);
        if let Some(key) = self.key.file() {
            sign.arg("-f").arg(key).args(["-p", ""]);
        } else {
            self.key.give(&mut sign);
        }
        let said = process::outcome(sign.arg(file), std::time::Duration::from_secs(120))
            .context("the signer does not answer")?;
        if !said.success {
            bail!("{} could not be signed:\n{}", file.display(), said.err);
        }
        Ok(())
    }

    /// `with`: what only this call has in its environment.
    fn run(
        &self,
        arguments: &[&str],
        name: &str,
        config: &Value,
        with: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<()> {
        let step = Step::begin(name);
        let mut tauri = tauri(self.place);
        tauri.args(arguments).arg("--config").arg(config.to_string());
        process::quiet(with(&mut tauri), &step, &self.place.log(name)?)?;
        step.done("");
        Ok(())
    }

    /// What a release has over a build from source.
    fn config(&self) -> Value {
        let relay = self.relay.display().to_string();
        let command = self.place.checkout.join("src-tauri/linux/lanyard").display().to_string();
        let system = json!({ "/usr/bin/lanyard-relay": &relay, "/usr/bin/lanyard": command });
        let mut bundle = json!({
            "createUpdaterArtifacts": true,
            "linux": { "deb": { "files": &system }, "rpm": { "files": system }, "appimage": { "files": { "/usr/bin/lanyard-relay": &relay } } },
        });
        if !cfg!(target_os = "linux") {
            bundle["resources"] = json!({ &relay: "lanyard-relay" });
        }
        json!({
            "version": self.version,
            "bundle": bundle,
            "plugins": { "updater": { "pubkey": self.key.public, "endpoints": [self.list], "requireSignedVersion": true } },
        })
    }

    /// With a certificate in the user's store. What is built does not depend on it, so that it is not built anew for it.
    fn bundler_config(&self) -> Value {
        let mut config = self.config();
        if let Ok(thumbprint) = std::env::var("LANYARD_WINDOWS_CERTIFICATE") {
            let stamps = "http://timestamp.digicert.com";
            config["bundle"]["windows"] =
                json!({ "certificateThumbprint": thumbprint, "digestAlgorithm": "sha256", "timestampUrl": stamps });
        }
        config
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("the bundler left no {}", folder.display()))? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}
