//! Everything that goes into the image, and its hash.

use super::{
    CLAUDE_VERSION, ImageInfo, PATH, REPOSITORY,
    packages::{self, Package},
};
use crate::{Error, Settings, docker::images::FoundImage};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// A small file of the image: path in the context, mode, text.
pub(crate) type SettingsFile = (&'static str, u32, &'static str);

/// As many as `build_image` sets.
const LABELS: u32 = 7;
/// What an image on a repository's base has, where it has it not already.
const FEWER_TOOLS: &str = "curl git jq less openssh-client procps python3 ripgrep tmux xz-utils";
/// On such a base, last on the path.
pub(crate) const NODE_BESIDE: &str = "/opt/lanyard/node";

pub(crate) const DOCKERFILE: &str = include_str!("../../image/Dockerfile");
pub(crate) const FILES: &[SettingsFile] = &[
    ("settings/etc/tmux.conf", 0o644, include_str!("../../image/settings/etc/tmux.conf")),
    ("settings/etc/chromium.d/lanyard", 0o644, include_str!("../../image/settings/etc/chromium.d/lanyard")),
    ("settings/etc/apt/apt.conf.d/90lanyard", 0o644, include_str!("../../image/settings/etc/apt/apt.conf.d/90lanyard")),
    ("settings/usr/local/bin/apt", 0o755, include_str!("../../image/settings/usr/local/bin/apt")),
    ("settings/usr/local/bin/apt-get", 0o755, include_str!("../../image/settings/usr/local/bin/apt-get")),
    ("settings/usr/local/bin/lanyard-shot", 0o755, include_str!("../../image/settings/usr/local/bin/lanyard-shot")),
];

/// Where the systems keep the certificate authorities their owner added to the usual ones.
const OWN_AUTHORITIES: &[&str] = &[
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/ca-certificates/trust-source/anchors",
];
/// `e_machine` of an ELF file, at byte 18.
const ELF_MACHINES: &[(u8, &str)] = &[(62, "x64"), (183, "arm64")];

#[derive(Clone)]
pub(crate) struct Recipe {
    /// The image to build on.
    pub base: String,
    pub agent_uid: u32,
    pub source: String,
    /// The source of the image on the usual base, which has the same parts; the same as `source` if this is that.
    pub parts: String,
    pub packages: &'static [Package],
    pub relay: Bytes,
    /// Name and text of each of the owner's certificate authorities. Public by nature.
    pub authorities: Vec<(String, Vec<u8>)>,
}

impl Recipe {
    /// Reads what is on this computer. Fails with [`Error::RelayProgram`] when the relay is missing or for another processor.
    pub(crate) fn read(settings: &Settings, arch: &str) -> Result<Self, Error> {
        let packages = packages::of(arch).ok_or_else(|| Error::Setting {
            name: "engine",
            reason: format!("its processor ({arch}) is neither x86_64 nor aarch64"),
        })?;
        let mut recipe = Self {
            base: settings.base.clone(),
            agent_uid: settings.agent_uid,
            source: String::new(),
            parts: String::new(),
            packages,
            relay: read_relay(&settings.relay_binary, packages)?.into(),
            authorities: own_authorities(),
        };
        recipe.source = recipe.hash();
        recipe.parts.clone_from(&recipe.source);
        Ok(recipe)
    }

    /// The same parts on another base.
    pub(crate) fn on(&self, base: &str) -> Self {
        let mut other = Self { base: base.to_owned(), ..self.clone() };
        other.source = hex(&Sha256::digest(format!("{}\n{FEWER_TOOLS}\n{NODE_BESIDE}\n{base}", self.parts)));
        other
    }

    pub(crate) fn is_usual(&self) -> bool {
        self.source == self.parts
    }

