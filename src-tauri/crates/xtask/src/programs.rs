//! Lanyard's own programs, built by cargo.

use crate::base;
use crate::place::Place;
use crate::process;
use crate::show::Step;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the programs and tests that need sandboxes are told through the environment.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The static relay, for the engine's processor.
    pub relay: PathBuf,
}

impl Surroundings {
    /// `LANYARD_RELAY` and `LANYARD_BASE`.
    pub fn give<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LANYARD_RELAY", &self.relay).env("LANYARD_BASE", base::TAG)
    }
}

/// The relay runs inside the sandbox, whatever Linux that is: it brings its own C library.
pub fn relay(place: &Place) -> Result<Surroundings> {
    let target = RelayTarget::here(place)?;
    let mut cargo = place.cargo();
    cargo.args(["build", "--package", "relay", "--release", "--target", &target.triple]);
    let variable = target.triple.to_uppercase().replace('-', "_");
    cargo.env(format!("CARGO_TARGET_{variable}_RUSTFLAGS"), target.flags);
    build(&mut cargo, "Relay", place)?;
    Ok(Surroundings { relay: place.target.join(target.triple).join("release/lanyard-relay") })
}

/// The program `name` of `package`, e.g. `("debug", "gateway", "lanyard")`.
pub fn program(place: &Place, profile: &str, package: &str, name: &str) -> Result<PathBuf> {
    let mut cargo = place.cargo();
    cargo.args(["build", "--package", package, "--bin", name]);
    if profile == "release" {
        cargo.arg("--release");
    }
    build(&mut cargo, &format!("Program {name}"), place)?;
    Ok(place.program(profile, name))
}

fn build(cargo: &mut Command, name: &str, place: &Place) -> Result<()> {
    let step = Step::begin(name);
    process::quiet(cargo, &step, &place.log(name)?)?;
    step.done("");
    Ok(())
}

struct RelayTarget {
    triple: String,
    flags: &'static str,
}

impl RelayTarget {
    /// The musl target links by itself on every system; without it a Linux links its own C library in.
    fn here(place: &Place) -> Result<RelayTarget> {
        let musl = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let rustc = process::answer(
            Command::new("rustc").args(["--print", "sysroot"]).current_dir(&place.checkout),
            Duration::from_secs(30),
        );
        let sysroot = PathBuf::from(rustc.context("rustc does not answer")?);
        if has_target(&sysroot, &musl) {
            return Ok(RelayTarget { triple: musl, flags: "-C linker=rust-lld" });
        }
        if cfg!(target_os = "linux") {
            let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
            return Ok(RelayTarget { triple, flags: "-C target-feature=+crt-static" });
        }
        bail!(
            "The program inside the sandbox is built for Linux. Install that target once and start again:\n\n    rustup target add {musl}"
        )
    }
}

fn has_target(sysroot: &Path, triple: &str) -> bool {
    sysroot.join("lib/rustlib").join(triple).join("lib").is_dir()
}
