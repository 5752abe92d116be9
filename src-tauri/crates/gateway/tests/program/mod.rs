//! The real program, so that it can be killed.
#![allow(dead_code, reason = "each test file uses a part")]

use super::world::{self, LATER, World};
use std::{process::Stdio, time::Duration};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// The real program, on the world's folder.
pub struct Program(Child);

impl Program {
    pub async fn start(w: &World, failpoints: &str) -> Self {
        let program = Self::spawn(w, failpoints);
        let status = timeout(LATER, program.address(w)).await.expect("it comes up");
        w.twilio.route(world::PUBLIC_URL, status.parse().unwrap());
        program
    }

    pub fn spawn(w: &World, failpoints: &str) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(w.home().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_lanyard"))
            .arg("serve")
            .env("LANYARD_HOME", w.home())
            .env("LANYARD_RELAY", world::relay())
            .env("FAILPOINTS", failpoints)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self(child)
    }

    async fn address(&self, w: &World) -> String {
        loop {
            let output = lanyard(w, &["status", "--json"]).output().await.unwrap();
            if let Ok(status) = serde_json::from_slice::<serde_json::Value>(&output.stdout) {
                return status["address"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// As a machine that loses power ends it.
    pub async fn kill(mut self) {
        self.0.kill().await.unwrap();
    }

    pub async fn dies(&mut self) {
        let status = timeout(LATER, self.0.wait()).await.expect("it dies at the named step").unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }

    pub async fn remove(self, w: &World) {
        assert!(lanyard(w, &["remove", "--yes"]).status().await.unwrap().success());
        self.stop(w).await;
    }

    /// As its owner ends it.
    pub async fn stop(mut self, w: &World) {
        assert!(lanyard(w, &["stop"]).status().await.unwrap().success());
        assert!(timeout(LATER, self.0.wait()).await.expect("it stops").unwrap().success());
    }
}

pub fn lanyard(w: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command.args(arguments).env("LANYARD_HOME", w.home()).stderr(Stdio::null()).kill_on_drop(true);
    command
}
