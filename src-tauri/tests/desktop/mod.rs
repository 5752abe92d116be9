//! A desktop of its own for each test: a screen (Xvfb), a session bus that shows notices and tray icons, a home folder, and the
//! real app on it.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod tray;
pub mod window;

use domain::{
    SessionId, Timestamp, TurnId,
    event::{Channel, Event, When},
};
use standins::lock_screen::LockScreen;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use store::{
    Store, events,
    inbox::{self, Arrival},
    sessions, turns,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tray::Panel;

/// For anything that needs no sandbox, on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

pub struct Desktop {
    pub home: tempfile::TempDir,
    pub notices: LockScreen,
    pub display: String,
    screen: Child,
}

impl Desktop {
    pub async fn new() -> Self {
        let home = tempfile::Builder::new().prefix("ly").tempdir_in("/tmp").unwrap();
        fs::create_dir(home.path().join("run")).unwrap();
        fs::set_permissions(home.path().join("run"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let notices = LockScreen::start().await.unwrap();
        let (screen, display) = screen().await;
        let desktop = Self { home, notices, display, screen };
        desktop.write_config("[sandbox]\nengine = \"/nowhere/docker.sock\"\n");
        desktop
    }

    /// A panel that shows tray icons, from now on.
    pub async fn panel(&self) -> Panel {
        Panel::start(&self.notices.address()).await
    }

    pub fn write_config(&self, more: &str) {
        self.write_config_at("http://127.0.0.1:1", more);
    }

    /// With the model at `model`.
    pub fn write_config_at(&self, model: &str, more: &str) {
        let secrets = self.home.path().join("secrets.toml");
        fs::write(&secrets, "anthropic = \"sk-ant-none\"\n").unwrap();
        fs::set_permissions(&secrets, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[secrets]\nfile = \"{}\"\n[anthropic]\nbase_url = \"{model}\"\n{more}",
            secrets.display()
        );
        fs::write(self.config(), config).unwrap();
    }

    /// Beside the model's key. After the config is written.
    pub fn keep_secret(&self, account: &str, secret: &str) {
        let file = self.home.path().join("secrets.toml");
        let kept = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{kept}{account} = \"{secret}\"\n")).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.home.path().join("config.toml")
    }

    /// A turn that a crash cut off stands in the store: the next start asks whether it is to run again.
    pub async fn interrupted_turn(&self, words: &str) -> SessionId {
        let data = self.home.path().join("data");
        fs::create_dir_all(&data).unwrap();
        let store = Store::open(&data.join("lanyard.db")).unwrap();
        let (session, turn, now, words) = (SessionId::new(), TurnId::new(), Timestamp(1_000), words.to_owned());
        let written = store.write(move |tx| {
            sessions::create(tx, session, "claude", &words, Default::default(), now)?;
            let arrival = Arrival {
                channel: Channel::Cli,
                external: turn.to_string(),
                sender: None,
                receiver: None,
                text: words.clone(),
                media: Vec::new(),
            };
            let message = inbox::receive(tx, &arrival, now)?.message;
            inbox::route(tx, message, session, &words, &[], When::Queue)?;
            turns::begin(tx, turn, session, now)?;
            inbox::take(tx, message, turn)?;
            events::append(tx, session, &Event::TurnStarted { turn, messages: vec![message] }, now)?;
            Ok(())
        });
        written.await.unwrap();
        session
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let home = self.home.path();
        let log = fs::File::options().create(true).append(true).open(home.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard-desktop"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LANYARD_HOME", home).env("HOME", home).env("XDG_RUNTIME_DIR", home.join("run"));
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", self.notices.address());
        command.env("NO_AT_BRIDGE", "1").env("GDK_BACKEND", "x11").env("LANG", "C.UTF-8");
        for name in ["LANYARD_RELAY", "LANYARD_BASE", "DOCKER_HOST"] {
            std::env::var_os(name).map(|value| command.env(name, value));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        command
    }

    pub fn start(&self, arguments: &[&str]) -> App {
        App::of(self.command(arguments).spawn().unwrap(), self)
    }

    /// What the app said on standard error so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Windows that can be seen, by their titles.
    pub async fn windows(&self) -> Vec<String> {
        let mut search = Command::new("xdotool");
        search.args(["search", "--onlyvisible", "--name", ".*"]).env("DISPLAY", &self.display).stderr(Stdio::null());
        let ids = String::from_utf8(search.output().await.unwrap().stdout).unwrap();
        let mut titles = Vec::new();
        for id in ids.lines() {
            let mut name = Command::new("xdotool");
            let name = name.args(["getwindowname", id]).env("DISPLAY", &self.display).stderr(Stdio::null());
            titles.push(String::from_utf8_lossy(&name.output().await.unwrap().stdout).trim().to_owned());
        }
        titles.retain(|title| !title.is_empty());
        titles
    }

    pub async fn until_windows(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        until(what, async || wanted(&self.windows().await).then_some(())).await;
    }

    /// Presses keys at the window in front.
    pub async fn keys(&self, keys: &[&str]) {
        let mut press = Command::new("xdotool");
        press.arg("key").args(keys).env("DISPLAY", &self.display);
        assert!(press.status().await.unwrap().success());
    }

    /// A picture of the whole screen, for a person to look at: `target/tmp/desktop/<name>.png`.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("desktop");
        fs::create_dir_all(&folder).unwrap();
        let mut import = Command::new("import");
        let path = folder.join(format!("{name}.png"));
        import.args(["-window", "root"]).arg(&path).env("DISPLAY", &self.display);
        assert!(import.status().await.unwrap().success());
        path
    }
}

/// The app, or what was left of it.
pub struct App {
    pub child: Child,
    home: PathBuf,
}

impl App {
    pub fn of(child: Child, desktop: &Desktop) -> Self {
        Self { child, home: desktop.home.path().to_owned() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub async fn ends(&mut self) -> ExitStatus {
        timeout(SOON * 2, self.child.wait()).await.expect("it ends in time").unwrap()
    }

    pub fn kill(&self) {
        signal(self.pid(), rustix::process::Signal::KILL);
    }

    pub fn ask_to_end(&self) {
        signal(self.pid(), rustix::process::Signal::TERM);
    }

    /// A request to its local door, by the command line that the app is too.
    pub async fn says(&self, desktop: &Desktop, arguments: &[&str]) -> serde_json::Value {
        until("its local door", async || {
            let output = desktop.command(arguments).output().await.unwrap();
            serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success())
        })
        .await
    }
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Processes whose environment says that they are of this home: the app's own and its webview's.
pub fn processes_of(home: &Path) -> Vec<String> {
    let mark = format!("LANYARD_HOME={}", home.display());
    let of = |entry: fs::DirEntry| {
        let environment = fs::read(entry.path().join("environ")).ok()?;
        environment.split(|b| *b == 0).any(|line| line == mark.as_bytes()).then_some(())?;
        let command = fs::read(entry.path().join("cmdline")).ok().filter(|line| !line.is_empty())?;
        Some(String::from_utf8_lossy(&command).replace('\0', " "))
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(of).collect()
}

/// A screen without a monitor, on a number that is free.
async fn screen() -> (Child, String) {
    let mut xvfb = Command::new("Xvfb");
    xvfb.args(["-displayfd", "1", "-screen", "0", "1280x860x24", "-nolisten", "tcp"]);
    xvfb.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()).kill_on_drop(true);
    let mut screen = xvfb.spawn().expect("Xvfb is installed");
    let mut lines = BufReader::new(screen.stdout.take().unwrap()).lines();
    let number = timeout(SOON, lines.next_line()).await.expect("a screen in time").unwrap().unwrap();
    (screen, format!(":{}", number.trim()))
}

/// Looks until it finds something.
pub async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, looking).await.unwrap_or_else(|_| panic!("in time: {what}"))
}
