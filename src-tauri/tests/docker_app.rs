//! The app with a real sandbox and the real agent in it: what the tray shows of a turn, and an app that is killed in one.
#![cfg(target_os = "linux")]

mod desktop;

use desktop::{Desktop, processes_of, tray::Icon, window::driven};
use serde_json::{Value, json};
use standins::{
    anthropic::{Anthropic, Script, Step},
    engine::Sweep,
};
use std::time::Duration;
use thirtyfour::WebDriver;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const KEY: &str = "sk-ant-none";
/// For anything that starts a sandbox.
const LATER: Duration = Duration::from_secs(150);

/// A desktop whose sandbox is small, and the model that its agent asks.
async fn world(script: Script) -> (Anthropic, Desktop) {
    let anthropic = Anthropic::start(vec![script]).await.unwrap();
    anthropic.accept_keys([KEY]);
    let desktop = Desktop::new().await;
    desktop.write_config_at(&anthropic.url(), "[sandbox]\nsize = \"small\"\n");
    (anthropic, desktop)
}

async fn shows(icon: &Icon, says: &str) {
    let look = async {
        while !icon.says().await.starts_with(says) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let shown = tokio::time::timeout(LATER, look).await;
    assert!(shown.is_ok(), "{says}: it says {}", icon.says().await);
}

/// Allows the only question, once it has stood long enough to be read.
async fn allow(icon: &Icon) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    icon.click(Some("#"), "Allow once").await;
}

#[tokio::test]
async fn a_turn_is_seen_in_the_tray_and_offered_again_after_the_app_was_killed_in_it() {
    let count = "python3 -c \"open('/tmp/count','a').write('x')\"";
    let bash = Step::tool("Bash", serde_json::json!({ "command": count, "description": "count" }));
    let script = Script::when("count once").step(bash).step(Step::text("Ended."));
    let (_anthropic, desktop) = world(script).await;
    let _sweep = Sweep(desktop.home.path().join("data"));
    let panel = desktop.panel().await;
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    shows(&icon, "Nothing to do").await;
    icon.click(None, "Pause the sandbox").await;
    shows(&icon, "Paused").await;
    icon.click(None, "Resume the sandbox").await;
    shows(&icon, "Nothing to do").await;
    let said = desktop.command(&["send", "--no-wait", "count once"]).output().await.unwrap();
    assert!(said.status.success(), "{}", desktop.log());
    shows(&icon, "A question waits").await;
    let menu = icon.menu().await;
    assert!(menu.find("#").unwrap().labels().iter().any(|line| line.contains("open('/tmp/count'")), "{menu:?}");
    assert!(menu.find("1  count once: ").is_some(), "the session at work: {:?}", menu.labels());
    app.kill();
    app.ends().await;
    desktop::until("nothing left", async || processes_of(desktop.home.path()).is_empty().then_some(())).await;
    let mut again = desktop.start(&["--minimized"]);
    desktop::until("the icon is back", async || (panel.registered() == 2).then_some(())).await;
    let icon = panel.icon().await;
    shows(&icon, "A question waits").await;
    let menu = icon.menu().await;
    assert!(menu.find("#").unwrap().labels().iter().any(|line| line == "count once"), "it is offered again: {menu:?}");
    allow(&icon).await;
    let look = async |icon: &Icon| icon.menu().await.find("#").is_some_and(|e| e.label.contains("run: python3"));
    let asked = async {
        while !look(&icon).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LATER, asked).await.expect("it asks again");
    allow(&icon).await;
    let done = desktop.notices.until(LATER, |notices| notices.iter().any(|n| n.title == "Session 1 is done")).await;
    assert!(done.is_ok(), "{:?} {}", desktop.notices.shown(), desktop.log());
    shows(&icon, "Nothing to do").await;
    icon.click(None, "Quit Lanyard").await;
    assert!(again.ends().await.success(), "{}", desktop.log());
}

