//! The program itself in a network of its own, found there by avahi.

use crate::{
    neighbour::{ADDRESS, Network, Running},
    run,
    world::{SOON, until},
};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// A bus that asks nobody who they are: nobody else is in this namespace.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>"#;
const AVAHI: &str = "[server]\nhost-name=desk\nallow-interfaces=lan0\n[wide-area]\nenable-wide-area=no\n";

struct House {
    network: Network,
    folder: tempfile::TempDir,
    _running: Vec<Running>,
}

impl House {
    /// Lanyard, a bus and avahi, each with the network's own `/run`.
    async fn open() -> Self {
        let network = Network::make();
        let folder = tempfile::Builder::new().prefix("ly").tempdir_in("/tmp").unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        };
        let (bus, avahi, secrets) = (file("bus.conf", BUS), file("avahi.conf", AVAHI), file("secrets.toml", ""));
        file("config.toml", &config(&secrets));
        let mut dirs = network.command("mkdir");
        dirs.args(["-p", "/run/dbus", "/run/avahi-daemon"]);
        assert!(run(dirs).await.0);
        let mut house = Self { network, folder, _running: Vec::new() };
        house.start("dbus-daemon", &["--nofork", "--nopidfile", &format!("--config-file={}", bus.display())]);
        let socket = "/run/dbus/system_bus_socket";
        until(SOON, async || house.well("test", &["-S", socket]).await.then_some(())).await;
        let file = avahi.display().to_string();
        house.start("avahi-daemon", &["--no-drop-root", "--no-chroot", "--no-rlimits", "-f", &file]);
        house.start(env!("CARGO_BIN_EXE_lanyard"), &["serve"]);
        until(SOON, async || house.well(env!("CARGO_BIN_EXE_lanyard"), &["status"]).await.then_some(())).await;
        house
    }

    fn start(&mut self, program: &str, arguments: &[&str]) {
        let mut command = self.network.command(program);
        command.args(arguments).env("LANYARD_HOME", self.folder.path());
        self._running.push(Running::start(command));
    }

    async fn inside(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = self.network.command(program);
        command.args(arguments).env("LANYARD_HOME", self.folder.path());
        run(command).await
    }

    async fn well(&self, program: &str, arguments: &[&str]) -> bool {
        self.inside(program, arguments).await.0
    }

    async fn lan(&self, arguments: &[&str]) -> (bool, Value) {
        let (ok, printed) = self.inside(env!("CARGO_BIN_EXE_lanyard"), &[&["--json", "lan"], arguments].concat()).await;
        (ok, printed.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null))
    }
}

fn config(secrets: &Path) -> String {
    let secrets = secrets.display();
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[secrets]\nfile = \"{secrets}\"\n[sandbox]\nengine = \"/nowhere/docker.sock\"\n[lan]\nname = \"desk\"\n"
    )
}

#[tokio::test]
async fn avahi_finds_it_by_name_version_and_fingerprint_and_it_opens_when_the_computer_joins_a_network() {
    let house = House::open().await;
    let (ok, shown) = house.lan(&["on"]).await;
    assert!(!ok && shown["status"]["why"]["code"] == "LAN_UNAVAILABLE", "no network yet: {shown}");
    house.network.join();
    let shown = until(SOON * 3, async || Some(house.lan(&[]).await.1).filter(|s| s["status"]["state"] == "open")).await;
    let urls: Vec<&str> = shown["status"]["urls"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let port = urls[1].rsplit(':').next().unwrap().to_owned();
    assert_eq!(urls, [format!("https://lanyard-desk.local:{port}"), format!("https://{ADDRESS}:{port}")]);

    let ca = pem(&house, shown["certificate"]["pem"].as_str().unwrap());
    let curl = ["-sS", "--max-time", "10", "--cacert", &ca.display().to_string(), &format!("{}/health", urls[1])];
    assert_eq!(house.inside("curl", &curl).await, (true, r#"{"status":"ok"}"#.to_owned()));

    let found = until(SOON, async || {
        let seen = house.inside("avahi-browse", &["--parsable", "--resolve", "--terminate", "_lanyard._tcp"]).await.1;
        seen.lines().find(|line| line.starts_with("=;lan0;IPv4;")).map(str::to_owned)
    })
    .await;
    let fingerprint = shown["certificate"]["fingerprint"].as_str().unwrap();
    for fact in
        [";lanyard-desk.local;", ADDRESS, &port, "\"name=desk\"", "\"version=0.1.0\"", &format!("\"fp={fingerprint}\"")]
    {
        assert!(found.contains(fact), "{fact} in {found}");
    }
    let (_, resolved) = house.inside("avahi-resolve", &["-4", "--name", "lanyard-desk.local"]).await;
    assert!(resolved.contains(ADDRESS), "{resolved}");
    let (_, own) = house.inside("avahi-resolve", &["-4", "--name", "desk.local"]).await;
    assert!(own.contains(ADDRESS), "avahi keeps its own name: {own}");

    assert!(house.lan(&["off"]).await.0);
    until(SOON, async || {
        let (_, seen) = house.inside("avahi-browse", &["--parsable", "--terminate", "_lanyard._tcp"]).await;
        (!seen.contains("lan0")).then_some(())
    })
    .await;
}

fn pem(house: &House, pem: &str) -> PathBuf {
    let path = house.folder.path().join("ca.pem");
    fs::write(&path, pem).unwrap();
    path
}
