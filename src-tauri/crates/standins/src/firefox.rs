//! A real Firefox without a window, driven by WebDriver BiDi: its pushes come from the stand-in service, its notices stand on
//! a [`LockScreen`]. It reaches nothing but this computer. Measured with Firefox ESR 153.7.

mod driven;

use crate::lock_screen::LockScreen;
use anyhow::Context;
use driven::Driven;
use serde_json::{Value, json};
use std::{fs, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
};

/// A cold Firefox on a busy machine.
const START: Duration = Duration::from_secs(180);
/// Until something is there on a page, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is said on standard error once it can be driven.
const READY: &str = "WebDriver BiDi listening on ";

pub struct Firefox {
    pub screen: LockScreen,
    driven: Driven,
    _child: Child,
    _profile: TempDir,
}

/// A tab.
#[derive(Clone, Debug)]
pub struct Tab(String);

impl Firefox {
    /// `push`: what [`crate::push::Push::line`] gives.
    ///
    /// # Errors
    /// If there is no Firefox, or it cannot be driven.
    pub async fn start(push: &str) -> anyhow::Result<Self> {
        let screen = LockScreen::start().await?;
        let profile = tempfile::tempdir()?;
        fs::write(profile.path().join("user.js"), settings(push))?;
        let mut firefox = program()?;
        firefox
            .args(["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile"])
            .arg(profile.path())
            .env("HOME", profile.path())
            .env("XDG_RUNTIME_DIR", profile.path())
            .env("DBUS_SESSION_BUS_ADDRESS", screen.address())
            .env("MOZ_CRASHREPORTER_DISABLE", "1")
            .env_remove("DISPLAY")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = firefox.spawn().context("Firefox does not start")?;
        let said = child.stderr.take().context("a pipe")?;
        let address = tokio::time::timeout(START, address(said)).await.context("Firefox cannot be driven")??;
        let driven = Driven::open(&format!("{address}/session")).await?;
        Ok(Self { screen, driven, _child: child, _profile: profile })
    }

    /// Opens `url` in a tab in front of all others: those are looked at no more.
    pub async fn open(&self, url: &str) -> anyhow::Result<Tab> {
        let tab = self.driven.call("browsingContext.create", json!({ "type": "tab" })).await?;
        let tab = Tab(tab["context"].as_str().context("a tab")?.to_owned());
        self.driven
            .call("browsingContext.navigate", json!({ "context": tab.0, "url": url, "wait": "complete" }))
            .await?;
        Ok(tab)
    }

    /// Looks at that tab again.
    pub async fn look_at(&self, tab: &Tab) -> anyhow::Result<()> {
        self.driven.call("browsingContext.activate", json!({ "context": tab.0 })).await.map(drop)
    }

    /// What `code` comes to on the page, once it has.
    pub async fn run(&self, tab: &Tab, code: &str) -> anyhow::Result<Value> {
        let asked =
            json!({ "expression": code, "target": { "context": tab.0 }, "awaitPromise": true, "userActivation": true });
        let said = self.driven.call("script.evaluate", asked).await?;
        anyhow::ensure!(said["type"] == "success", "{code}: {}", said["exceptionDetails"]["text"]);
        Ok(said["result"]["value"].clone())
    }

    /// Presses what a screen reader calls `role` and `name`, as soon as it is there.
    pub async fn tap(&self, tab: &Tab, role: &str, name: &str) -> anyhow::Result<()> {
        let element = self.find(tab, role, name).await?;
        let code = json!({ "functionDeclaration": "e => e.scrollIntoView({ block: 'center' })", "arguments": [element],
                           "target": { "context": tab.0 }, "awaitPromise": false });
        self.driven.call("script.callFunction", code).await?;
        let origin = json!({ "type": "element", "element": element });
        let press = json!([{ "type": "pointerMove", "x": 0, "y": 0, "origin": origin },
                           { "type": "pointerDown", "button": 0 }, { "type": "pointerUp", "button": 0 }]);
        let hand =
            json!([{ "type": "pointer", "id": "hand", "parameters": { "pointerType": "mouse" }, "actions": press }]);
        self.driven.call("input.performActions", json!({ "context": tab.0, "actions": hand })).await.map(drop)
    }

    /// Waits until a screen reader finds it.
    pub async fn find(&self, tab: &Tab, role: &str, name: &str) -> anyhow::Result<Value> {
        let locator = json!({ "type": "accessibility", "value": { "role": role, "name": name } });
        let asked = json!({ "context": tab.0, "locator": locator, "maxNodeCount": 1 });
        let looking = async {
            loop {
                let found = self.driven.call("browsingContext.locateNodes", asked.clone()).await?;
                if let Some(node) = found["nodes"].get(0) {
                    return anyhow::Ok(json!({ "sharedId": node["sharedId"] }));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(found) => found,
            Err(_) => {
                let page = self.run(tab, "document.body.innerText").await?;
                anyhow::bail!("there is no {role} \"{name}\" on the page: {page}")
            }
        }
    }
}

fn program() -> anyhow::Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = ["firefox-esr", "firefox"]
        .into_iter()
        .find_map(|name| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()));
    Ok(Command::new(found.context("there is no Firefox; `cargo xtask test` installs it")?))
}

/// Where it can be driven. What it says after that is read and thrown away, so that it never waits for a reader.
async fn address(said: ChildStderr) -> anyhow::Result<String> {
    let mut lines = BufReader::new(said).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix(READY) {
            let address = address.trim().to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(address);
        }
    }
    anyhow::bail!("Firefox ended")
}

fn settings(push: &str) -> String {
    let settings = [
        // What it sets for being driven turns pushes off.
        ("remote.prefs.recommended", json!(false)),
        ("dom.push.serverURL", json!(push)),
        // A push service without TLS.
        ("dom.push.testing.allowInsecureServerURL", json!(true)),
        // How long it waits, in ms, before it looks for a lost line again.
        ("dom.push.retryBaseInterval", json!(200)),
        // The owner lets every page show notices.
        ("permissions.default.desktop-notification", json!(1)),
        // A proxy that is not there, for all but this computer.
        ("network.proxy.type", json!(1)),
        ("network.proxy.http", json!("127.0.0.1")),
        ("network.proxy.http_port", json!(9)),
        ("network.proxy.ssl", json!("127.0.0.1")),
        ("network.proxy.ssl_port", json!(9)),
        ("network.proxy.no_proxies_on", json!("127.0.0.1, localhost")),
        ("datareporting.policy.dataSubmissionEnabled", json!(false)),
        ("browser.shell.checkDefaultBrowser", json!(false)),
    ];
    settings.map(|(name, value)| format!("user_pref({}, {value});\n", json!(name))).concat()
}
