//! The config file as a form.

use crate::{
    api_world::{Said, local},
    get,
    world::{Wish, World},
};
use gateway::{App, config};
use serde_json::{Value, json};
use std::fs;

async fn patch(app: &App, patch: Value) -> Said {
    local(app, "PATCH", "/settings", Some(&patch)).await
}

#[tokio::test]
async fn a_change_is_in_the_file_beside_the_owners_comments() {
    let w = World::new(Wish { config: "# not too much\n[spend]\nday = 5.0 # dollars\n", ..Wish::default() }).await;
    let running = w.start().await;
    let changed = patch(&running.app, json!({ "spend": { "day": 7.5 }, "agent": { "model": "opus" } })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(
        (&changed.body["values"]["spend"]["day"], &changed.body["waiting"]),
        (&json!(7.5), &json!(["agent.model"]))
    );
    let file = fs::read_to_string(w.home().join("config.toml")).unwrap();
    assert!(file.contains("# not too much\n[spend]\nday = 7.5 # dollars\n"), "{file}");
    assert_eq!(config::parse(&file).unwrap().agent.model, "opus");
    running.stop().await;
}

#[tokio::test]
async fn a_refused_value_names_its_key_and_changes_nothing() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let before = fs::read_to_string(w.home().join("config.toml")).unwrap();
    for (wrong, key) in [
        (json!({ "spend": { "turn": 1, "day": -1 } }), "spend.day"),
        (json!({ "egress": { "allow": ["*"] } }), "egress.allow"),
        (json!({ "server": { "lissten": "x" } }), "server.lissten"),
        (json!({ "agent": { "mode": "yolo" } }), "agent.mode"),
    ] {
        let refused = patch(&running.app, wrong).await;
        refused.is(400, "CONFIG_INVALID");
        assert_eq!(refused.body["data"]["details"]["key"], key, "{}", refused.text);
    }
    patch(&running.app, json!([1])).await.is(400, "BAD_REQUEST");
    assert_eq!(fs::read_to_string(w.home().join("config.toml")).unwrap(), before);
    assert_eq!(get(&running.app, "/settings").await["restart_needed"], false);
    running.stop().await;
}

#[tokio::test]
async fn a_spending_limit_holds_from_the_next_request_on() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let ask = async || {
        let sandbox = app.workshop.sandbox();
        egress::House::admit_model(&app.house, sandbox, egress::Payer::default()).await.map(drop)
    };
    ask().await.unwrap();
    patch(app, json!({ "spend": { "day": 0 } })).await;
    assert_eq!(ask().await.unwrap_err().code, domain::Code::SpendCap);
    patch(app, json!({ "spend": { "day": null } })).await;
    ask().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_file_that_somebody_broke_is_told_and_not_written_over() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let path = w.home().join("config.toml");
    fs::write(&path, "[spend\nday = 1\n").unwrap();
    patch(&running.app, json!({ "spend": { "day": 7 } })).await.is(400, "CONFIG_INVALID");
    assert_eq!(fs::read_to_string(&path).unwrap(), "[spend\nday = 1\n");
    let findings = get(&running.app, "/doctor").await;
    assert!(findings.as_array().unwrap().iter().any(|f| f["what"] == "config" && f["state"] == "broken"), "{findings}");
    local(&running.app, "POST", "/restart", None).await.is(400, "CONFIG_INVALID");
    running.stop().await;
}

#[tokio::test]
async fn what_somebody_wrote_into_the_file_waits_for_a_restart() {
    let w = World::new(Wish { config: "[spend]\nday = 5.0\n", ..Wish::default() }).await;
    let running = w.start().await;
    let path = w.home().join("config.toml");
    let file = fs::read_to_string(&path).unwrap().replace("day = 5.0", "day = 6.0");
    fs::write(&path, file).unwrap();
    assert_eq!(get(&running.app, "/home").await["restart_needed"], true);
    assert_eq!(get(&running.app, "/settings").await["waiting"], json!(["spend.day"]));
    running.stop().await;
}
