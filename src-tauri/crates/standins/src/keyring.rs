//! A real gnome-keyring on a session bus of its own: unlocked, locked, or not there. Nothing of the user's own session is
//! touched.
//!
//! Which bus a process uses is settled once and by its environment, so whoever is to meet this keyring is a program of its
//! own, started [`Session::within`] it.

use std::{
    io::Write,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(20);

/// A process of ours, ended by its handle when dropped.
pub struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A session bus, a home and a runtime folder that nobody else uses. The bus starts no service by itself.
pub struct Session {
    home: tempfile::TempDir,
    _bus: Owned,
}

/// The first program that is missing of those this needs.
pub fn missing() -> Option<&'static str> {
    let there = |program: &&str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"].into_iter().find(|program| !there(program))
}

impl Session {
    /// # Panics
    /// If the bus does not come up.
    pub fn open() -> Self {
        let home = tempfile::Builder::new().prefix("ly").tempdir_in("/tmp").unwrap();
        let config = home.path().join("bus.conf");
        let socket = home.path().join("bus");
        let policy = r#"<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>"#;
        let listen = format!("<listen>unix:path={}</listen><auth>EXTERNAL</auth>", socket.display());
        std::fs::write(&config, format!("<busconfig><type>session</type>{listen}{policy}</busconfig>")).unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--nofork").arg("--nopidfile").arg(format!("--config-file={}", config.display()));
        let bus = Owned(environment(&mut bus, home.path()).spawn().unwrap());
        // It is there a moment before anybody listens.
        wait_for("the bus", || UnixStream::connect(&socket).is_ok());
        Self { home, _bus: bus }
    }

    pub fn bus_path(&self) -> PathBuf {
        self.home.path().join("bus")
    }

    /// A folder of this session's own.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A gnome-keyring, unlocked by this password or left locked.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn keyring(&self, password: Option<&str>) -> Owned {
        let mut daemon = Command::new("gnome-keyring-daemon");
        daemon.args(["--foreground", "--components=secrets"]);
        if password.is_some() {
            daemon.arg("--unlock");
        }
        let mut daemon = self.within(&mut daemon).stdin(Stdio::piped()).spawn().unwrap();
        daemon.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        wait_for("the keyring", || self.has_keyring());
        Owned(daemon)
    }

    fn has_keyring(&self) -> bool {
        let mut asked = Command::new("dbus-send");
        asked.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
        asked.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
        let answer = self.within(&mut asked).stdout(Stdio::piped()).output().unwrap();
        String::from_utf8_lossy(&answer.stdout).contains("boolean true")
    }

    /// The command with this session for its environment, and nothing to read or to print to.
    pub fn within<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        environment(command, self.home.path())
    }
}

fn environment<'c>(command: &'c mut Command, home: &Path) -> &'c mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", home.join("bus").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}

fn wait_for(what: &str, there: impl Fn() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < DEADLINE, "{what} did not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
}
