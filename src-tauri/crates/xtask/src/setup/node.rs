//! Node.js with npm: the machine's own, or a newer one in the cache.

use crate::place::Place;
use crate::process;
use crate::show::Step;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What Vite 8 asks for.
const OLDEST: (u32, u32) = (20, 19);
/// What is fetched where the machine's own Node is older: npm's package `node` is the program itself.
const NEWER: &str = "node@22";
/// Ends the support of every Node that [`OLDEST`] refuses, and starts on all that Debian and Ubuntu ship.
const NPM: &str = "npm@10";

/// Where `node` and `npm` are.
#[derive(Clone, Debug)]
pub struct Node {
    /// Put before everything else on PATH. Empty for the machine's own.
    folder: Option<PathBuf>,
    cache: PathBuf,
}

impl Node {
    /// The machine's own or the one fetched earlier, if either is new enough.
    pub fn look(place: &Place) -> Option<Node> {
        let cache = place.cache.join("npm");
        let own = Node { folder: None, cache: cache.clone() };
        let fetched = Node { folder: Some(folder(place).join("node_modules/.bin")), cache };
        [own, fetched].into_iter().find(Node::is_new_enough)
    }

    /// Fetches a newer Node with the npm that is there.
    pub fn fetch(place: &Place) -> Result<Node> {
        if !process::found("npm") {
            bail!("Node.js is too old and there is no npm to fetch a newer one with: install npm and start again.");
        }
        let step = Step::begin("A newer Node.js");
        let folder = folder(place);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
        let mut npm = npm(None);
        // The package puts its program in place with an install script; newer npm runs none without being told.
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts=false", NEWER, NPM]);
        npm.env("npm_config_cache", place.cache.join("npm")).current_dir(&folder);
        process::quiet(&mut npm, &step, &place.log("node")?)?;
        let node = Node::look(place).context("the Node.js just fetched does not start")?;
        step.done(&node.version().unwrap_or_default());
        Ok(node)
    }

    pub fn version(&self) -> Option<String> {
        process::answer(self.on_path(&mut Command::new(self.program("node"))).arg("--version"), Duration::from_secs(20))
    }

    /// npm with its cache in Lanyard's.
    pub fn npm(&self) -> Command {
        let mut npm = npm(self.folder.as_ref());
        self.on_path(&mut npm).env("npm_config_cache", &self.cache);
        npm
    }

    /// Puts this Node first on the PATH of `command`.
    pub fn on_path<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match &self.folder {
            None => command,
            Some(folder) => {
                let mut path = OsString::from(folder);
                if let Some(rest) = std::env::var_os("PATH") {
                    path.push(if cfg!(windows) { ";" } else { ":" });
                    path.push(rest);
                }
                command.env("PATH", path)
            }
        }
    }

    fn is_new_enough(&self) -> bool {
        let npm = process::answer(self.npm().arg("--version"), Duration::from_secs(20));
        npm.is_some() && self.version().as_deref().and_then(parse).is_some_and(|version| version >= OLDEST)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.as_ref().map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
    }
}

fn folder(place: &Place) -> PathBuf {
    place.cache.join("node")
}

fn npm(folder: Option<&PathBuf>) -> Command {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    Command::new(folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
}

/// `v20.20.2` -> (20, 20).
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_number() {
        assert_eq!(parse("v20.20.2\n"), Some((20, 20)));
        assert!(parse("v20.9.0") < Some(OLDEST) && parse("v18.20.4") < Some(OLDEST));
        assert!(parse("v22.4.1") > Some(OLDEST));
        assert_eq!(parse("command not found"), None);
        assert_eq!(parse("v22"), None);
    }
}
