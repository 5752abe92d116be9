//! `cargo xtask test`: every check, in an order where the cheap ones come first and the test runner last.

use crate::place::Place;
use crate::programs::{self, Surroundings};
use crate::setup::{self, Consent, Ready, Wants};
use crate::{docs, fuzz, image, process, show, ui};
use anyhow::{Context, Error, Result, bail};
use clap::ValueEnum;
use std::process::Command;
use std::time::{Duration, Instant};

/// Features that tests need: the gateway's may be killed at named steps.
const FEATURES: [&str; 2] = ["--features", "gateway/failpoints"];

/// Seconds for each target: what is reached is kept, so that each time goes on from the last.
const FUZZED_FOR: u64 = 15;

/// The test that builds the app twice more, for the tests of updates.
const VERSIONS: &str = "both_versions_can_be_built";

pub struct Asked<'a> {
    /// Only the Rust tests with this in their name, and no other check.
    pub filter: Option<&'a str>,
    /// Leaves out test programs named `docker…`.
    pub docker: bool,
    pub keep_going: bool,
}

pub fn test(place: &Place, asked: &Asked, consent: Consent) -> Result<()> {
    let began = Instant::now();
    let ready = setup::prepare(
        place,
        Wants { ui: true, sandboxes: asked.docker, display: false, tests: true, benches: false, fuzzing: true },
        consent,
    )?;
    let mut report = Report { rows: Vec::new(), failed: Vec::new(), keep_going: asked.keep_going };
    report.rows.push(("set-up", began.elapsed(), true));
    let ended = match asked.filter {
        None => everything(place, asked, &ready, &mut report),
        Some(_) => some(place, asked, &ready, &mut report),
    };
    report.print();
    ended?;
    report.verdict()
}

fn everything(place: &Place, asked: &Asked, ready: &Ready, report: &mut Report) -> Result<()> {
    let node = ready.node.as_ref().context("set-up gave no Node.js")?;
    report.step("documents", || docs::check(&place.checkout).map(|said| println!("{said}")))?;
    report.step("format", || process::loud(place.cargo().args(["fmt", "--all", "--check"])))?;
    // Before any Rust is compiled: the gateway carries the built page.
    report.step("page: packages", || ui::packages(place, node))?;
    report.step("page: types", || process::loud(&mut ui::script(place, node, "check")))?;
    report.step("page: tests", || process::loud(&mut ui::script(place, node, "test")))?;
    report.step("page: build", || ui::build(place, node))?;
    report.step("page: browser", || process::loud(on_chromium(&mut ui::script(place, node, "e2e:built"))))?;
    let clippy = ["clippy", "--workspace", "--all-targets"];
    let strict = ["--", "-D", "warnings"];
    report.step("clippy", || process::loud(place.cargo().args(clippy).args(FEATURES).args(strict)))?;
    report.step("doc tests", || process::loud(place.cargo().args(["test", "--workspace", "--doc", "--quiet"])))?;
    let targets = fuzz::Target::value_variants();
    report.step("fuzz", || fuzz::throw(place, targets, FUZZED_FOR))?;
    // Built apart, so that no test waits for a compiler.
    let versions = Asked { filter: Some(VERSIONS), docker: false, keep_going: false };
    report.step("app: two versions", || process::loud(&mut runner(place, &versions, ready, None)?))?;
    tests(place, asked, ready, report)
}

/// What a few tests need: those of the journey take the built page, and its packages.
fn some(place: &Place, asked: &Asked, ready: &Ready, report: &mut Report) -> Result<()> {
    let node = ready.node.as_ref().context("set-up gave no Node.js")?;
    report.step("page: build", || ui::build(place, node))?;
    tests(place, asked, ready, report)
}

/// Tells browser tests which browser this machine has; none is ever fetched.
fn on_chromium(command: &mut Command) -> &mut Command {
    match setup::chromium() {
        Some(chromium) => command.env("LANYARD_CHROMIUM", chromium),
        None => command,
    }
}

