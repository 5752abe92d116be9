//! How many sessions may be at work at once: one rule for every way in.

mod api_world;
mod world;

use api_world::{Phone, local};
use serde_json::json;
use world::{SOON, Wish, World, until};

/// The engine leads nowhere: what is said waits for a process, and its session holds a place.
const TWO: Wish<'_> = Wish { config: "[limits]\nsessions = 2\n", scripts: vec![], sandbox: false };

#[tokio::test]
async fn no_way_in_begins_more_sessions_than_may_be_at_work() {
    let w = World::new(TWO).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let send = async |id: &str, session: Option<u64>| {
        let body = json!({ "text": "hello", "client_id": id, "session": session });
        local(app, "POST", "/send", Some(&body)).await
    };
    w.text("first").await;
    until(SOON, async || (app.registry.active() == 1).then_some(())).await;
    let second = send("desk", None).await;
    assert_eq!(second.status, 200, "{}", second.text);
    send("another", None).await.is(429, "SESSION_LIMIT");
    phone.post(app, "/api/stream/start", json!({})).await.is(429, "SESSION_LIMIT");
    phone.post(app, "/api/ask", json!({ "prompt": "hello" })).await.is(429, "SESSION_LIMIT");
    for words in ["new", "new fix it"] {
        w.text(words).await;
        let told = w.phone.wait_for(|m| m.body.contains("Too many sessions"), SOON).await.unwrap();
        assert!(told.body.contains("list"), "{}", told.body);
    }
    assert_eq!(app.store.read(|r| store::sessions::count(r)).await.unwrap(), 2, "nothing was begun");
    assert_eq!(send("more", second.body["session"].as_u64()).await.status, 200, "those at work go on");
    running.stop().await;
}

#[tokio::test]
async fn words_that_find_too_many_waiting_are_told_when_to_come_again() {
    let w = World::new(Wish { config: "[agent]\nwaiting = 1\n", ..Wish::default() }).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    let started = phone.post(&running.app, "/api/stream/start", json!({ "prompt": "hello" })).await.body;
    let stream = format!("/api/stream/{}", started["session_id"].as_str().unwrap());
    phone.post(&running.app, &stream, json!({ "text": "more", "client_id": "m" })).await.is(429, "BUSY");
    running.stop().await;
}

#[tokio::test]
async fn many_at_once_do_not_slip_past_the_limit() {
    let w = World::new(TWO).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let starts = (0..20).map(|n| phone.post(app, "/api/stream/start", json!({ "prompt": format!("do {n}") })));
    let said = futures::future::join_all(starts).await;
    assert_eq!(said.iter().filter(|s| s.status == 200).count(), 2);
    assert!(said.iter().filter(|s| s.status != 200).all(|s| s.code() == "SESSION_LIMIT"));
    running.stop().await;
}

#[tokio::test]
async fn words_to_a_session_at_rest_need_a_place_too_and_a_repeat_needs_none() {
    let w = World::new(TWO).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let rests = phone.post(app, "/api/stream/start", json!({ "title": "at rest" })).await.body;
    let stream = format!("/api/stream/{}", rests["session_id"].as_str().unwrap());
    let start = |n: u8| json!({ "prompt": "hello", "client_id": format!("s{n}") });
    let first = phone.post(app, "/api/stream/start", start(1)).await;
    assert_eq!(phone.post(app, "/api/stream/start", start(2)).await.status, 200);
    let words = json!({ "text": "go on", "client_id": "w" });
    phone.post(app, &stream, words.clone()).await.is(429, "SESSION_LIMIT");
    let resume = json!({ "prompt": "go on", "resume": rests["session_id"] });
    phone.post(app, "/api/stream/start", resume).await.is(429, "SESSION_LIMIT");
    let again = phone.post(app, "/api/stream/start", start(1)).await;
    assert_eq!(again.body["session_id"], first.body["session_id"], "{}", again.text);
    let close = format!("/api/stream/{}", first.body["session_id"].as_str().unwrap());
    assert_eq!(api_world::call(app, "DELETE", &close, Some(&phone.access), None).await.status, 204);
    until(SOON, async || (phone.post(app, &stream, words.clone()).await.status == 202).then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_session_with_nothing_to_do_keeps_nothing_running_and_is_driven_again_when_it_is_spoken_to() {
    let w = World::new(TWO).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let started = phone.post(app, "/api/stream/start", json!({ "prompt": "hello" })).await.body;
    let id: uuid::Uuid = started["session_id"].as_str().unwrap().parse().unwrap();
    let driven = || app.registry.glance(domain::SessionId(id)).is_some();
    assert!(driven());
    let path = format!("/api/stream/{id}");
    assert_eq!(api_world::call(app, "DELETE", &path, Some(&phone.access), None).await.status, 204);
    until(SOON, async || (!driven()).then_some(())).await;
    let shown = phone.get(app, &format!("/api/sessions/{id}")).await;
    assert_eq!(shown.body["state"], "closed", "{}", shown.text);
    assert_eq!(phone.post(app, &path, json!({ "text": "go on", "client_id": "w" })).await.status, 202);
    until(SOON, async || driven().then_some(())).await;
    running.stop().await;
}
