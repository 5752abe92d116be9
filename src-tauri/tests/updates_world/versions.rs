//! The app in two versions, built as releases are: the version and the key come by `TAURI_CONFIG`. Or two that were released.

use serde_json::json;
use standins::releases::MakersKey;
use std::{
    env, fs,
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
    /// Those that `cargo xtask release --prove` names; else built here where they are not built yet.
    pub fn ready() -> Self {
        if let Some(released) = Released::named() {
            let program = |folder: &Path| folder.join("lanyard-desktop");
            return Self { older: program(&released.older), newer: program(&released.newer), key: released.key };
        }
        let key = MakersKey::kept_at(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("updates/key")).unwrap();
        let public = key.public().unwrap();
        Self { older: build("older", OLDER, &public), newer: build("newer", NEWER, &public), key }
    }
}

/// Folders with the packages of two versions, and the key they were signed with.
pub struct Released {
    pub key: MakersKey,
    pub older: PathBuf,
    pub newer: PathBuf,
}

impl Released {
    pub fn named() -> Option<Self> {
        let path = |name: &str| env::var_os(name).map(PathBuf::from);
        let key = fs::read_to_string(path("LANYARD_RELEASE_KEY")?).unwrap();
        let key = MakersKey::of_bundler(&key).unwrap();
        Some(Self { key, older: path("LANYARD_OLDER")?, newer: path("LANYARD_NEWER")? })
    }
}

fn build(name: &str, version: &str, key: &str) -> PathBuf {
    let config = json!({ "version": version, "plugins": { "updater": {
        "pubkey": key, "endpoints": ["https://updates.invalid/latest.json"], "requireSignedVersion": true,
    } } });
    let with = env::var(BUILT_WITH).unwrap_or_else(|_| "--package lanyard-desktop".into());
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").args(with.split_whitespace()).args(["--features", &format!("lanyard-desktop/{name}")]);
    cargo.args(["--example", name]).env("TAURI_CONFIG", config.to_string()).current_dir(env!("CARGO_MANIFEST_DIR"));
    // Where this test was built.
    cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap());
    for (variable, _) in env::vars_os() {
        let known = variable.to_string_lossy();
        let of_this_crate = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "OUT_DIR"];
        if of_this_crate.iter().any(|start| known.starts_with(start)) {
            cargo.env_remove(&variable);
        }
    }
    let built = cargo.output().expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    stripped(&Path::new(env!("CARGO_BIN_EXE_lanyard-desktop")).with_file_name("examples").join(name))
}

/// Without what only a debugger reads: it is signed, sent and compared often.
fn stripped(program: &Path) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("updates");
    let to = folder.join(program.file_name().unwrap());
    let made = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    if !made(&to).is_ok_and(|at| at > made(program).unwrap()) {
        // Another test may do the same now.
        let half = tempfile::NamedTempFile::new_in(&folder).unwrap().into_temp_path();
        let done =
            Command::new("strip").arg("-o").arg(&half).arg(program).status().expect("strip comes with the linker");
        assert!(done.success());
        half.persist(&to).unwrap();
    }
    to
}
