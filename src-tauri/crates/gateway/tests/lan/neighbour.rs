//! A network of a test's own: a network namespace with one interface, and programs inside it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// This computer's address in it.
pub const ADDRESS: &str = "192.168.77.20";

/// Ends with the value; what runs inside loses its network.
pub struct Network {
    holder: Child,
    root: bool,
}

/// Programs inside have a `/run` of their own, too: that is where D-Bus and avahi meet. avahi wants a user of its own, and inside
/// there may be only one.
const MAKE: &str = "set -e
mount -t tmpfs none /run
printf 'root:x:0:0::/root:/bin/sh\\navahi:x:0:0::/:/bin/false\\n' > /run/passwd
printf 'root:x:0:\\navahi:x:0:\\n' > /run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
ip link set lo up
ip link add lan0 type veth peer name far0
ip link set far0 up
ip link set lan0 up multicast on
echo ready
exec cat";

impl Network {
    /// With no address on the interface yet.
    pub fn make() -> Self {
        let root = rustix::process::geteuid().is_root();
        let mut unshare = system("unshare");
        unshare.args(if root { &["--net", "--mount"][..] } else { &["--net", "--mount", "--map-root-user"] });
        unshare.args(["sh", "-c", MAKE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = unshare.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "a network namespace needs root, or a system that allows them to users");
        Self { holder, root }
    }

    /// From now on this computer has an address.
    pub fn join(&self) {
        let (at, network) = (format!("{ADDRESS}/24"), "lan0");
        let added = self.command("ip").args(["addr", "add", &at, "dev", network]).status().unwrap();
        let routed = self.command("ip").args(["route", "add", "default", "dev", network]).status().unwrap();
        assert!(added.success() && routed.success());
    }

    /// A program that runs inside.
    pub fn command(&self, program: &str) -> Command {
        let mut inside = system("nsenter");
        inside.args(["--target", &self.holder.id().to_string(), "--net", "--mount"]);
        if !self.root {
            inside.args(["--user", "--preserve-credentials"]);
        }
        inside.arg("--").arg(program);
        inside
    }
}

/// Some of what runs inside is where only root's PATH leads.
fn system(program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ended = self.holder.kill();
        let _reaped = self.holder.wait();
    }
}

/// A program that goes on until the value is dropped.
pub struct Running(pub Child);

impl Running {
    pub fn start(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}
