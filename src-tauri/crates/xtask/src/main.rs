//! One command does all set-up: `cargo xtask run`, `test`, `fuzz`, `image`, `bench`, `release`.
//!
//! Knows nothing of the crates it builds and starts but their names, so that it compiles in seconds on a fresh machine.

mod base;
mod bench;
mod docs;
mod fuzz;
mod image;
mod place;
mod process;
mod programs;
mod release;
mod run;
mod setup;
mod show;
mod stamps;
mod test;
mod ui;

use anyhow::Result;
use clap::{Parser, Subcommand};
use place::Place;
use setup::{Consent, Wants};
use std::path::PathBuf;
use std::process::ExitCode;

/// Sets everything up, builds and starts Lanyard, tests it, measures it.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Install missing system packages without asking.
    #[arg(long, global = true)]
    yes: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Start Lanyard; without accounts, a rehearsal with stand-ins for them.
    Run {
        /// Rehearse once and end, with exit code 0 or 1.
        #[arg(long)]
        once: bool,
    },
    /// Run every check and test.
    Test {
        /// Only the Rust tests with this in their name.
        filter: Option<String>,
        /// Leave out the tests that need a Docker engine.
        #[arg(long)]
        no_docker: bool,
        /// Go on after a step that failed.
        #[arg(long)]
        keep_going: bool,
    },
    /// Throw inputs at the sandbox door, guided by the code they reach.
    Fuzz {
        /// Only this target.
        target: Option<fuzz::Target>,
        /// How long for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Make the sandbox image.
    Image {
        /// Make it even if nothing has changed.
        #[arg(long)]
        rebuild: bool,
    },
    /// Make the desktop app's packages, signed, with the list of updates.
    Release {
        /// With what this computer has, and a key made for the occasion if none is given.
        #[arg(long)]
        local: bool,
        /// Only build what is packed: takes the key's public half (LANYARD_UPDATE_KEY), so that no build sees the secret one.
        #[arg(long, conflicts_with_all = ["local", "prove", "list"])]
        build: bool,
        /// Make two versions with such a key, and prove that one updates to the other.
        #[arg(long, conflicts_with = "version")]
        prove: bool,
        /// Only write the list of updates (latest.json) for the packages in this folder.
        #[arg(long, value_name = "FOLDER")]
        list: Option<PathBuf>,
        /// Another version than the workspace's.
        #[arg(long)]
        version: Option<String>,
        /// Where the packages and the list will be fetched from.
        #[arg(long)]
        url: Option<String>,
    },
    /// Measure Lanyard against others.
    Bench {
        /// Only these rows.
        rows: Vec<String>,
        /// Show the rows there are.
        #[arg(long)]
        list: bool,
    },
}

fn main() -> ExitCode {
    match carry_out(Arguments::parse()) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) if error.is::<process::Stopped>() => ExitCode::from(130),
        Err(error) => {
            eprintln!("\n{} {error:#}", console::style("✗").red());
            ExitCode::FAILURE
        }
    }
}

fn carry_out(arguments: Arguments) -> Result<i32> {
    process::pass_stops_on()?;
    let place = Place::find()?;
    let consent = Consent::new(arguments.yes);
    match arguments.command {
        Command::Run { once } => return run::run(&place, once, consent),
        Command::Test { filter, no_docker, keep_going } => {
            test::test(&place, &test::Asked { filter: filter.as_deref(), docker: !no_docker, keep_going }, consent)?;
        }
        Command::Fuzz { target, seconds } => fuzz::fuzz(&place, target, seconds, consent)?,
        Command::Image { rebuild } => make_image(&place, rebuild, consent)?,
        Command::Release { local, build, prove, list, version, url } => {
            release::release(&place, &release::Asked { local, build, prove, list, version, url }, consent)?;
        }
        Command::Bench { list: true, .. } => bench::list(),
        Command::Bench { rows, list: false } => bench::bench(&place, &rows, consent)?,
    }
    Ok(0)
}

fn make_image(place: &Place, rebuild: bool, consent: Consent) -> Result<()> {
    let _ready = setup::prepare(
        place,
        Wants { ui: false, sandboxes: true, display: false, tests: false, benches: false, fuzzing: false },
        consent,
    )?;
    let surroundings = programs::relay(place)?;
    let lanyard = programs::program(place, "debug", "gateway", "lanyard")?;
    image::ensure(place, &lanyard, &surroundings, rebuild)
}
