//! The other server: Express, the `twilio` middleware, SQLite as Node has it built in.

use crate::desk::PUBLIC_URL;
use anyhow::{Context, Result};
use standins::{oracle, twilio::TOKEN};
use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{Command as Blocking, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

const SERVER: &str = include_str!("../../peers/express.cjs");
const PACKAGES: [&str; 2] = ["express@5.1.0", "twilio@6.2.0"];
/// The first line of Node that has SQLite without a flag.
const NODE: &str = "22.23.3";

/// A running server; it ends when dropped.
pub struct Peer {
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
    _child: Child,
}

impl Peer {
    pub async fn start() -> Result<Self> {
        let (node, packages) =
            tokio::task::spawn_blocking(|| anyhow::Ok((node()?, oracle::node(&PACKAGES)?))).await??;
        // Where our own database lies, so that both meet the same disk.
        let folder = tempfile::Builder::new().prefix("lyb").tempdir_in("/tmp")?;
        let script = folder.path().join("express.cjs");
        std::fs::write(&script, SERVER)?;
        let mut command = Command::new(node);
        command.arg("--disable-warning=ExperimentalWarning").arg(script).arg(folder.path().join("peer.db"));
        command.env("NODE_PATH", packages.join("node_modules")).env("NODE_ENV", "production");
        command.env("TWILIO_TOKEN", TOKEN).env("PUBLIC_URL", format!("{PUBLIC_URL}/sms"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let port: u16 = lines.next_line().await?.context("the peer did not start")?.parse()?;
        Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], port)), _folder: folder, _child: child })
    }
}

/// The machine's Node, or one from npm where that is too old to have SQLite.
fn node() -> Result<PathBuf> {
    let probe = Blocking::new("node").args(["-e", "require('node:sqlite')"]).stderr(Stdio::null()).status();
    if probe.is_ok_and(|status| status.success()) {
        return Ok("node".into());
    }
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let name = format!("node-{system}-{processor}");
    Ok(oracle::node(&[&format!("{name}@{NODE}")])?.join("node_modules").join(name).join("bin/node"))
}
