//! A session with a real sandbox and the real Claude Code while its owner changes what it works with.

mod api_world;
mod world;

use api_world::local;
use domain::event::Event;
use gateway::Ended;
use serde_json::{Value, json};
use standins::anthropic::{Script, Step};
use world::{LATER, Running, Wish, World};

async fn house(running: &Running, method: &str, path: &str, body: Value) -> Value {
    let said = local(&running.app, method, path, Some(&body)).await;
    assert!((200..300).contains(&said.status), "{path}: {}", said.text);
    said.body
}

async fn answer_to(w: &World, words: &str) -> String {
    w.text(words).await;
    w.arrives(LATER).await.body
}

#[tokio::test]
async fn a_session_at_work_takes_a_new_key_says_when_it_is_gone_and_goes_on_after_a_restart() {
    world::relay();
    let scripts = vec![Script::when("first").step(Step::text("One.")), Script::when("second").step(Step::text("Two."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    assert_eq!(answer_to(&w, "first").await, "One.");
    w.anthropic.accept_keys(["sk-ant-second"]);
    house(&running, "PUT", "/accounts/anthropic", json!({ "secret": "sk-ant-second" })).await;
    assert_eq!(answer_to(&w, "second").await, "Two.", "the same process, another key");
    assert_eq!(w.anthropic.requests().last().unwrap().key, "sk-ant-second");
    house(&running, "DELETE", "/accounts/anthropic", json!({})).await;
    assert_eq!(answer_to(&w, "first").await, domain::Code::NoKey.entry().sms);
    house(&running, "PUT", "/accounts/anthropic", json!({ "secret": "sk-ant-second" })).await;
    house(&running, "PATCH", "/settings", json!({ "limits": { "sessions": 3 } })).await;
    house(&running, "POST", "/restart", json!({})).await;
    assert_eq!(running.ends().await, Ended::Restart);
    let again = w.start().await;
    assert_eq!(again.app.config.api.sessions, 3);
    assert_eq!(answer_to(&w, "second").await, "Two.");
    let asked = w.anthropic.requests().last().unwrap().body.to_string();
    assert!(asked.contains("One.") && asked.contains("first"), "it remembers what was said before the restart");
    again.remove().await;
}

#[tokio::test]
async fn a_turn_that_runs_is_not_restarted_away_unless_that_is_forced() {
    world::relay();
    let scripts = vec![Script::when("hold").step(Step::text("Held.").hold())];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("hold").await;
    // Said is not begun: words that were not begun are no turn that could be cut off.
    let begun =
        async || world::events(&running).await.iter().any(|e| matches!(e, Event::TurnStarted { .. })).then_some(());
    world::until(LATER, begun).await;
    assert_eq!(gateway::restart::working(&running.app), 1);
    local(&running.app, "POST", "/restart", None).await.is(409, "TURN_RUNNING");
    assert_eq!(local(&running.app, "POST", "/restart", Some(&json!({ "force": true }))).await.status, 202);
    assert_eq!(running.ends().await, Ended::Restart);
    let again = w.start().await;
    let offered = w.arrives(LATER).await.body;
    assert!(offered.contains("hold"), "what was cut off is offered again: {offered}");
    w.anthropic.release();
    again.remove().await;
}

#[tokio::test]
async fn locking_freezes_the_sandbox_and_its_build_is_watched_to_its_end() {
    world::relay();
    let w = World::new(Wish { sandbox: true, ..Wish::default() }).await;
    let running = w.start().await;
    let app = &running.app;
    house(&running, "POST", "/mend/sandbox.make", json!({})).await;
    assert_eq!(local(app, "POST", "/image/build", None).await.status, 202);
    let lines = local(app, "GET", "/image/progress", None).await.text;
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["state"], &last["progress"]), (&json!("ready"), &json!(1.0)), "{lines}");
    let home = world::until(LATER, async || {
        Some(house(&running, "GET", "/home", json!({})).await).filter(|h| h["sandbox"]["image"]["state"] == "ready")
    });
    assert_eq!(home.await["sandbox"]["state"], "ready");
    let shut = house(&running, "POST", "/lock", json!({})).await;
    assert_eq!((&shut["sandbox_paused"], &shut["failed"]), (&json!(true), &json!([])), "{shut}");
    let paused = house(&running, "GET", "/doctor", json!({})).await;
    let sandbox = paused.as_array().unwrap().iter().find(|f| f["what"] == "sandbox").unwrap();
    assert_eq!(sandbox["fix"], "sandbox.resume", "{sandbox}");
    local(app, "POST", "/mend/sandbox.resume", None).await.is(423, "LOCKED");
    let opened = house(&running, "POST", "/unlock", json!({})).await;
    assert_eq!((&opened["locked"], &opened["sandbox"]["state"]), (&json!(false), &json!("ready")), "{opened}");
    running.remove().await;
}
