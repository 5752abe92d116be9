//! What was allowed always, and the PIN, at the desk.

use crate::{
    api_world::local,
    get, post,
    world::{KEY, Wish, World},
};
use domain::{PermissionMode, SessionId, agent::Rule};
use gateway::{
    clock,
    sessions::{Opening, open_session},
};
use serde_json::{Value, json};
use store::{rules, sessions};

#[tokio::test]
async fn what_was_allowed_always_is_listed_to_the_letter_and_taken_back_once() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    assert_eq!(get(app, "/rules").await["rules"], json!([]));
    let (open, closed) = (SessionId::new(), SessionId::new());
    let rule = |content: &str| Rule { tool: "Bash".into(), content: Some(content.into()) };
    let (test, odd, old) = (rule("npm test *"), rule("echo \u{202e}x"), rule("ls *"));
    let (now, opening) = (clock::now(), Opening { agent: "claude".into(), mode: PermissionMode::Default });
    let made = move |tx: &store::Tx<'_>| {
        open_session(tx, open, &opening, now)?;
        open_session(tx, closed, &opening, now)?;
        rules::add(tx, open, &test, now)?;
        rules::add(tx, open, &odd, domain::Timestamp(now.0 + 1))?;
        rules::add(tx, closed, &old, now)?;
        sessions::close(tx, closed)
    };
    app.store.write(made).await.unwrap();
    let list = get(app, "/rules").await["rules"].clone();
    let shown: Vec<&str> = list.as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
    assert_eq!(shown, ["Bash(echo <U+202E>x)", "Bash(npm test *)"], "the newest first, none of a closed session");

    let gone = json!({ "session": list[0]["session"], "exact": list[0]["exact"] });
    assert_eq!(post(app, "/rules/forget", gone.clone()).await["rules"], json!([list[1]]));
    let again = local(app, "POST", "/rules/forget", Some(&gone)).await;
    assert!(again.status == 404 && again.text.contains("lanyard rules"), "{}", again.text);
    let left = app.store.read(move |r| rules::of_session(r, open)).await.unwrap();
    assert_eq!(left.len(), 1);
    let audit = local(app, "GET", "/audit", None).await.text;
    assert_eq!(audit.lines().filter(|line| line.contains("rule_taken_back")).count(), 1, "{audit}");
    running.stop().await;
}

#[tokio::test]
async fn the_pin_is_set_and_removed_at_the_desk_and_only_a_hash_is_kept() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let unset = json!({ "set": false, "locked_until": Value::Null });
    assert_eq!(get(app, "/pin").await, unset);
    let short = local(app, "POST", "/pin", Some(&json!({ "pin": " 12 " }))).await;
    assert!(short.status == 400 && short.text.contains("4 to 64"), "{}", short.text);
    assert_eq!(post(app, "/pin", json!({ "pin": "2468" })).await["set"], true);
    let kept = std::fs::read_to_string(w.home().join("secrets.toml")).unwrap();
    assert!(kept.contains("argon2id") && !kept.contains("2468") && kept.contains(KEY));
    assert_eq!(post(app, "/pin/remove", json!({})).await, unset);
    running.stop().await;
}
