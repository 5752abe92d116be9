//! `cargo xtask release`: the desktop app as people install it, signed, with the list of updates that names it.

mod appimage;
mod key;
mod list;
mod packages;
mod prove;

use crate::place::Place;
use crate::setup::{self, Consent, Wants};
use crate::{process, programs, show, ui};
use anyhow::{Context, Result, bail};
use key::Key;
pub use key::SECRETS;
use std::path::{Path, PathBuf};

pub struct Asked {
    /// With what this computer has: a key made for the occasion if none is given, and an AppImage that takes the system's webview.
    pub local: bool,
    /// Only build, and sign nothing.
    pub build: bool,
    /// Make two versions, and prove that one becomes the other.
    pub prove: bool,
    /// Only write the list of updates for the packages in this folder.
    pub list: Option<PathBuf>,
    /// Another version than the workspace's.
    pub version: Option<String>,
    /// Where the packages will be fetched from.
    pub url: Option<String>,
}

/// Where packages that nobody uploads would be fetched from.
const NOWHERE: &str = "https://updates.invalid";

pub fn release(place: &Place, asked: &Asked, consent: Consent) -> Result<()> {
    let url = asked.url.as_deref().unwrap_or(NOWHERE);
    if let Some(folder) = &asked.list {
        let version = asked.version.as_deref().context("--list wants --version too")?;
        return list::write(folder, version, url, &notes(place, version)?);
    }
    let key = match asked.build {
        true => Key::public()?,
        false => Key::given().map_or_else(|| own_key(place, asked), Ok)?,
    };
    let making = Making { place, key, url, local: asked.local, list: &format!("{url}/latest.json"), consent };
    if asked.prove {
        let folders = ["0.1.0", "0.2.0"].map(|version| making.version(version));
        let [older, newer] = folders;
        return prove::prove(place, &making.key, &older?, &newer?);
    }
    let version = asked.version.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    match asked.build {
        true => making.program(&version).map(|_| ()),
        false => making.version(&version).map(|_| ()),
    }
}

fn own_key(place: &Place, asked: &Asked) -> Result<Key> {
    if !asked.local && !asked.prove {
        bail!(key::ADVICE);
    }
    packages::fetch_cli(place)?;
    Key::of_this_computer(place)
}

/// All that one release is made with.
struct Making<'m> {
    place: &'m Place,
    key: Key,
    url: &'m str,
    /// Where the app looks for the list of updates.
    list: &'m str,
    local: bool,
    consent: Consent,
}

/// What packages are made of.
struct Built {
    relay: PathBuf,
    program: PathBuf,
}

impl Making<'_> {
    /// Builds the page, the program that goes into sandboxes, and the app. No secret is needed, and none given.
    fn program(&self, version: &str) -> Result<Built> {
        let place = self.place;
        let ready = setup::prepare(
            place,
            Wants { ui: true, sandboxes: false, display: true, tests: false, benches: false, fuzzing: false },
            self.consent,
        )?;
        ui::build(place, ready.node.as_ref().context("set-up gave no Node.js")?)?;
        let relay = programs::relay(place)?.relay;
        packages::fetch_cli(place)?;
        let program = self.packages(version, &relay).build()?;
        Ok(Built { relay, program })
    }

    fn packages<'p>(&'p self, version: &'p str, relay: &'p Path) -> packages::Packages<'p> {
        packages::Packages { place: self.place, key: &self.key, relay, version, list: self.list }
    }

    /// Makes the packages of one version; gives the folder they are in.
    fn version(&self, version: &str) -> Result<PathBuf> {
        let place = self.place;
        let Built { relay, program } = self.program(version)?;
        let packages = self.packages(version, &relay);
        let folder = place.target.join("packages").join(version);
        std::fs::create_dir_all(&folder)?;
        // Before the bundler writes into the program what it is packed as.
        let bare = folder.join(program.file_name().context("a program has a name")?);
        std::fs::copy(&program, &bare)?;
        let mut made = vec![bare.clone()];
        if self.local && cfg!(target_os = "linux") {
            let image = folder.join(format!("Lanyard_{version}_{}.AppImage", packages::debian_arch()));
            appimage::make(place, &bare, &relay, &image)?;
            packages.sign(&image)?;
            made.push(image);
        }
        made.extend(packages.bundle(self.local, &folder)?);
        packages.sign(&bare)?;
        list::write(&folder, version, self.url, &notes(place, version)?)?;
        print(&made)?;
        Ok(folder)
    }
}

/// What the change log says of a version.
fn notes(place: &Place, version: &str) -> Result<String> {
    let log = std::fs::read_to_string(place.checkout.join("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
    Ok(section(&log, version))
}

/// The section of this version, else that of what is not released yet.
fn section(log: &str, version: &str) -> String {
    let sections = || log.split("\n## ").skip(1);
    let named = |name: &str| sections().find(|section| section.trim_start_matches('[').starts_with(name));
    let found = named(version).or_else(|| named("Unreleased"));
    found.and_then(|section| section.split_once('\n')).map_or_else(String::new, |(_, text)| text.trim().to_owned())
}

fn print(made: &[PathBuf]) -> Result<()> {
    let row = |file: &PathBuf| -> Result<Vec<String>> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(vec![name, megabytes(std::fs::metadata(file)?.len()), installed(file).unwrap_or_default()])
    };
    let head = ["file", "size", "installed"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(Ok(head)).chain(made.iter().map(row)).collect::<Result<_>>()?;
    println!("\n{}\n\nin {}", show::table(&rows), made[0].parent().unwrap_or(Path::new(".")).display());
    Ok(())
}

/// As the package itself says.
fn installed(file: &Path) -> Option<String> {
    file.extension().filter(|ending| *ending == "deb")?;
    let mut ask = std::process::Command::new("dpkg-deb");
    let said = process::answer(ask.args(["-f"]).arg(file).arg("Installed-Size"), std::time::Duration::from_secs(20))?;
    Some(megabytes(said.parse::<u64>().ok()? * 1024))
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_are_the_section_of_the_version() {
        let log =
            "# Changes\n\n## Unreleased\n\n- soon\n\n## 0.2.0 (2026-12-01)\n\n- new\n- more\n\n## 0.1.0\n\n- first\n";
        assert_eq!(section(log, "0.2.0"), "- new\n- more");
        assert_eq!(section(log, "0.1.0"), "- first");
        assert_eq!(section(log, "0.3.0"), "- soon");
        assert_eq!(section("# Changes\n", "0.3.0"), "");
    }
}
