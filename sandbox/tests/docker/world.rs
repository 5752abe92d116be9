//! A world of its own for each test: an instance of sandboxes, and a door that does what its callers ask.

use domain::SandboxId;
use sandbox::{Carrier, Command, Incoming, Output, SandboxSpec, Sandboxes, Settings, Size, Volumes, Workspace};
use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    sync::{OnceCell, mpsc},
};
use uuid::Uuid;

pub const BASE: &str = "lanyard-base:bookworm";

pub struct World {
    pub sandboxes: Sandboxes,
    pub settings: Settings,
    _run_dir: TempDir,
}

impl Deref for World {
    type Target = Sandboxes;
    fn deref(&self) -> &Sandboxes {
        &self.sandboxes
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Carrier::Auto).await
    }

    pub async fn with(carrier: Carrier) -> Self {
        let run_dir = tempfile::Builder::new().prefix("lyd").tempdir().unwrap();
        let settings = settings(run_dir.path(), carrier);
        let sandboxes = connect(settings.clone()).await;
        image_once(&sandboxes).await;
        Self { sandboxes, settings, _run_dir: run_dir }
    }

    /// A sandbox that is up.
    pub async fn up(&self) -> SandboxSpec {
        let spec = spec();
        self.ensure(&spec).await.unwrap();
        spec
    }

    /// What a shell command in the sandbox prints, without its last line end.
    pub async fn sh(&self, id: SandboxId, script: &str) -> String {
        let output = self.run(id, script).await;
        assert_eq!(output.status, 0, "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub async fn run(&self, id: SandboxId, script: &str) -> Output {
        self.exec(id, Command::new(["bash", "-c", script])).await.unwrap()
    }

    /// The container's name, for the docker command line: the other hand that meddles.
    pub fn container(&self, spec: &SandboxSpec) -> String {
        format!("lanyard-{}-{}", self.settings.instance, spec.id.0.simple())
    }

    /// As the program does when it is started again: this handle ends, another one to the same instance takes over.
    pub async fn next_run(&self) -> Sandboxes {
        self.sandboxes.clone().close().await;
        connect(self.settings.clone()).await
    }
}

/// Leaves nothing behind, also when the test failed.
impl Drop for World {
    fn drop(&mut self) {
        let mut settings = self.settings.clone();
        // Another folder, for the sockets of the world that ends are still there.
        let run_dir = tempfile::tempdir().unwrap();
        settings.run_dir = run_dir.path().to_owned();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(remove_all(settings));
        };
        let _ = std::thread::spawn(work).join();
    }
}

async fn remove_all(settings: Settings) {
    let (sandboxes, _incoming) = Sandboxes::connect(settings).await.unwrap();
    let report = sandboxes.sweep(&[]).await.unwrap();
    for volume in &report.orphaned_volumes {
        let id = volume.rsplit('-').nth(1).unwrap().parse().unwrap();
        sandboxes.remove(id, Volumes::Delete).await.unwrap();
    }
}

pub fn spec() -> SandboxSpec {
    SandboxSpec { id: SandboxId::new(), size: Size::Small, workspace: Workspace::Volume, base: None }
}

pub fn settings(run_dir: &Path, carrier: Carrier) -> Settings {
    let instance = format!("test-{}", &Uuid::new_v4().simple().to_string()[..12]);
    Settings {
        engine: None,
        base: BASE.to_owned(),
        relay_binary: relay_binary().to_owned(),
        cache_dir: cache_dir(),
        run_dir: run_dir.to_owned(),
        agent_uid: 1000,
        carrier,
        instance,
    }
}

pub async fn connect(settings: Settings) -> Sandboxes {
    let connected = Sandboxes::connect(settings).await;
    let (sandboxes, incoming) = connected.expect("these tests need a Docker engine: run them with `cargo xtask test`");
    tokio::spawn(serve_door(incoming));
    sandboxes
}

async fn image_once(sandboxes: &Sandboxes) {
    static READY: OnceCell<()> = OnceCell::const_new();
    let build = || async {
        let needed = "these tests need the image lanyard-base:bookworm: run them with `cargo xtask test`";
        sandboxes.ensure_image(&|step| eprintln!("{step:?}")).await.expect(needed);
    };
    READY.get_or_init(build).await;
}

fn cache_dir() -> PathBuf {
    target_dir().join("lanyard-npm")
}

/// `target/debug/deps/docker-…` is this program.
fn target_dir() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

/// The static relay, built once by the cargo that runs these tests, or named by `LANYARD_RELAY`.
pub fn relay_binary() -> &'static Path {
    static RELAY: OnceLock<PathBuf> = OnceLock::new();
    RELAY.get_or_init(|| std::env::var_os("LANYARD_RELAY").map_or_else(build_relay, PathBuf::from))
}

fn build_relay() -> PathBuf {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "relay", "--release", "--target", &triple]);
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static").env("CARGO_TARGET_DIR", target_dir());
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(cargo.status().unwrap().success(), "the relay does not build");
    target_dir().join(triple).join("release/lanyard-relay")
}

/// Waits for a state, at most 20 seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let last = std::time::Instant::now() + Duration::from_secs(20);
    while !check().await {
        assert!(std::time::Instant::now() < last, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs the docker command line.
pub fn docker(arguments: &[&str]) -> String {
    let output = std::process::Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Bytes whose place can be told from their value.
pub fn pattern(len: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..251).collect();
    block.repeat(len / block.len() + 1)[..len].to_vec()
}

async fn serve_door(mut incoming: mpsc::Receiver<Incoming>) {
    while let Some(connection) = incoming.recv().await {
        tokio::spawn(serve(connection));
    }
}

/// The first line says what the caller wants: `echo`, `count`, `give N`, `cut N` or `who`.
async fn serve(connection: Incoming) -> std::io::Result<()> {
    let (read, mut write) = tokio::io::split(connection.stream);
    let mut read = BufReader::new(read);
    let mut line = String::new();
    read.read_line(&mut line).await?;
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["echo"] => {
            tokio::io::copy_buf(&mut read, &mut write).await?;
        }
        ["count"] => {
            let mut sink = Vec::new();
            let n = read.read_to_end(&mut sink).await?;
            write.write_all(format!("{n}\n").as_bytes()).await?;
        }
        ["give", n] => write.write_all(&pattern(n.parse().unwrap())).await?,
        ["cut", n] => {
            write.write_all(&pattern(n.parse().unwrap())).await?;
            return write.flush().await;
        }
        ["who"] => write.write_all(connection.sandbox.to_string().as_bytes()).await?,
        _ => write.write_all(b"what?").await?,
    }
    write.shutdown().await
}
