//! Where things are: the checkout, and the caches outside it.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout being worked on and the folder that outlives it.
#[derive(Clone, Debug)]
pub struct Place {
    pub checkout: PathBuf,
    /// `~/.cache/lanyard` (or the system's own place for caches).
    pub cache: PathBuf,
    /// Where cargo builds: `CARGO_TARGET_DIR`, else in the cache, so that a fresh clone builds on what an older one left.
    pub target: PathBuf,
}

impl Place {
    pub fn find() -> Result<Place> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(3)
            .context("xtask lies three folders below the checkout")?
            .to_path_buf();
        let folders = directories::BaseDirs::new().context("no home folder is known for this user: set HOME")?;
        let cache = folders.cache_dir().join("lanyard");
        std::fs::create_dir_all(&cache).with_context(|| format!("cannot make the cache folder {}", cache.display()))?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache.join("target"), PathBuf::from);
        Ok(Place { checkout, cache, target })
    }

    pub fn ui(&self) -> PathBuf {
        self.checkout.join("ui")
    }

    /// Where benches leave their figures.
    pub fn bench(&self) -> PathBuf {
        self.checkout.join("target/bench")
    }

    /// The log of one step, kept until that step runs again.
    pub fn log(&self, step: &str) -> Result<PathBuf> {
        let folder = self.cache.join("logs");
        std::fs::create_dir_all(&folder)?;
        let name: String =
            step.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
        Ok(folder.join(format!("{name}.log")))
    }

    /// Cargo for this checkout. What the outer `cargo run` set for xtask is taken out again: some build scripts watch those
    /// variables, and would rebuild their crate each time xtask and a plain cargo call take turns.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in std::env::vars_os() {
            let known = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| known.starts_with(prefix))
            {
                cargo.env_remove(&name);
            }
        }
        cargo.env_remove("CARGO_PRIMARY_PACKAGE").env_remove("OUT_DIR");
        cargo.current_dir(&self.checkout).env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// A program cargo built, e.g. `program("debug", "lanyard")`.
    pub fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}
