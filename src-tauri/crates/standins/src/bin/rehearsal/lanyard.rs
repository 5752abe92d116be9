//! The real program, as a child.

use crate::{screen::Screen, stage::Stage};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{Instant, sleep, timeout},
};

/// The first start builds nothing (set-up did), but starts a sandbox and an agent.
const READY: Duration = Duration::from_secs(180);
/// The tunnel opens in a second; proving that it does takes two requests more.
const TUNNEL: Duration = Duration::from_secs(30);
/// For the stop: more than the program gives itself.
const STOP: Duration = Duration::from_secs(40);

pub struct Lanyard {
    program: PathBuf,
    home: PathBuf,
    log: PathBuf,
    child: Child,
    /// It is the desktop app: its owner may end it at its tray.
    is_app: bool,
}

impl Lanyard {
    pub async fn start(program: &Path, app: Option<&Path>, relay: &Path, stage: &Stage) -> Result<Self> {
        let log = stage.home.join("lanyard.log");
        let child = Command::new(app.unwrap_or(program))
            .args(app.is_none().then_some("serve"))
            .env("LANYARD_HOME", &stage.home)
            .env("LANYARD_RELAY", relay)
            .envs(stage.secrets())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            // Ctrl-C in the terminal is for us; we stop it in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} could not be started", program.display()))?;
        Ok(Self { program: program.to_owned(), home: stage.home.clone(), log, child, is_app: app.is_some() })
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Errs when the program ends by itself; the app may.
    pub async fn ended(&self) -> Result<()> {
        let status = self.child_ended().await?;
        if self.is_app {
            return Ok(());
        }
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(10).collect();
        bail!("lanyard serve ended ({status}):\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    async fn child_ended(&self) -> Result<String> {
        let pid = self.child.id().context("it has ended before")?;
        loop {
            if !Path::new(&format!("/proc/{pid}/stat")).exists() || is_zombie(pid) {
                return Ok(format!("process {pid}"));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("LANYARD_HOME", &self.home).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// What `lanyard status` says; none while it does not answer.
    async fn status(&self) -> Option<Value> {
        let output = self.command(&["status", "--json"]).output().await.ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }

    pub async fn wait_until_ready(&self, screen: &Screen) -> Result<()> {
        let until = Instant::now() + READY;
        loop {
            if let Some(status) = self.status().await {
                match status["sandbox"]["state"].as_str() {
                    Some("ready") => return Ok(()),
                    Some("trouble") => bail!("{}", status["sandbox"]["message"].as_str().unwrap_or_default()),
                    _ => screen.preparing(status["sandbox"]["step"].as_str().unwrap_or("the sandbox starts")),
                }
            }
            if Instant::now() > until {
                bail!("the sandbox was not ready in time; see {}", self.log.display());
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Waits until texts come through the tunnel; gives its address.
    pub async fn wait_for_tunnel(&self) -> Result<String> {
        let until = Instant::now() + TUNNEL;
        loop {
            let said = self.command(&["tunnel", "--json"]).output().await?;
            let shown: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
            let (tunnel, number) = (&shown["status"], &shown["number"]);
            match (tunnel["state"].as_str(), number["state"].as_str()) {
                (Some("open"), Some("proved")) => return Ok(tunnel["url"].as_str().unwrap_or_default().to_owned()),
                (Some("refused"), _) => bail!("{}", tunnel["why"]["message"].as_str().unwrap_or_default()),
                (_, Some("failed")) => bail!("{}", number["why"]["message"].as_str().unwrap_or_default()),
                _ if Instant::now() > until => bail!("the tunnel did not open in time; see {}", self.log.display()),
                _ => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Runs `lanyard pair`, which shows the code and waits for a phone (or does not): each line as it comes.
    pub fn pair(&self, wait: bool) -> Result<Lines<BufReader<ChildStdout>>> {
        let arguments: &[&str] = if wait { &["pair"] } else { &["pair", "--no-wait"] };
        let mut child =
            self.command(arguments).kill_on_drop(false).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let out = child.stdout.take().context("it has an output")?;
        // It ends by itself: when a phone came, after two minutes, or with Lanyard.
        tokio::spawn(async move { child.wait().await });
        Ok(BufReader::new(out).lines())
    }

    /// Shows what the agent does, as long as the program runs.
    pub fn watch(&self, screen: Screen) -> impl Future<Output = ()> + use<> {
        let mut command = self.command(&["logs", "--follow", "--json"]);
        async move {
            let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else { return };
            let Some(out) = child.stdout.take() else { return };
            let mut lines = BufReader::new(out).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Ok(entry) = serde_json::from_str(&line) {
                    screen.event(&entry);
                }
            }
        }
    }

    /// Removes its sandbox and ends it in order.
    pub async fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let removed = self.command(&["remove", "--yes"]).output().await?;
        if !removed.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&removed.stderr).trim());
        }
        let _asked = self.command(&["stop"]).output().await?;
        match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(_) => bail!("lanyard serve did not end well; see {}", self.log.display()),
            Err(_) => bail!("lanyard serve did not end within {} s", STOP.as_secs()),
        }
    }
}

fn is_zombie(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}
