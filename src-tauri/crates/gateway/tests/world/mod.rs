//! A world of its own for each test: a folder, stand-ins on free ports, and a real gateway between them.
#![allow(dead_code, reason = "each test file uses a part")]

use gateway::{
    App, Ended, Gateway,
    config::{self, Paths, Resolved},
};
use standins::{
    anthropic::{Anthropic, Script},
    twilio::{ACCOUNT, Arrived, NUMBER, Phone, TOKEN, Twilio},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::task::JoinHandle;

pub const PUBLIC_URL: &str = "https://desk.example";
pub const OWNER: &str = "+15551230001";
/// The owner's other phone, which may text as well.
pub const OTHER: &str = "+15551230002";
/// What must never be found anywhere but at the stand-in.
pub const KEY: &str = "sk-ant-planted-5f1c2d7e9b";
/// For anything that needs no sandbox.
pub const SOON: Duration = Duration::from_secs(20);
/// For anything that starts one.
pub const LATER: Duration = Duration::from_secs(120);

/// Stand-ins and a folder; the gateway on it can be started more than once.
pub struct World {
    pub folder: tempfile::TempDir,
    pub twilio: Twilio,
    pub anthropic: Anthropic,
    pub phone: Phone,
    extra: String,
    sandbox: bool,
}

/// A test that failed, or that stops its gateway and keeps the sandbox, leaves none behind either.
impl Drop for World {
    fn drop(&mut self) {
        if self.sandbox {
            standins::engine::sweep(&self.home().join("data"));
        }
    }
}

/// A gateway that runs in this process.
pub struct Running {
    pub app: App,
    task: JoinHandle<Ended>,
}

/// How the world differs from the usual.
#[derive(Default)]
pub struct Wish<'a> {
    /// More config, as TOML tables that are not in the usual one.
    pub config: &'a str,
    pub scripts: Vec<Script>,
    /// A real sandbox; without it the engine's socket leads nowhere.
    pub sandbox: bool,
}

impl World {
    pub async fn new(wish: Wish<'_>) -> Self {
        let folder = tempfile::Builder::new().prefix("ly").tempdir_in("/tmp").unwrap();
        let anthropic = Anthropic::start(wish.scripts).await.unwrap();
        anthropic.accept_keys([KEY]);
        let twilio = Twilio::start().await.unwrap();
        twilio.set_webhook(NUMBER, &format!("{PUBLIC_URL}/sms"));
        let phone = twilio.phone(OWNER);
        let engine = if wish.sandbox { "" } else { "engine = \"/nowhere/docker.sock\"\n" };
        let extra = format!("[sandbox]\nsize = \"small\"\n{engine}{}", wish.config);
        let world = Self { folder, twilio, anthropic, phone, extra, sandbox: wish.sandbox };
        world.write_config();
        world
    }

    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    pub fn paths(&self) -> Paths {
        Paths { claude: self.home().join("claude"), ..Paths::find(Some(self.home())).unwrap() }
    }

    fn write_config(&self) {
        let secrets = self.home().join("secrets.toml");
        fs::write(&secrets, format!("anthropic = \"{KEY}\"\ntwilio = \"{TOKEN}\"\n")).unwrap();
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{PUBLIC_URL}\"\n\
             [secrets]\nfile = \"{}\"\n[anthropic]\nbase_url = \"{}\"\n\
             [twilio]\naccount_sid = \"{ACCOUNT}\"\nfrom = \"{NUMBER}\"\nallow = [\"{OWNER}\", \"{OTHER}\"]\nbase_url = \"{}\"\n{}",
            secrets.display(),
            self.anthropic.url(),
            self.twilio.url(),
            self.extra,
        );
        fs::write(self.home().join("config.toml"), config).unwrap();
    }

    /// From now on (at the next start) it sends as this: another number, or a messaging service.
    pub fn send_as(&self, from: &str) {
        let path = self.home().join("config.toml");
        let config = fs::read_to_string(&path).unwrap();
        fs::write(path, config.replace(&format!("from = \"{NUMBER}\""), &format!("from = \"{from}\""))).unwrap();
    }

    pub fn resolved(&self) -> Resolved {
        Resolved::new(config::read(&self.home().join("config.toml")).unwrap()).unwrap()
    }

    /// Starts a gateway in this process and leads Twilio to it.
    pub async fn start(&self) -> Running {
        self.start_with(self.resolved()).await
    }

    /// The same, with a config that no file can say.
    pub async fn start_with(&self, config: Resolved) -> Running {
        let gateway = Gateway::build(config, self.paths()).await.unwrap();
        let app = gateway.app.clone();
        self.twilio.route(PUBLIC_URL, app.public_addr);
        let task = tokio::spawn(async move { gateway.run().await.unwrap() });
        // Its doors open after what the last run left was taken up: what a test writes is not taken for that.
        until_the_doors_open(&app).await;
        Running { app, task }
    }

    /// The owner texts; Twilio's webhook must be taken.
    pub async fn text(&self, words: &str) {
        let called = self.phone.text(NUMBER, words).await.unwrap();
        assert_eq!(called.status, Some(200), "{called:?}");
    }

    /// The next text that arrives at the owner's phone.
    pub async fn arrives(&self, within: Duration) -> Arrived {
        self.phone.wait_for(|_| true, within).await.unwrap()
    }
}

