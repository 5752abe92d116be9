//! Set-up: looks at what this machine has, gets what it lacks, and hands out what the commands need.

pub mod apt;
pub mod docker;
pub mod mirrors;
pub mod namespaces;
pub mod node;
pub mod system;

use crate::base;
use crate::place::Place;
use crate::process::{self, found};
use anyhow::{Result, bail};
use docker::{Answer, Engine};
use node::Node;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use system::{System, Tool};

/// What a command is about to do, which is what set-up must make possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    pub ui: bool,
    pub sandboxes: bool,
    /// The desktop app is built and shown.
    pub display: bool,
    pub tests: bool,
    pub benches: bool,
    pub fuzzing: bool,
}

/// Whether somebody is there to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Ask,
    /// `--yes`, CI, or no terminal: the list is printed and taken as agreed to.
    Given,
}

impl Consent {
    pub fn new(yes: bool) -> Consent {
        let alone =
            std::env::var_os("CI").is_some() || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal();
        if yes || alone { Consent::Given } else { Consent::Ask }
    }

    pub fn is_unattended(self) -> bool {
        self == Consent::Given
    }

    /// Asks, with no as the answer to anything but yes. `refused` says what to do then.
    fn ask(self, question: &str, refused: impl FnOnce() -> String) -> Result<()> {
        eprint!("{question} ");
        if self.is_unattended() {
            eprintln!("[y, unattended]");
            return Ok(());
        }
        eprint!("[y/N] ");
        std::io::stderr().flush()?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => bail!(refused()),
        }
    }
}

/// Everything asked for is there. Dropping this stops an engine that set-up started.
pub struct Ready {
    pub node: Option<Node>,
    _engine: Option<Engine>,
}

pub fn prepare(place: &Place, wants: Wants, consent: Consent) -> Result<Ready> {
    let system = System::here();
    let look = Look::new(wants);
    let missing = look.missing(system, consent)?;
    if !missing.is_empty() {
        install(&missing, system, consent, place)?;
    }
    if wants.tests {
        namespaces::allow(consent)?;
    }
    let node = if wants.ui { Some(Node::look(place).map_or_else(|| Node::fetch(place), Ok)?) } else { None };
    let engine = if wants.sandboxes { Some(engine(place, system, consent)?) } else { None };
    if wants.sandboxes && !look.base {
        base_image(place, system, consent, look.engine_runs())?;
    }
    Ok(Ready { node, _engine: engine })
}

/// What was seen at the start.
struct Look {
    wants: Wants,
    engine: Answer,
    /// The engine has the base image, or could fetch it.
    base: bool,
}

impl Look {
    fn new(wants: Wants) -> Look {
        let engine = if wants.sandboxes { docker::ask() } else { Answer::Silent };
        let mut look = Look { wants, engine, base: false };
        look.base = look.engine_runs() && (base::present() || base::pull());
        look
    }

    /// Also refuses early where an engine is missing that xtask may not install.
    fn missing(&self, system: System, consent: Consent) -> Result<Vec<Tool>> {
        let mut tools = Vec::new();
        let mut need = |wanted: bool, present: bool, tool: Tool| {
            if wanted && !present {
                tools.push(tool);
            }
        };
        need(true, found("cc") || found("gcc") || found("clang") || cfg!(windows), Tool::CCompiler);
        need(true, found("git"), Tool::Git);
        let linux = cfg!(target_os = "linux");
        need(linux && (self.wants.display || self.wants.tests), has_webview(), Tool::Webview);
        need(self.wants.ui, found("node") && found("npm"), Tool::Node);
        if self.wants.sandboxes {
            let running = self.engine_runs();
            if !running && !self.engine_can_come(system, consent) {
                bail!(docker::advice(&self.engine, system));
            }
            need(true, running || (found("docker") && found("dockerd")), Tool::Engine);
            need(!self.base && base::can_make(system), found("debootstrap"), Tool::Debootstrap);
        }
        need(self.wants.benches, found("rg"), Tool::Ripgrep);
        let cpp = ["c++", "g++", "clang++"].into_iter().any(found) || cfg!(windows);
        need(self.wants.fuzzing, cpp, Tool::CppCompiler);
        if self.wants.tests {
            need(cfg!(target_os = "linux"), found("dbus-run-session") && found("dbus-launch"), Tool::Bus);
            need(cfg!(target_os = "linux"), found("gnome-keyring-daemon"), Tool::Keyring);
            need(cfg!(target_os = "linux"), found("secret-tool"), Tool::SecretClient);
            need(!cfg!(windows), chromium().is_some(), Tool::Chromium);
            need(cfg!(target_os = "linux"), found("openssl") && found("curl"), Tool::TlsClients);
            need(cfg!(target_os = "linux"), found("certutil"), Tool::Nss);
            need(cfg!(target_os = "linux"), found("avahi-browse") && system_program("avahi-daemon"), Tool::Avahi);
            need(cfg!(target_os = "linux"), system_program("ip") && found("nsenter"), Tool::Namespaces);
            need(cfg!(target_os = "linux"), has_firefox(), Tool::Firefox);
            let screen = ["Xvfb", "xdotool", "xprop", "import", "openbox"].into_iter().all(found);
            need(linux, screen && found("xfce4-panel"), Tool::Screen);
            need(linux, found("WebKitWebDriver"), Tool::WebviewDriver);
            need(true, python_makes_environments(), Tool::PythonVenv);
        }
        Ok(tools)
    }

