//! The app with a real sandbox and the real agent in it: what the tray shows of a turn, and an app that is killed in one.
#![cfg(target_os = "linux")]

mod desktop;

use desktop::{Desktop, processes_of, tray::Icon};
use standins::{
    anthropic::{Anthropic, Script, Step},
    engine::Sweep,
};
use std::time::Duration;

const KEY: &str = "sk-ant-none";
/// For anything that starts a sandbox.
const LATER: Duration = Duration::from_secs(150);

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
    let anthropic = Anthropic::start(vec![script]).await.unwrap();
    anthropic.accept_keys([KEY]);
    let desktop = Desktop::new().await;
    desktop.write_config_at(&anthropic.url(), "[sandbox]\nsize = \"small\"\n");
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