/// The runner comes last, so that its closing lines are what is seen.
fn tests(place: &Place, asked: &Asked, ready: &Ready, report: &mut Report) -> Result<()> {
    let mut surroundings = None;
    if asked.docker {
        report.step("sandbox image", || {
            let relay = programs::relay(place)?;
            let lanyard = programs::program(place, "debug", "gateway", "lanyard")?;
            image::ensure(place, &lanyard, &relay, false)?;
            surroundings = Some(relay);
            Ok(())
        })?;
    }
    report.step("tests", || process::loud(&mut runner(place, asked, ready, surroundings.as_ref())?))
}

fn runner(place: &Place, asked: &Asked, ready: &Ready, surroundings: Option<&Surroundings>) -> Result<Command> {
    let mut cargo = place.cargo();
    if has_nextest(place) {
        cargo.args(["nextest", "run", "--workspace", "--no-fail-fast"]).args(FEATURES);
        if !asked.docker {
            cargo.args(["-E", "not binary(/^docker/)"]);
        }
    } else {
        cargo.args(["test", "--workspace", "--no-fail-fast"]).args(FEATURES).args(targets(place, asked.docker)?);
    }
    cargo.args(asked.filter);
    // Tests that build with cargo build the same way.
    cargo.env("LANYARD_BUILT_WITH", format!("--workspace {}", FEATURES.join(" ")));
    if let Some(node) = &ready.node {
        node.on_path(&mut cargo);
    }
    if let Some(surroundings) = surroundings {
        surroundings.give(&mut cargo);
    }
    on_chromium(&mut cargo);
    Ok(cargo)
}

fn has_nextest(place: &Place) -> bool {
    process::answer(place.cargo().args(["nextest", "--version"]), Duration::from_secs(20)).is_some()
}

/// What plain `cargo test` is told to run: doc tests had their turn before.
fn targets(place: &Place, docker: bool) -> Result<Vec<String>> {
    let text = process::answer(
        place.cargo().args(["metadata", "--no-deps", "--format-version", "1"]),
        Duration::from_secs(60),
    );
    let metadata: serde_json::Value = serde_json::from_str(&text.context("cargo metadata does not answer")?)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let tests = targets.filter(|target| target["kind"][0] == "test").filter_map(|target| target["name"].as_str());
    let wanted =
        tests.filter(|name| docker || !name.starts_with("docker")).flat_map(|name| ["--test".into(), name.to_owned()]);
    Ok(["--lib".to_owned(), "--bins".to_owned()].into_iter().chain(wanted).collect())
}

/// What was done, how long it took, and what failed.
struct Report {
    rows: Vec<(&'static str, Duration, bool)>,
    failed: Vec<String>,
    keep_going: bool,
}

impl Report {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n━━ {name}");
        let began = Instant::now();
        let ended = work();
        let took = began.elapsed();
        self.rows.push((name, took, ended.is_ok()));
        println!("{} {name}, {}", if ended.is_ok() { "✓" } else { "✗" }, show::seconds(took));
        match ended {
            Ok(()) => Ok(()),
            Err(error) if error.is::<process::Stopped>() || !self.keep_going => Err(explained(name, error)),
            Err(error) => {
                println!("{error:#}");
                self.failed.push(name.to_owned());
                Ok(())
            }
        }
    }

    fn print(&self) {
        let head = ["step", "time", ""].map(str::to_owned).to_vec();
        let row = |(name, took, well): &(&str, Duration, bool)| {
            vec![(*name).to_owned(), show::seconds(*took), if *well { "✓" } else { "✗" }.into()]
        };
        let rows: Vec<_> = std::iter::once(head).chain(self.rows.iter().map(row)).collect();
        println!("\n{}\n", show::table(&rows));
    }

    fn verdict(self) -> Result<()> {
        if self.failed.is_empty() {
            return Ok(());
        }
        bail!("These steps failed: {}. What each of them said stands above.", self.failed.join(", "))
    }
}

fn explained(name: &str, error: Error) -> Error {
    if error.is::<process::Stopped>() {
        error
    } else {
        error.context(format!("The step \"{name}\" failed; with --keep-going the steps after it run all the same"))
    }
}