impl Running {
    /// Stops it in order.
    pub async fn stop(self) {
        self.app.stop.cancel();
        self.ends().await;
    }

    /// Waits until it has stopped.
    pub async fn ends(self) -> Ended {
        tokio::time::timeout(Duration::from_secs(60), self.task).await.expect("it stops in time").unwrap()
    }

    /// Removes its sandbox too.
    pub async fn remove(self) {
        self.app.workshop.remove().await.unwrap();
        self.stop().await;
    }
}

/// Looks until it finds something.
pub async fn until<T>(within: Duration, look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(within, looking).await.expect("it is found in time")
}

/// A small picture.
pub fn png() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

/// It, to be kept: of no session and no turn.
pub fn picture(now: domain::Timestamp) -> (domain::ArtifactId, store::artifacts::Artifact) {
    let (id, media_type) = (domain::ArtifactId::new(), "image/png".into());
    let artifact = store::artifacts::Artifact {
        id,
        session: None,
        turn: None,
        media_type,
        caption: None,
        bytes: png(),
        created_at: now,
    };
    (id, artifact)
}

/// The static relay that set-up built.
pub fn relay() -> PathBuf {
    std::env::var_os("LANYARD_RELAY").map(PathBuf::from).expect("run the tests with: cargo xtask test")
}

/// A folder the agent may work in: its own where the tests run as root, else the tester's.
pub fn agents_folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("ly").tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if rustix::process::getuid().is_root() {
        std::os::unix::fs::chown(folder.path(), Some(1000), Some(1000)).unwrap();
    }
    folder
}

/// Through the local door, where no limit counts it.
async fn until_the_doors_open(app: &App) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::UnixStream::connect(app.paths.local_door()).await.unwrap();
    stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\r\n").await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

/// A request to the public door as a browser at our public address makes it; gives the whole answer.
pub async fn request(app: &App, head: &str, body: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(app.public_addr).await.unwrap();
    let head = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    let _refused_before_all_was_read = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

pub async fn get(app: &App, path: &str) -> String {
    request(app, &format!("GET {path} HTTP/1.1\r\nhost: desk.example"), b"").await
}

pub async fn post(app: &App, path: &str) -> String {
    request(app, &format!("POST {path} HTTP/1.1\r\nhost: desk.example"), b"").await
}

/// Everything that was ever written down, oldest first.
pub async fn events(running: &Running) -> Vec<domain::event::Event> {
    let stored = running.app.store.read(|r| store::events::after(r, 0, 10_000)).await.unwrap();
    stored.into_iter().map(|s| s.event).collect()
}

/// Memory of this process that is really there, in MB. A test runner that gives each test a process of its own makes it the
/// test's.
pub fn resident_mb() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() / 1024
}

/// Runs `docker`; gives all it printed.
pub fn docker(arguments: &[&str]) -> String {
    use std::os::unix::process::ExitStatusExt;
    let output = std::process::Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success() || output.status.signal().is_some(), "docker {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The name of the gateway's own container.
pub fn container(running: &Running) -> String {
    let id = running.app.workshop.sandbox().to_string().replace('-', "");
    docker(&["ps", "-a", "--format", "{{.Names}}"]).lines().find(|name| name.ends_with(&id)).unwrap().to_owned()
}

/// Every log line of this test, at trace level.
pub fn capture_logs() -> impl Fn() -> String {
    use std::sync::{Arc, Mutex};
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    subscriber.try_init().unwrap();
    move || String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned()
}
