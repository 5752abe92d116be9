//! A lost phone.

use crate::{
    api_world::{self, Phone, call, local},
    get, well,
    world::{SOON, Wish, World},
};
use domain::{
    ApprovalId, SessionId,
    approval::{Approval, Decision, Subject},
    risk::Risk,
};
use gateway::App;
use serde_json::json;
use store::{approvals, sessions};

/// Something that waits for an answer.
async fn asked(app: &App) -> ApprovalId {
    let (id, session, now) = (ApprovalId::new(), SessionId::new(), gateway::clock::now());
    let opening = gateway::sessions::Opening::usual(app);
    app.store
        .write(move |tx| {
            gateway::sessions::open_session(tx, session, &opening, now)?;
            let subject = Subject::Tool {
                tool: "Bash".into(),
                input: json!({ "command": "make" }),
                why: None,
                rules: Vec::new(),
                target: None,
            };
            let approval = Approval {
                id,
                number: approvals::free_number(tx, now)?,
                session,
                turn: None,
                request: None,
                hash: subject.hash(),
                risk: Risk::Low,
                subject,
                asked_at: now,
                expires_at: now + SOON * 10,
                decision: None,
            };
            approvals::open(tx, &approval)
        })
        .await
        .unwrap();
    id
}

async fn decision(app: &App, id: ApprovalId) -> Option<Decision> {
    app.store.read(move |r| approvals::get(r, id)).await.unwrap().unwrap().decision
}

#[tokio::test]
async fn locking_shuts_out_every_phone_and_token_and_refuses_what_is_asked() {
    let w = World::new(Wish { config: "", ..Wish::default() }).await;
    let running = w.start().await;
    let app = &running.app;
    let (phone, token) = (Phone::pair(app, "lost").await, api_world::token(app, &["read"]).await);
    let mut socket = phone.socket(app, None).await;
    socket.of_type("welcome").await;
    let (id, code) = (asked(app).await, gateway::pairing::offer(app, false).code);
    let shut = well(local(app, "POST", "/lock", None).await);
    assert_eq!((&shut["revoked"], &shut["denied"]), (&json!(2), &json!(1)), "{shut}");
    for token in [&phone.access, &token] {
        call(app, "GET", "/api/info", Some(token), None).await.is(423, "LOCKED");
    }
    for path in ["/", "/pair", "/health", "/a/x"] {
        assert_eq!(call(app, "GET", path, None, None).await.status, 423, "{path}");
    }
    assert_ne!(call(app, "POST", "/sms", None, None).await.status, 423, "texts still come");
    socket.closed().await;
    assert!(matches!(decision(app, id).await, Some(Decision::Denied { .. })));
    assert_ne!(gateway::pairing::offer(app, false).code, code, "who saw the code has nothing of it");
    // There is no engine here: that is said, and the rest was done all the same.
    assert_eq!((&shut["sandbox_paused"], &shut["failed"][0]["code"]), (&json!(false), &json!("NO_ENGINE")), "{shut}");
    let again = well(local(app, "POST", "/lock", None).await);
    assert_eq!((&again["revoked"], &again["denied"]), (&json!(0), &json!(0)));
    assert_eq!(get(app, "/phones").await["phones"].as_array().unwrap().len(), 1, "they are still shown");
    local(app, "POST", "/pairing", None).await.is(423, "LOCKED");
    local(app, "POST", "/sandbox/resume", None).await.is(423, "LOCKED");
    assert_eq!(get(app, "/home").await["locked"], true);
    running.stop().await;
    // A restart opens nothing; the desk does.
    let running = w.start().await;
    let app = &running.app;
    call(app, "GET", "/api/info", Some(&phone.access), None).await.is(423, "LOCKED");
    assert_eq!(well(local(app, "POST", "/unlock", None).await)["locked"], false);
    assert_eq!(call(app, "GET", "/api/info", Some(&phone.access), None).await.status, 401, "it stays shut out");
    well(local(app, "POST", "/pairing", None).await);
    running.stop().await;
}

#[tokio::test]
async fn a_paired_phone_locks_everything_itself_too_and_no_phone_unlocks() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let (lost, found) = (Phone::pair(app, "lost").await, Phone::pair(app, "found").await);
    call(app, "POST", "/unlock", Some(&found.access), None).await.is(404, "NOT_FOUND");
    let shut = call(app, "POST", "/api/lock", Some(&found.access), None).await;
    assert_eq!((shut.status, &shut.body["revoked"]), (200, &json!(2)), "{}", shut.text);
    for phone in [lost, found] {
        call(app, "GET", "/api/info", Some(&phone.access), None).await.is(423, "LOCKED");
    }
    running.stop().await;
}

#[tokio::test]
async fn while_it_is_locked_a_text_begins_nothing_and_says_where_to_unlock() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    well(local(app, "POST", "/lock", None).await);
    w.text("delete everything").await;
    assert_eq!(w.arrives(SOON).await.body, domain::Code::Locked.entry().sms);
    assert!(app.store.read(|r| sessions::latest(r, 9)).await.unwrap().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn lock_by_text_does_the_same_and_leaves_the_way_by_which_it_came() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "lost").await;
    let id = asked(app).await;
    app.address.switch.turn(true);
    w.text("Lock").await;
    let said = w.arrives(SOON).await.body;
    assert!(said.contains("1 phone shut out, 1 question refused") && said.contains("NOT be paused"), "{said}");
    phone.get(app, "/api/info").await.is(423, "LOCKED");
    assert!(matches!(decision(app, id).await, Some(Decision::Denied { .. })));
    assert!(app.address.switch.is_on());
    assert!(
        app.store.read(|r| sessions::latest(r, 9)).await.unwrap().len() == 1,
        "the word itself is not for an agent"
    );
    running.stop().await;
}

#[tokio::test]
async fn what_is_locked_lets_nothing_out_not_even_to_a_host_of_the_rules() {
    use egress::House as _;
    use secrecy::ExposeSecret;
    let w = World::new(Wish { config: "[egress]\nallow = [\"allowed.example\"]\n", ..Wish::default() }).await;
    let running = w.start().await;
    let app = &running.app;
    let (token, _) = app.tokens.mint(app.workshop.sandbox());
    let who = async || app.house.who(app.workshop.sandbox(), token.expose_secret()).await.map_err(|p| p.code);
    assert!(who().await.is_ok());
    well(local(app, "POST", "/lock", None).await);
    assert_eq!(who().await, Err(domain::Code::Locked));
    well(local(app, "POST", "/unlock", None).await);
    assert!(who().await.is_ok());
    running.stop().await;
}
