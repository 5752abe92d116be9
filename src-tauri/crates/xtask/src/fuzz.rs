//! `cargo xtask fuzz`: inputs thrown at the sandbox door, new ones made from those that reached new code. The compiler's own
//! coverage pass is in stable Rust, and libFuzzer comes with its crate, so a C++ compiler is all it takes beside.

use crate::place::Place;
use crate::process;
use crate::setup::{self, Consent, Wants};
use crate::show::Step;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What is fuzzed: `src-tauri/crates/egress/src/fuzzing` tells what must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Bytes from a sandbox to the door.
    Door,
    /// Rules, and what is asked of them.
    Policy,
    /// Answers and requests of the model, as they are counted.
    Usage,
}

const SEEDS: &str = "src-tauri/crates/egress/fuzz/seeds";

/// What cargo-fuzz gives the compiler, less the sanitizers, which only a nightly has.
const FLAGS: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// No input takes a second, and none needs to be longer.
const LIMITS: [&str; 4] = ["-timeout=20", "-max_len=4096", "-rss_limit_mb=1024", "-print_final_stats=1"];

/// One target, or all, for `seconds` each.
pub fn fuzz(place: &Place, target: Option<Target>, seconds: u64, consent: Consent) -> Result<()> {
    let wants = Wants { ui: false, sandboxes: false, display: false, tests: false, benches: false, fuzzing: true };
    let _ready = setup::prepare(place, wants, consent)?;
    throw(place, target.as_ref().map_or(Target::value_variants(), std::slice::from_ref), seconds)
}

/// Builds the targets and throws inputs at each of these.
pub fn throw(place: &Place, targets: &[Target], seconds: u64) -> Result<()> {
    let host = process::answer(Command::new("rustc").args(["--print", "host-tuple"]), Duration::from_secs(30));
    let host = host.context("rustc does not answer")?;
    let folder = place.cache.join("fuzz");
    let step = Step::begin("Fuzz targets");
    // With a target named, build scripts and macros stay without the flags.
    let mut cargo = place.cargo();
    cargo.args(["build", "--package", "egress-fuzz", "--bins", "--profile", "fuzz", "--target", &host]);
    cargo.env("CARGO_TARGET_DIR", &folder).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    process::quiet(&mut cargo, &step, &place.log("Fuzz targets")?)?;
    step.done("");
    targets.iter().try_for_each(|target| {
        let program = folder.join(&host).join("fuzz").join(format!("fuzz-{}", target.name()));
        one(place, &program, *target, seconds)
    })
}

fn one(place: &Place, program: &Path, target: Target, seconds: u64) -> Result<()> {
    let name = target.name();
    let step = Step::begin(&format!("Fuzz {name}"));
    let (reached, broke) = (kept(place, "reached", &name)?, kept(place, "broke", &name)?);
    let log = place.log(&format!("fuzz {name}"))?;
    let mut fuzzer = Command::new(program);
    fuzzer.args(LIMITS).arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-artifact_prefix={}/", broke.display()));
    // What is found goes into the first folder.
    fuzzer.arg(&reached).arg(place.checkout.join(SEEDS).join(&name)).env("RUST_BACKTRACE", "0");
    process::quiet(&mut fuzzer, &step, &log).with_context(|| {
        format!(
            "An input broke what target {name} promises (src-tauri/crates/egress/src/fuzzing/{name}.rs). It is in {}: \
             copied to {SEEDS}/{name} it is the first thing tried from now on",
            broke.display()
        )
    })?;
    step.done(&format!("{} inputs", executed(&std::fs::read(&log)?)));
    Ok(())
}

/// A folder that outlives the checkout: what reached new code is where the next time begins.
fn kept(place: &Place, what: &str, target: &str) -> Result<PathBuf> {
    let folder = place.cache.join("fuzz").join(what).join(target);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// How many inputs a fuzzer's log tells of.
fn executed(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let count = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    count.map_or_else(|| "no".to_owned(), |count| count.trim().to_owned())
}

impl Target {
    /// Of its program, its file and its seeds' folder.
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_seeds_and_its_program() {
        let checkout = Place::find().unwrap().checkout;
        for target in Target::value_variants() {
            assert!(checkout.join(SEEDS).join(target.name()).is_dir(), "{target:?}");
            let program = format!("src-tauri/crates/egress/fuzz/src/{}.rs", target.name());
            assert!(checkout.join(program).is_file(), "{target:?}");
        }
    }

    #[test]
    fn the_number_of_inputs_is_read_from_the_log() {
        assert_eq!(executed(b"#2 \xff\nstat::number_of_executed_units: 345288\nstat::x: 1\n"), "345288");
        assert_eq!(executed(b""), "no");
    }
}
