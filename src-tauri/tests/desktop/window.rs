//! The app's window, driven from outside: WebKit's own driver starts the app and speaks to the page in it.

use super::{Desktop, SOON};
use std::{
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use thirtyfour::{Capabilities, WebDriver};
use tokio::process::{Child, Command};

pub struct Driven {
    pub page: WebDriver,
    _driver: Child,
}

/// Starts the app so that its page can be driven.
pub async fn driven(desktop: &Desktop, arguments: &[&str]) -> Driven {
    let program = Path::new(env!("CARGO_BIN_EXE_lanyard-desktop"));
    driven_as(program, desktop.command(&[]), arguments).await
}

/// Starts this program so that its page can be driven, with the environment of `like`.
pub async fn driven_as(program: &Path, like: Command, arguments: &[&str]) -> Driven {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut driver = Command::new("WebKitWebDriver");
    for (name, value) in like.as_std().get_envs() {
        value.map(|value| driver.env(name, value));
    }
    driver.arg(format!("--port={port}")).arg("--host=127.0.0.1").env("TAURI_WEBVIEW_AUTOMATION", "true");
    driver.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let driver = driver.spawn().expect("WebKitWebDriver is installed");
    // The driver's client speaks plain HTTP to loopback, and wants to know of TLS all the same.
    let _another_set_it_first = rustls::crypto::ring::default_provider().install_default();
    let mut wanted = Capabilities::new();
    let options = serde_json::json!({ "binary": program, "args": arguments });
    wanted.set("webkitgtk:browserOptions", options).unwrap();
    let began = Instant::now();
    loop {
        match WebDriver::new(&format!("http://127.0.0.1:{port}"), wanted.clone()).await {
            Ok(page) => return Driven { page, _driver: driver },
            // The driver is not up yet.
            Err(_) if began.elapsed() < SOON => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(e) => panic!("the window could not be driven: {e}"),
        }
    }
}
