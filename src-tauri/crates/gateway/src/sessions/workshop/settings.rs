//! The sandbox as the config wants it.

use crate::config::{Paths, Resolved, SandboxCarrier};
use domain::SandboxId;
use sandbox::{Carrier, SandboxSpec, Settings, Workspace};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

pub fn settings(config: &Resolved, paths: &Paths) -> Settings {
    let s = &config.written.sandbox;
    Settings {
        engine: Some(s.engine.clone()).filter(|e| !e.is_empty()),
        base: base(&s.base),
        relay_binary: relay_binary(),
        cache_dir: paths.cache.clone(),
        run_dir: paths.run.clone(),
        agent_uid: config.agent_uid,
        carrier: match s.carrier {
            SandboxCarrier::Auto => Carrier::Auto,
            SandboxCarrier::Socket => Carrier::Socket,
            SandboxCarrier::Exec => Carrier::Exec,
        },
        instance: instance(paths),
    }
}

/// The config's, unless that is the default and `LANYARD_BASE` names the one that set-up made for want of a registry.
fn base(configured: &str) -> String {
    let made =
        std::env::var("LANYARD_BASE").ok().filter(|_| configured == crate::config::Written::default().sandbox.base);
    made.unwrap_or_else(|| configured.to_owned())
}

/// A name for this Lanyard among others on the same engine: its data folder's, hashed.
fn instance(paths: &Paths) -> String {
    let hash = Sha256::digest(paths.data.as_os_str().as_encoded_bytes());
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// `LANYARD_RELAY`, or the file beside this program, or where a macOS app keeps what is no program of the Mac's.
fn relay_binary() -> PathBuf {
    let packed = || {
        let program = std::env::current_exe().ok()?;
        let places = ["lanyard-relay", "../Resources/lanyard-relay"].map(|place| program.with_file_name(place));
        places.iter().find(|place| place.is_file()).or(places.first()).cloned()
    };
    std::env::var_os("LANYARD_RELAY").map(PathBuf::from).or_else(packed).unwrap_or_else(|| "lanyard-relay".into())
}

pub fn spec(config: &Resolved, id: SandboxId) -> SandboxSpec {
    SandboxSpec {
        id,
        size: config.size,
        workspace: config.workspace.clone().map_or(Workspace::Volume, Workspace::Folder),
        base: None,
    }
}