    pub(crate) fn arguments(&self) -> HashMap<String, String> {
        let mut arguments = vec![("BASE", self.base.clone()), ("AGENT_UID", self.agent_uid.to_string())];
        if !self.is_usual() {
            arguments.extend([("TOOLS", FEWER_TOOLS.to_owned()), ("NODE", NODE_BESIDE.to_owned())]);
        }
        arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn hash(&self) -> String {
        let mut hash = Sha256::new();
        // Each part with its length, so that no two lists of parts look the same.
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(DOCKERFILE.as_bytes());
        part(self.base.as_bytes());
        part(&self.agent_uid.to_be_bytes());
        for (path, mode, text) in FILES {
            part(path.as_bytes());
            part(&mode.to_be_bytes());
            part(text.as_bytes());
        }
        for package in self.packages {
            part(package.spec().as_bytes());
            part(package.integrity.as_bytes());
        }
        for (name, text) in &self.authorities {
            part(name.as_bytes());
            part(text);
        }
        part(&self.relay);
        hex(&hash.finalize())
    }

    pub(crate) fn tag(&self) -> String {
        format!("{REPOSITORY}:{}", &self.source[..12])
    }

    pub(crate) fn info(&self, found: &FoundImage, built: bool) -> ImageInfo {
        ImageInfo {
            tag: self.tag(),
            source: self.source.clone(),
            path: found.labels.get(PATH).filter(|path| !self.is_usual() && !path.is_empty()).cloned(),
            claude_version: CLAUDE_VERSION.to_owned(),
            bytes: found.bytes,
            built,
        }
    }

    /// The builder's steps: one per instruction, and one per label.
    pub(crate) fn build_steps(&self) -> u32 {
        let instruction = |line: &&str| line.starts_with(|c: char| c.is_ascii_uppercase());
        u32::try_from(DOCKERFILE.lines().filter(instruction).count()).unwrap_or(0) + LABELS
    }
}

fn read_relay(path: &Path, packages: &[Package]) -> Result<Vec<u8>, Error> {
    let wrong = |reason: String| Error::RelayProgram { path: path.to_owned(), reason };
    let relay = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let machine = relay.strip_prefix(b"\x7fELF").and_then(|rest| rest.get(14));
    let machine = machine.and_then(|machine| ELF_MACHINES.iter().find(|(number, _)| number == machine));
    match machine {
        Some((_, arch)) if packages.iter().any(|package| package.name.ends_with(arch)) => Ok(relay),
        Some((_, arch)) => Err(wrong(format!("it is for {arch}, and the engine is not"))),
        None => Err(wrong("it is not a Linux program".to_owned())),
    }
}

/// In the order of their names, so that the hash is the same every time.
fn own_authorities() -> Vec<(String, Vec<u8>)> {
    let entries = OWN_AUTHORITIES.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    let named = |path: PathBuf| Some((format!("{}.crt", path.file_stem()?.to_str()?), std::fs::read(path).ok()?));
    files.into_iter().filter_map(named).filter(|(_, text)| is_certificate(text)).collect()
}

/// PEM, and nothing private in it.
fn is_certificate(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE KEY")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_beside_a_certificate_is_never_taken_along() {
        assert!(is_certificate(b"-----BEGIN CERTIFICATE-----\nMIIB\n"));
        assert!(!is_certificate(b"-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n"));
        assert!(!is_certificate(b"0\x82\x01"));
    }

    #[test]
    fn a_relay_for_another_processor_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay");
        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0".to_vec();
        std::fs::write(&path, &elf).unwrap();
        let refused = read_relay(&path, packages::of("x86_64").unwrap()).unwrap_err();
        assert!(matches!(refused, Error::RelayProgram { ref reason, .. } if reason.contains("arm64")), "{refused:?}");
        assert!(read_relay(&path, packages::of("aarch64").unwrap()).is_ok());
        elf[0] = 0;
        std::fs::write(&path, &elf).unwrap();
        assert!(read_relay(&path, packages::of("aarch64").unwrap()).is_err());
    }

    #[test]
    fn the_same_parts_on_another_base_are_another_image_with_fewer_tools() {
        let packages = packages::of("x86_64").unwrap();
        let mut usual = Recipe {
            base: "debian:bookworm-slim".into(),
            agent_uid: 1000,
            source: String::new(),
            parts: String::new(),
            packages,
            relay: Bytes::new(),
            authorities: Vec::new(),
        };
        usual.source = usual.hash();
        usual.parts.clone_from(&usual.source);
        let other = usual.on("debian:bookworm-slim");
        assert!(usual.is_usual() && !other.is_usual() && other.tag() != usual.tag());
        assert_ne!(other.source, usual.on("node:18").source);
        assert_eq!((usual.arguments().len(), usual.on("node:18").arguments()["BASE"].as_str()), (2, "node:18"));
        assert!(!other.arguments()["TOOLS"].contains("chromium"));
    }

    #[test]
    fn every_file_of_the_image_folder_goes_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("image");
        let mut folders = vec![root.join("settings")];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut listed: Vec<_> = FILES.iter().map(|(path, ..)| (*path).to_owned()).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }
}
