//! Packages through apt, in one call.

use crate::process::{self, found};
use crate::show::Step;
use crate::{place::Place, setup::Consent};
use anyhow::{Result, bail};
use std::process::Command;
use std::time::Duration;

/// Installs `packages` after the owner agreed to exactly this list.
pub fn install(packages: &[String], consent: Consent, place: &Place) -> Result<()> {
    let list = packages.join(" ");
    consent.ask(
        &format!("These packages are missing and would be installed with apt-get:\n\n    {list}\n\nInstall them?"),
        || format!("Nothing was installed. Install them yourself (sudo apt-get install {list}) and start again."),
    )?;
    let step = Step::begin("System packages");
    let mut update = apt_get(consent)?;
    process::quiet(update.args(["-q", "update"]), &step, &place.log("apt update")?)?;
    let mut install = apt_get(consent)?;
    install.args(["-q", "-y", "--no-install-recommends", "install"]).args(packages);
    process::quiet(&mut install, &step, &place.log("apt install")?)?;
    step.done(&list);
    Ok(())
}

/// Does this system's archive have such a package at all?
pub fn offers(package: &str) -> bool {
    let policy = process::answer(
        Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C"),
        Duration::from_secs(10),
    );
    policy
        .is_some_and(|text| text.lines().any(|line| line.trim().starts_with("Candidate:") && !line.contains("(none)")))
}

/// Another apt job may be at work: two at once break each other, so this one waits its turn.
fn apt_get(consent: Consent) -> Result<Command> {
    let mut apt = match (super::is_root(), found("sudo")) {
        (true, _) => Command::new("apt-get"),
        (false, true) => {
            let mut sudo = Command::new("sudo");
            if consent.is_unattended() {
                sudo.arg("-n");
            }
            sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            sudo
        }
        (false, false) => bail!("Installing packages needs root, and there is no sudo here. Run this as root once."),
    };
    apt.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]).env("DEBIAN_FRONTEND", "noninteractive");
    Ok(apt)
}
