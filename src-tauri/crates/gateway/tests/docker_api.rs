//! A phone and a real agent: what is asked, allowed and answered over the WebSocket, and the limits of sessions.

mod api_world;
mod world;

use api_world::{Phone, call};
use serde_json::{Value, json};
use standins::anthropic::{Script, Step};
use std::time::Duration;
use world::{LATER, SOON, Wish, World, until};

fn bash(command: &str) -> Step {
    Step::tool("Bash", json!({ "command": command, "description": "test" }))
}

#[tokio::test]
async fn a_turn_lives_on_a_phones_socket_and_is_whole_in_its_history() {
    world::relay();
    let scripts = vec![
        Script::when("touch it")
            .step(bash("python3 -c \"open('made','w')\""))
            .step(Step::text("It is made, whole and well.")),
        Script::when("what is two").step(Step::text("Four.")),
    ];
    let w = World::new(Wish { sandbox: true, scripts, config: "[limits]\nsessions = 2\n" }).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "Ada's phone").await;
    let mut socket = phone.socket(app, None).await;
    socket.patience = LATER;
    socket.say(json!({ "type": "streamStart", "requestId": "1", "data": { "prompt": "touch it" } })).await;
    let session = socket.answer("1").await["data"]["session_id"].as_str().unwrap().to_owned();
    let asked = socket.of_type("permissionRequest").await["data"].clone();
    assert_eq!(
        (&asked["session_id"], &asked["tool"], &asked["state"]),
        (&json!(session), &json!("Bash"), &json!("open"))
    );
    let answer = json!({ "id": asked["id"], "decision": "allow", "input_hash": asked["input_hash"] });
    socket.say(json!({ "type": "permission", "requestId": "2", "data": answer })).await;
    let (mut words, mut seen) = (String::new(), Vec::new());
    loop {
        let frame = socket.next().await.unwrap();
        let data = &frame["data"];
        match (frame["type"].as_str().unwrap(), data["kind"].as_str()) {
            ("streamData", Some("partial")) if data["thinking"] == false => {
                assert_eq!(data["offset"], words.len(), "nothing lost, nothing twice");
                words.push_str(data["text"].as_str().unwrap());
            }
            ("streamData", Some("text")) => {
                assert_eq!(data["text"], words, "partial words come before what they are part of")
            }
            ("streamToolUse", Some(kind)) => seen.push(kind.to_owned()),
            ("permissionResolved", _) => assert_eq!(data["by"], "Ada's phone"),
            ("streamComplete", _) => {
                assert_eq!(data["outcome"], "completed");
                break;
            }
            _ => {}
        }
    }
    assert_eq!((words.as_str(), seen.last().map(String::as_str)), ("It is made, whole and well.", Some("finished")));
    assert!(app.workshop.read_file("/workspace/made", 10).await.is_ok());
    let asked = phone.post(app, "/api/ask", json!({ "prompt": "what is two and two" })).await;
    assert_eq!((asked.status, &asked.body["text"]), (200, &json!("Four.")), "{}", asked.text);
    assert!(asked.body["usage"]["output"].as_u64().unwrap() > 0 && asked.body["cost_dollars"].as_f64().unwrap() > 0.0);
    until(SOON, async || (app.registry.active() == 1).then_some(())).await;
    for words in ["one more", "and another"] {
        let started = phone.post(app, "/api/stream/start", json!({ "prompt": words })).await;
        assert_eq!(started.status, 200, "one without work makes room: {}", started.text);
    }
    let closed = call(app, "DELETE", &format!("/api/stream/{session}"), Some(&phone.access), None).await;
    assert_eq!(closed.status, 204);
    socket.until(|f| f["data"]["kind"] == "session" && f["data"]["state"] == "closed").await;
    let fits = async || phone.post(app, "/api/stream/start", json!({ "title": "fits again" })).await.status;
    until(SOON, async || (fits().await == 200).then_some(())).await;
    running.remove().await;
}

#[tokio::test]
async fn an_idle_sessions_process_ends_and_the_session_goes_on_later() {
    world::relay();
    let scripts = vec![
        Script::when("remember the word apple").step(Step::text("I will.")),
        Script::when("which word").step(Step::text("apple")),
    ];
    let w = World::new(Wish { sandbox: true, scripts, config: "" }).await;
    let mut config = w.resolved();
    config.patience.idle = Duration::from_secs(2);
    let running = w.start_with(config).await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let mut socket = phone.socket(app, None).await;
    socket.patience = LATER;
    let started = phone.post(app, "/api/stream/start", json!({ "prompt": "remember the word apple" })).await.body;
    socket.of_type("streamComplete").await;
    let cold = |f: &Value| f["data"]["kind"] == "session" && f["data"]["state"] == "cold";
    socket.until(cold).await;
    let stream = format!("/api/stream/{}", started["session_id"].as_str().unwrap());
    assert_eq!(phone.post(app, &stream, json!({ "text": "which word", "client_id": "2" })).await.status, 202);
    let answered = socket.until(|f| f["data"]["kind"] == "text").await;
    assert_eq!(answered["data"]["text"], "apple");
    running.remove().await;
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_stopped_with_a_clear_error() {
    world::relay();
    let scripts = vec![Script::when("wait").step(Step::text("Waiting.").hold())];
    let w = World::new(Wish { sandbox: true, scripts, config: "" }).await;
    let mut config = w.resolved();
    config.patience.turn = Duration::from_secs(5);
    let running = w.start_with(config).await;
    let phone = Phone::pair(&running.app, "phone").await;
    let said = phone.post(&running.app, "/api/ask", json!({ "prompt": "wait", "timeout_ms": 120_000 })).await;
    said.is(504, "TURN_TIMEOUT");
    running.remove().await;
}
