//! A network of a test's own: what the tests of the local network need the system to allow.

use super::{Consent, is_root};
use crate::process::{self, found};
use anyhow::{Result, bail};
use std::process::Command;
use std::time::Duration;

/// Ubuntu from 23.10 on keeps this from users who are not root.
const SETTING: &str = "kernel.apparmor_restrict_unprivileged_userns=0";

/// Allows it until the next start of the computer, after the owner agreed.
pub fn allow(consent: Consent) -> Result<()> {
    if !cfg!(target_os = "linux") || is_root() || works() {
        return Ok(());
    }
    let advice = || format!("The tests of the local network need network namespaces: sudo sysctl -w {SETTING}");
    if !found("sudo") {
        bail!(advice());
    }
    consent.ask(
        &format!("Users may make no networks of their own here. Until the next start this would allow it:\n\n    sudo sysctl -w {SETTING}\n\nRun it?"),
        advice,
    )?;
    let mut sudo = Command::new("sudo");
    if consent.is_unattended() {
        sudo.arg("-n");
    }
    process::loud(sudo.args(["sysctl", "-w", SETTING]))?;
    if works() { Ok(()) } else { bail!("This system allows its users no network namespaces; run the tests as root.") }
}

fn works() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "--map-root-user", "true"]);
    process::answer(&mut unshare, Duration::from_secs(20)).is_some()
}