    /// An engine that was there from the start has been asked for the base image already.
    fn engine_runs(&self) -> bool {
        matches!(self.engine, Answer::Running(_))
    }

    /// By starting one here, or by a package whose installation starts it.
    fn engine_can_come(&self, system: System, consent: Consent) -> bool {
        let installable = self.engine == Answer::Silent && !found("docker") && system.has_apt();
        docker::may_start(system, consent.is_unattended()) || installable
    }
}

fn install(missing: &[Tool], system: System, consent: Consent, place: &Place) -> Result<()> {
    if !system.has_apt() {
        let lines = missing.iter().map(|tool| format!("  {}\n      {}", tool.purpose(), tool.advice(system)));
        bail!("This machine lacks:\n{}\nInstall what is named and start again.", lines.collect::<Vec<_>>().join("\n"));
    }
    let mut packages: Vec<String> =
        missing.iter().flat_map(|tool| tool.debian_packages()).map(|name| (*name).to_owned()).collect();
    // Newer Debian has the engine's command line in a package of its own.
    if missing.contains(&Tool::Engine) && !found("docker") && apt::offers("docker-cli") {
        packages.push("docker-cli".into());
    }
    // Ubuntu has no long-term version of Firefox.
    if missing.contains(&Tool::Firefox) && !apt::offers("firefox-esr") {
        packages.iter_mut().filter(|name| *name == "firefox-esr").for_each(|name| *name = "firefox".into());
    }
    apt::install(&packages, consent, place)
}

fn engine(place: &Place, system: System, consent: Consent) -> Result<Engine> {
    match docker::ask() {
        Answer::Running(_) => Ok(Engine::already_running()),
        _ if docker::may_start(system, consent.is_unattended()) => Engine::start(place),
        answer => bail!(docker::advice(&answer, system)),
    }
}

fn base_image(place: &Place, system: System, consent: Consent, asked_registry: bool) -> Result<()> {
    if !asked_registry && (base::present() || base::pull()) {
        return Ok(());
    }
    if !base::can_make(system) {
        bail!(base::advice());
    }
    if !found("debootstrap") {
        install(&[Tool::Debootstrap], system, consent, place)?;
    }
    base::make(place)
}

/// The browser that tests of the page use.
pub fn chromium() -> Option<PathBuf> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    const APPS: [&str; 2] = ["Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome"];
    let apps = APPS.into_iter().map(|app| Path::new("/Applications").join(app)).filter(|app| app.is_file());
    NAMES.into_iter().filter_map(process::path_of).chain(apps).next()
}

/// Also where only root's PATH leads.
fn system_program(name: &str) -> bool {
    found(name) || ["/usr/sbin", "/sbin"].iter().any(|folder| std::path::Path::new(folder).join(name).is_file())
}

/// With the library by which it shows notices.
fn has_firefox() -> bool {
    let libraries = process::answer(Command::new("/sbin/ldconfig").arg("-p"), Duration::from_secs(20));
    let notifies = libraries.is_none_or(|known| known.contains("libnotify.so.4"));
    notifies && ["firefox-esr", "firefox"].into_iter().any(found)
}

/// What the desktop app is built with.
fn has_webview() -> bool {
    process::answer(Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"]), Duration::from_secs(20)).is_some()
}

fn python_makes_environments() -> bool {
    process::answer(Command::new("python3").args(["-c", "import venv, ensurepip"]), Duration::from_secs(20)).is_some()
}

#[cfg(unix)]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
pub fn is_root() -> bool {
    false
}
