//! The app in two versions, built as releases are: the version and the key come by `TAURI_CONFIG`.

use serde_json::json;
use standins::releases::MakersKey;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

pub const OLDER: &str = "0.1.0";
pub const NEWER: &str = "0.2.0";
/// What the tests were built with, if not `--package lanyard-desktop`: the same for these builds, so that nothing is built twice.
const BUILT_WITH: &str = "LANYARD_BUILT_WITH";

pub struct Versions {
    pub key: MakersKey,
    pub older: PathBuf,
    pub newer: PathBuf,
}

impl Versions {
    /// Builds them where they are not built yet.
    pub fn build() -> Self {
        let key = MakersKey::kept_at(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("updates/key")).unwrap();
        let public = key.public().unwrap();
        Self { older: build("older", OLDER, &public), newer: build("newer", NEWER, &public), key }
    }
}

fn build(name: &str, version: &str, key: &str) -> PathBuf {
    let config = json!({ "version": version, "plugins": { "updater": {
        "pubkey": key, "endpoints": ["https://updates.invalid/latest.json"], "requireSignedVersion": true,
    } } });
    let with = std::env::var(BUILT_WITH).unwrap_or_else(|_| "--package lanyard-desktop".into());
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").args(with.split_whitespace()).args(["--features", &format!("lanyard-desktop/{name}")]);
    cargo.args(["--example", name]).env("TAURI_CONFIG", config.to_string()).current_dir(env!("CARGO_MANIFEST_DIR"));
    // Where this test was built.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    cargo.env("CARGO_TARGET_DIR", target);
    for (variable, _) in std::env::vars_os() {
        let known = variable.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "OUT_DIR"]
            .iter()
            .any(|p| known.starts_with(p))
        {
            cargo.env_remove(&variable);
        }
    }
    let built = cargo.output().expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let profile = Path::new(env!("CARGO_BIN_EXE_lanyard-desktop")).parent().unwrap();
    profile.join("examples").join(name)
}
