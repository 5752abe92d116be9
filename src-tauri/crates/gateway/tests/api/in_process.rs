//! The desk in process: what the app's window and tray reach, without a port and without a socket.

use crate::{
    api_world::{call, local},
    world::{SOON, Wish, World, until},
};
use bytes::Bytes;
use domain::{ApprovalId, Code, SessionId, approval::Subject};
use gateway::{
    App, clock,
    desk::{Desk, Glance, Pick},
    sessions::{Opening, Scene, open_session},
};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

/// A session in which the agent asks to run something.
async fn asks(app: &App, command: &str) -> (SessionId, ApprovalId) {
    let (session, opening, now) = (SessionId::new(), Opening::usual(app), clock::now());
    let input = json!({ "command": command });
    let subject = Subject::Tool { tool: "Bash".into(), input, why: None, rules: vec![], target: None };
    app.store.write(move |tx| open_session(tx, session, &opening, now)).await.unwrap();
    let scene = Scene::of(app, session);
    let asked = app.store.write(move |tx| {
        scene.ask(tx, Some("r1".into()), subject, None, now)?;
        Ok(store::approvals::all_open(tx)?.pop().unwrap().id)
    });
    (session, asked.await.unwrap())
}

async fn shows(glance: &mut watch::Receiver<Glance>, wanted: impl Fn(&Glance) -> bool) -> Glance {
    timeout(SOON, glance.wait_for(|glance| wanted(glance))).await.expect("it is shown in time").unwrap().clone()
}

async fn ask(desk: &Desk, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let answer = desk.call(request.body(Bytes::from(body.to_string())).unwrap()).await;
    (answer.status(), serde_json::from_slice(answer.body()).unwrap_or_default())
}

#[tokio::test]
async fn a_question_is_glanced_at_and_answered_through_the_local_door() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let desk = Desk::of(&running.app);
    let mut glance = desk.glance();
    let (session, id) = asks(&running.app, "npm test").await;
    let shown = shows(&mut glance, |glance| !glance.approvals.is_empty()).await;
    let open = &shown.approvals[0];
    assert_eq!((open.id, open.session, &open.pick), (id, session, &Pick::Allow));
    assert!(open.words == "run: npm test" && open.in_full == "run: npm test" && open.on_lock_screen, "{open:?}");
    assert_eq!(shown.recent[0].id, session);
    let path = format!("/api/permission/{id}");
    let wrong = json!({ "decision": "allow", "input_hash": "0" });
    let (status, said) = ask(&desk, Method::POST, &path, wrong).await;
    assert_eq!((status.as_u16(), &said["data"]["code"]), (409, &json!("APPROVAL_CHANGED")));
    let (status, said) = ask(&desk, Method::POST, &path, json!({ "decision": "allow", "input_hash": open.hash })).await;
    assert_eq!((status.as_u16(), &said["state"]), (200, &json!("allowed")), "{said}");
    shows(&mut glance, |glance| glance.approvals.is_empty()).await;
    running.stop().await;
}

#[tokio::test]
async fn a_notice_on_the_screen_grants_only_what_a_lock_screen_may() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let desk = Desk::of(&running.app);
    let mut glance = desk.glance();
    let (_, risky) = asks(&running.app, "git push").await;
    let shown = shows(&mut glance, |glance| !glance.approvals.is_empty()).await;
    assert!(!shown.approvals[0].on_lock_screen);
    let hash = shown.approvals[0].hash.clone();
    assert_eq!(desk.answer_notice(risky, &hash, true).await.unwrap_err().code, Code::GrantRefused);
    desk.answer_notice(risky, &hash, false).await.unwrap();
    assert_eq!(desk.answer_notice(risky, &hash, false).await.unwrap_err().code, Code::ApprovalGone);
    let (_, low) = asks(&running.app, "npm test").await;
    let shown = shows(&mut glance, |glance| glance.approvals.iter().any(|a| a.id == low)).await;
    assert_eq!(desk.answer_notice(low, "0", true).await.unwrap_err().code, Code::ApprovalChanged);
    desk.answer_notice(low, &shown.approvals[0].hash, true).await.unwrap();

    let nothing = json!({ "approvals": { "lock_screen_grants": "none" } });
    let (_, low) = asks(&running.app, "npm test").await;
    shows(&mut glance, |glance| glance.approvals.iter().any(|a| a.id == low && a.on_lock_screen)).await;
    assert_eq!(ask(&desk, Method::PATCH, "/settings", nothing).await.0, 200);
    let shown = shows(&mut glance, |glance| glance.approvals.iter().any(|a| a.id == low && !a.on_lock_screen)).await;
    let hash = &shown.approvals.iter().find(|a| a.id == low).unwrap().hash;
    assert_eq!(desk.answer_notice(low, hash, true).await.unwrap_err().code, Code::GrantRefused);
    running.stop().await;
}

#[tokio::test]
async fn a_line_in_process_is_one_more_client_and_ends_with_the_gateway() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let desk = Desk::of(&running.app);
    let (says, mut hears) = desk.subscribe(Some(0));
    let next = async |hears: &mut gateway::desk::Hears| -> Option<Value> {
        let frame = timeout(SOON, hears.next()).await.expect("a frame in time")?;
        Some(serde_json::from_str(&frame).unwrap())
    };
    assert_eq!(next(&mut hears).await.unwrap()["type"], "welcome");
    assert_eq!(next(&mut hears).await.unwrap()["type"], "caughtUp");
    assert!(says.tell(json!({ "type": "presence", "requestId": "1", "data": { "visible": true } }).to_string()).await);
    until(SOON, async || running.app.callers.anyone_looks().then_some(())).await;
    asks(&running.app, "npm test").await;
    while next(&mut hears).await.unwrap()["type"] != "permissionRequest" {}
    running.stop().await;
    while next(&mut hears).await.is_some() {}
    assert!(!says.tell("{}".into()).await);
}

#[tokio::test]
async fn the_windows_page_is_on_the_local_door_alone() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let page = local(&running.app, "GET", "/", None).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && policy.contains("connect-src 'self' ipc:"));
    for path in ["/", "/index.html", "/assets/../index.html", "/assets/%2e%2e/index.html", "/icons/..%2findex.html"] {
        let public = call(&running.app, "GET", path, None, None).await;
        assert_ne!(public.bytes, page.bytes, "{path}");
    }
    running.stop().await;
}
