//! `cargo xtask bench`: runs the rows that Lanyard is measured by and shows them as one table, as JSON and as a plot.

mod plot;
mod rows;

use crate::place::Place;
use crate::setup::{self, Consent, Wants};
use crate::{image, process, programs, show, ui};
use anyhow::{Context, Result, bail};
use rows::{Measured, ROWS, Row};
use std::path::Path;
use std::process::{Command, Stdio};

/// Prints the rows there are.
pub fn list() {
    let head = ["row", "what", "against", "goal"].map(str::to_owned).to_vec();
    let rows = ROWS.iter().map(|row| [row.id, row.what, row.against, row.goal].map(str::to_owned).to_vec());
    println!("{}", show::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
}

/// Runs the named rows, or all of them. A row that misses its goal is a finding, not a failure; one that does not run is.
pub fn bench(place: &Place, named: &[String], consent: Consent) -> Result<()> {
    let rows = rows::choose(named)?;
    let ready = setup::prepare(
        place,
        Wants { ui: true, sandboxes: true, tests: false, display: false, benches: true, fuzzing: false },
        consent,
    )?;
    let node = ready.node.as_ref().context("set-up gave no Node.js")?;
    ui::build(place, node)?;
    let surroundings = programs::relay(place)?;
    let lanyard = programs::program(place, "release", "gateway", "lanyard")?;
    let bench = programs::program(place, "release", "standins", "bench")?;
    image::ensure(place, &lanyard, &surroundings, false)?;
    let mut measured = Vec::new();
    let mut broken = Vec::new();
    for row in rows {
        eprintln!("\n━━ {}: {}", row.id, row.what);
        let mut command = Command::new(&bench);
        command.arg(row.id).env("LANYARD_PROGRAM", &lanyard);
        node.on_path(surroundings.give(&mut command));
        match measure(&mut command, row) {
            Ok(figures) => measured.push(figures),
            Err(error) => {
                process::stopping()?;
                eprintln!("{error:#}");
                broken.push(row.id);
            }
        }
    }
    println!("\n{}", table(&measured));
    write(&place.bench(), &measured)?;
    if !broken.is_empty() {
        bail!("These rows could not be measured: {}", broken.join(", "));
    }
    Ok(())
}

/// A row's program writes what it likes to standard error, and its figures as the last line of standard output.
fn measure(command: &mut Command, row: &Row) -> Result<Measured> {
    let said = process::said(command.stderr(Stdio::inherit()))?;
    rows::read(&said, row)
}

fn table(measured: &[Measured]) -> String {
    let head = ["what", "Lanyard", "the other", "ratio", "goal", "verdict"].map(str::to_owned).to_vec();
    show::table(&std::iter::once(head).chain(measured.iter().map(Measured::cells)).collect::<Vec<_>>())
}

fn write(folder: &Path, measured: &[Measured]) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let json = folder.join("latest.json");
    std::fs::write(&json, serde_json::to_string_pretty(measured)? + "\n")?;
    std::fs::write(folder.join("latest.svg"), plot::svg(measured))?;
    println!("\nWritten to {} and latest.svg beside it.", json.display());
    Ok(())
}