/// The model has begun to answer, and never ends.
#[tokio::test]
async fn an_app_that_is_killed_while_the_agent_computes_tells_the_same_everywhere_when_it_is_back() {
    let script = Script::when("think it over").step(Step::text("These words never come.").hold());
    let (anthropic, desktop) = world(script).await;
    let _sweep = Sweep(desktop.home.path().join("data"));
    let panel = desktop.panel().await;
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    shows(&icon, "Nothing to do").await;
    let token = app.says(&desktop, &["phones", "make-token", "phone", "read", "approve", "--json"]).await;
    let said = desktop.command(&["send", "--no-wait", "think it over"]).output().await.unwrap();
    assert!(said.status.success(), "{}", desktop.log());
    shows(&icon, "At work in one session").await;
    let asked = async {
        while anthropic.count() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LATER, asked).await.expect("the model is asked");
    icon.until_face("working").await;
    app.kill();
    app.ends().await;
    desktop::until("nothing left", async || processes_of(desktop.home.path()).is_empty().then_some(())).await;
    let driven = driven(&desktop, &[]).await;
    desktop::until("the icon is back", async || (panel.registered() == 2).then_some(())).await;
    let icon = panel.icon().await;
    shows(&icon, "A question waits").await;
    icon.until_face("needs-you").await;
    let tray = icon.menu().await;
    let offered = tray.find("#").unwrap().labels();
    assert!(offered.iter().any(|line| line == "think it over"), "{offered:?}");
    let address = app.says(&desktop, &["status", "--json"]).await["address"].as_str().unwrap().to_owned();
    let phone = Phone { address, token: token["token"].as_str().unwrap().to_owned() };
    let (window, asks) = (&driven.page, phone.get("/api/permissions").await);
    let open = &asks["permissions"];
    assert_eq!((&open[0]["kind"], &open[1]), (&json!("rerun"), &Value::Null), "{open}");
    assert!(open[0]["shown"].as_str().unwrap().contains("think it over"), "{open}");
    assert_eq!(fetched(window, "/api/permissions").await, asks, "the window is asked the same");
    let events = format!("/api/sessions/{}/events", open[0]["session_id"].as_str().unwrap());
    let ends = |told: Value| told.to_string().matches("\"interrupted\"").count();
    assert_eq!((ends(phone.get(&events).await), ends(fetched(window, &events).await)), (1, 1));
    anthropic.set_scripts([Script::when("think it over").step(Step::text("Thought over."))]);
    anthropic.release();
    let click = "location.hash = '#/approvals'; for (let i = 0; i < 100; i++) { \
        const b = [...document.querySelectorAll('button')].find((b) => b.innerText.trim() === 'Run it again'); \
        if (b) { b.click(); return document.body.innerText; } await new Promise((r) => setTimeout(r, 100)); } return 'no button'";
    let seen = run(window, click).await;
    assert!(seen.as_str().is_some_and(|seen| seen.contains("A turn was interrupted")), "{seen}");
    shows(&icon, "Nothing to do").await;
    icon.until_face("idle").await;
    let none = json!({ "permissions": [] });
    assert_eq!((phone.get("/api/permissions").await, fetched(window, "/api/permissions").await), (none.clone(), none));
    assert!(phone.get(&events).await.to_string().contains("Thought over."));
    window.clone().quit().await.unwrap();
}

/// What a phone sees: the public door, with a token.
struct Phone {
    address: String,
    token: String,
}

impl Phone {
    async fn get(&self, path: &str) -> Value {
        let mut line = TcpStream::connect(&self.address).await.unwrap();
        let (host, token) = (&self.address, &self.token);
        let head = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
        line.write_all(head.as_bytes()).await.unwrap();
        let mut said = String::new();
        line.read_to_string(&mut said).await.unwrap();
        let (head, body) = said.split_once("\r\n\r\n").expect("an answer");
        assert!(head.contains(" 200 "), "{said}");
        serde_json::from_str(body).unwrap()
    }
}

async fn fetched(window: &WebDriver, path: &str) -> Value {
    run(window, &format!("return await (await fetch('{path}')).json()")).await
}

/// Runs the body of an async function in the page; gives what it returns.
async fn run(page: &WebDriver, body: &str) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1]; (async () => {{ {body} }})().then(done, (e) => done('threw ' + e));"
    );
    page.execute_async(script, vec![]).await.unwrap().json().clone()
}
