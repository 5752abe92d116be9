//! `cargo xtask run`: from a fresh clone to a Lanyard that works.

use crate::place::Place;
use crate::setup::{self, Consent, Wants};
use crate::{image, process, programs, ui};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sets up, builds, and starts Lanyard: its own configuration where accounts are in it, the rehearsal where there are none.
/// The exit code is that of what was started.
pub fn run(place: &Place, once: bool, consent: Consent) -> Result<i32> {
    let display = !once && has_display();
    let ready = setup::prepare(
        place,
        Wants { ui: true, sandboxes: true, display, tests: false, benches: false, fuzzing: false },
        consent,
    )?;
    ui::build(place, ready.node.as_ref().context("set-up gave no Node.js")?)?;
    let surroundings = programs::relay(place)?;
    let lanyard = programs::program(place, "debug", "gateway", "lanyard")?;
    image::ensure(place, &lanyard, &surroundings, false)?;
    let app = display.then(|| programs::program(place, "debug", "lanyard-desktop", "lanyard-desktop")).transpose()?;
    let configured = config_file().is_some_and(|file| has_accounts(&std::fs::read_to_string(file).unwrap_or_default()));
    if configured && !once {
        let mut start = Command::new(app.as_ref().unwrap_or(&lanyard));
        return process::code(surroundings.give(start.args(app.is_none().then_some("serve"))));
    }
    let rehearsal = programs::program(place, "debug", "standins", "rehearsal")?;
    process::code(surroundings.give(&mut rehearse(&rehearsal, &lanyard, app.as_deref(), &surroundings.relay, once)))
}

/// Where there is one, the desktop app is what runs.
fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn rehearse(rehearsal: &Path, lanyard: &Path, app: Option<&Path>, relay: &Path, once: bool) -> Command {
    let mut command = Command::new(rehearsal);
    command.arg("--lanyard").arg(lanyard).arg("--relay").arg(relay);
    if let Some(app) = app {
        command.arg("--app").arg(app);
    }
    if once {
        command.arg("--once");
    }
    command
}

/// Where Lanyard looks for it.
fn config_file() -> Option<PathBuf> {
    match std::env::var_os("LANYARD_HOME") {
        Some(home) => Some(PathBuf::from(home).join("config.toml")),
        None => Some(directories::ProjectDirs::from("dev", "lanyard", "lanyard")?.config_dir().join("config.toml")),
    }
}

/// The account it takes to text at all is the sign.
fn has_accounts(config: &str) -> bool {
    let named =
        config.lines().filter_map(|line| line.trim().strip_prefix("account_sid")?.trim_start().strip_prefix('='));
    named
        .map(|value| value.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']))
        .any(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_without_an_account_means_a_rehearsal() {
        assert!(has_accounts("[twilio]\naccount_sid = \"AC0\" # mine\n"));
        assert!(!has_accounts("[twilio]\n# account_sid = \"AC0\"\naccount_sid = \"\" # none yet\n"));
        assert!(!has_accounts(""));
    }

    #[test]
    fn the_rehearsal_is_told_where_everything_is() {
        let command = rehearse(Path::new("r"), Path::new("l"), None, Path::new("y"), true);
        assert_eq!(process::shown(&command), "r --lanyard l --relay y --once");
        let command = rehearse(Path::new("r"), Path::new("l"), Some(Path::new("a")), Path::new("y"), false);
        assert_eq!(process::shown(&command), "r --lanyard l --relay y --app a");
    }
}
