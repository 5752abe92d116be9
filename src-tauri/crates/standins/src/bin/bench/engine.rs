//! The engine's own command line: for the other side of a row, and to look into a container.

use anyhow::{Result, ensure};
use std::process::Stdio;
use tokio::process::Command;

/// Runs `docker` with these arguments to its end and gives what it printed.
pub async fn docker(arguments: &[&str]) -> Result<String> {
    let output = Command::new("docker").args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "docker {}: {}", arguments.join(" "), error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
