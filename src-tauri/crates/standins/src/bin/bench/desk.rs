//! A Lanyard of its own for a row: the real program in a folder of its own between stand-ins, and its orderly end.

use crate::{door::Door, engine};
use anyhow::{Context, Result, bail, ensure};
use standins::{
    anthropic::{Anthropic, KEY, Script, Step},
    twilio::{ACCOUNT, NUMBER, TOKEN, Twilio},
};
use std::{
    borrow::Cow,
    fs::{self, File},
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// As Twilio knows the desk; no such host exists.
pub const PUBLIC_URL: &str = "https://desk.example";
pub const OWNER: &str = "+15551230001";
/// What the agent says to everything; the stand-in has it ready at once.
const ANSWER: &str = "These are the words that the agent says.";
/// For anything that starts a sandbox.
const READY: Duration = Duration::from_secs(120);
/// More than the program gives itself to stop.
const STOP: Duration = Duration::from_secs(40);

pub struct Desk {
    folder: tempfile::TempDir,
    pub anthropic: Anthropic,
    pub twilio: Twilio,
    child: Child,
    /// When the program was started.
    pub started: Instant,
}

/// How a desk differs from the usual.
pub struct Wish {
    /// A real sandbox; without it the engine's socket leads nowhere.
    pub sandbox: bool,
    /// A port of 127.0.0.1 known before the start; 0 takes a free one.
    pub port: u16,
    /// A folder with a database to start with.
    pub store: Option<PathBuf>,
    /// More tables of the config.
    pub config: Cow<'static, str>,
    /// The certificate authorities that the program trusts, in place of the system's.
    pub ca: Option<PathBuf>,
}

impl Wish {
    pub const SANDBOX: Self = Self { sandbox: true, port: 0, store: None, config: Cow::Borrowed(""), ca: None };
    pub const PLAIN: Self = Self { sandbox: false, port: 0, store: None, config: Cow::Borrowed(""), ca: None };
}

/// Starts a desk, measures at it, and ends it in order whatever came of that.
pub async fn at_a_desk<T>(wish: Wish, measure: impl AsyncFnOnce(&Desk) -> Result<T>) -> Result<T> {
    let mut desk = Desk::start(&wish).await?;
    let measured = tokio::select! {
        measured = measure(&desk) => measured,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped")),
    };
    let measured = measured.with_context(|| desk.tail());
    let stopped = desk.stop(wish.sandbox).await;
    measured.and_then(|measured| stopped.map(|()| measured))
}

impl Desk {
    async fn start(wish: &Wish) -> Result<Self> {
        // Short: a socket's path has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("lyb").tempdir_in("/tmp")?;
        let anthropic = Anthropic::start([Script::always().step(Step::text(ANSWER))]).await?;
        let twilio = Twilio::start().await?;
        fs::write(folder.path().join("config.toml"), config(wish, &anthropic, &twilio))?;
        if let Some(store) = &wish.store {
            fs::create_dir(folder.path().join("data"))?;
            fs::copy(store.join("lanyard.db"), folder.path().join("data/lanyard.db"))?;
        }
        let program = std::env::var_os("LANYARD_PROGRAM").context("LANYARD_PROGRAM is not set")?;
        let mut command = Command::new(program);
        command.arg("serve").env("LANYARD_HOME", folder.path());
        command.env("LANYARD_ANTHROPIC_KEY", KEY).env("LANYARD_TWILIO_KEY", TOKEN);
        command.envs(wish.ca.iter().map(|ca| ("SSL_CERT_FILE", ca)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(folder.path().join("log"))?);
        // Ctrl-C in the terminal is for us; we stop it in order.
        command.process_group(0).kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().context("LANYARD_PROGRAM could not be started")?;
        Ok(Self { folder, anthropic, twilio, child, started })
    }

    /// A new connection to the local door, as soon as it opens.
    pub async fn door(&self) -> Result<Door> {
        let socket = self.folder.path().join("run/local.sock");
        loop {
            match Door::connect(&socket).await {
                Ok(door) => return Ok(door),
                Err(error) if self.started.elapsed() > READY => return Err(error),
                Err(_) => sleep(Duration::from_millis(1)).await,
            }
        }
    }

    /// Waits until the sandbox is up.
    pub async fn ready(&self) -> Result<()> {
        let mut door = self.door().await?;
        loop {
            let status = door.get("/status").await?;
            match status["sandbox"]["state"].as_str() {
                Some("ready") => return Ok(()),
                Some("trouble") => bail!("the sandbox: {}", status["sandbox"]["message"]),
                _ => ensure!(self.started.elapsed() < READY, "the sandbox was not ready: {status}"),
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Of the public door.
    pub async fn address(&self) -> Result<SocketAddr> {
        let status = self.door().await?.get("/status").await?;
        Ok(status["address"].as_str().context("no address")?.parse()?)
    }

    /// The name of one of its containers.
    pub async fn container(&self) -> Result<String> {
        self.containers().await?.pop().context("the desk has no container")
    }

    /// The names of its containers that run; each carries a hash of the data folder.
    pub async fn containers(&self) -> Result<Vec<String>> {
        let named = engine::docker(&["ps", "--filter", &self.label(), "--format", "{{.Names}}"]).await?;
        Ok(named.lines().map(str::to_owned).collect())
    }

    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the program has ended")
    }

    fn tail(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(5).collect();
        format!("the program's log ends with:\n{}\n", tail.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    async fn stop(&mut self, sandbox: bool) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "the program ended by itself: {}", self.tail());
        let mut door = self.door().await?;
        if sandbox {
            door.post("/sandbox/remove", &serde_json::json!({})).await.context("its sandbox stays behind")?;
        }
        door.post("/stop", &serde_json::json!({})).await?;
        drop(door);
        let status = timeout(STOP, self.child.wait()).await.context("the program did not stop")??;
        ensure!(status.success(), "the program ended with {status}");
        if sandbox { self.remove_what_is_kept_ready().await } else { Ok(()) }
    }

    /// A sandbox for the next task outlives the program, for its next start.
    async fn remove_what_is_kept_ready(&self) -> Result<()> {
        let label = self.label();
        for (list, remove) in [(&["ps", "-aq"][..], &["rm", "-f"][..]), (&["volume", "ls", "-q"], &["volume", "rm"])] {
            let left = engine::docker(&[list, &["--filter", &label]].concat()).await?;
            for one in left.lines() {
                engine::docker(&[remove, &[one]].concat()).await?;
            }
        }
        Ok(())
    }

    fn label(&self) -> String {
        format!("label=dev.lanyard.instance={}", standins::engine::instance(&self.folder.path().join("data")))
    }
}

fn config(wish: &Wish, anthropic: &Anthropic, twilio: &Twilio) -> String {
    let engine = if wish.sandbox { "" } else { "[sandbox]\nengine = \"/nowhere/docker.sock\"\n" };
    format!(
        "[server]\nlisten = \"127.0.0.1:{}\"\npublic_url = \"{PUBLIC_URL}\"\n\
         [agent]\nwaiting = 100000\n[anthropic]\nbase_url = \"{}\"\n\
         [api]\nper_minute = 10000000\naddress_per_minute = 10000000\n\
         [spend]\nturn = 1e6\nsession = 1e6\nday = 1e6\n\
         [twilio]\naccount_sid = \"{ACCOUNT}\"\nfrom = \"{NUMBER}\"\nallow = [\"{OWNER}\"]\nbase_url = \"{}\"\n{engine}{}",
        wish.port,
        anthropic.url(),
        twilio.url(),
        wish.config,
    )
}
