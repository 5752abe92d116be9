//! The page: its packages, its checks, and the built files that go into the program.

use crate::place::Place;
use crate::process;
use crate::setup::node::Node;
use crate::show::Step;
use crate::stamps::{Inputs, Stamp};
use anyhow::Result;
use std::process::Command;

/// What the built page is made from, within `ui/`.
const SOURCES: [&str; 8] = [
    "src",
    "public",
    "phone.html",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
];

/// Packages, then the page, each only when what it is made from has changed.
pub fn build(place: &Place, node: &Node) -> Result<()> {
    packages(place, node)?;
    let ui = place.ui();
    let inputs = SOURCES.iter().try_fold(Inputs::default(), |inputs, path| inputs.path(&ui, path))?;
    let fingerprint = inputs.path(&ui, "tsconfig.json")?.fingerprint();
    let stamp = Stamp::at(ui.join("node_modules/.lanyard-page"));
    let step = Step::begin("Page");
    if stamp.is(&fingerprint) && ui.join("dist/phone.html").is_file() {
        step.done("unchanged");
        return Ok(());
    }
    process::quiet(&mut script(place, node, "build"), &step, &place.log("Page")?)?;
    stamp.set(&fingerprint)?;
    step.done("ui/dist");
    Ok(())
}

/// `npm ci`, unless the lock is the one that was installed.
pub fn packages(place: &Place, node: &Node) -> Result<()> {
    let ui = place.ui();
    let inputs = Inputs::default().path(&ui, "package.json")?.path(&ui, "package-lock.json")?;
    let fingerprint = inputs.word(&node.version().unwrap_or_default()).fingerprint();
    let stamp = Stamp::at(ui.join("node_modules/.lanyard-packages"));
    let step = Step::begin("Page's packages");
    if stamp.is(&fingerprint) {
        step.done("unchanged");
        return Ok(());
    }
    let mut npm = node.npm();
    npm.args(["ci", "--no-audit", "--no-fund", "--prefer-offline"]).current_dir(&ui);
    process::quiet(&mut npm, &step, &place.log("Page's packages")?)?;
    stamp.set(&fingerprint)?;
    step.done("ui/node_modules");
    Ok(())
}

/// A script of `ui/package.json`.
pub fn script(place: &Place, node: &Node, name: &str) -> Command {
    let mut npm = node.npm();
    npm.args(["run", "--silent", name]).current_dir(place.ui());
    npm
}
