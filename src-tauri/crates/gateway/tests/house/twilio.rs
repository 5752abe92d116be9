//! Twilio from nothing to a text that was answered.

use crate::{
    api_world::{Said, local},
    get, post, step,
    tunnel_world::{Tunnelled, until_status},
    world::{OWNER, Running, SOON, Wish, until},
};
use gateway::{App, config};
use serde_json::{Value, json};
use standins::{
    ngrok::DOMAIN,
    twilio::{ACCOUNT, NUMBER, TOKEN as AUTH},
};

const TOLL_FREE: &str = "+18885550100";

/// A gateway with an open tunnel to which nobody has said anything of Twilio, but where it is.
async fn without_twilio() -> (Tunnelled, Running) {
    let t = Tunnelled::with_token(Wish::default()).await;
    let secrets = t.w.home().join("secrets.toml");
    let kept = std::fs::read_to_string(&secrets).unwrap();
    std::fs::write(&secrets, kept.replace(&format!("twilio = \"{AUTH}\"\n"), "")).unwrap();
    let path = t.w.home().join("config.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let from = config.find("account_sid").unwrap();
    let to = config[from..].find("base_url").unwrap() + from;
    std::fs::write(&path, format!("{}{}", &config[..from], &config[to..])).unwrap();
    let mut config = t.config();
    config.public_url = None;
    let running = t.start_with(config).await;
    until_status(&running, |s| s.url().is_some()).await;
    (t, running)
}

async fn refused(app: &App, path: &str, body: Value) -> Said {
    let said = local(app, "POST", path, Some(&body)).await;
    assert!(said.status >= 400, "{}", said.text);
    said
}

#[tokio::test]
async fn from_an_account_to_a_text_that_was_answered() {
    let (t, running) = without_twilio().await;
    let app = &running.app;
    assert_eq!(step(app, "texting").await["state"], "todo");

    let shown = post(app, "/twilio/account", json!({ "account_sid": ACCOUNT, "auth_token": AUTH })).await;
    assert_eq!((&shown["status"], &shown["type"], &shown["says"]), (&json!("active"), &json!("Full"), &Value::Null));
    assert!(step(app, "texting").await["says"].as_str().unwrap().contains("none of its numbers"));

    t.w.twilio.add_number(TOLL_FREE);
    t.w.twilio.register_campaign(&[NUMBER], "VERIFIED", &[]);
    let numbers = get(app, "/twilio/numbers").await;
    let registration = |number: &str| {
        let all = numbers.as_array().unwrap();
        all.iter().find(|n| n["number"] == number).unwrap()["registration"]["state"].clone()
    };
    assert_eq!((registration(NUMBER), registration(TOLL_FREE)), (json!("done"), json!("missing")), "{numbers}");

    let saved = post(app, "/twilio/number", json!({ "number": NUMBER })).await;
    assert_eq!((&saved["number"], &saved["restart_needed"]), (&json!(NUMBER), &json!(false)), "{saved}");
    assert_eq!(step(app, "allow").await["state"], "todo");
    let saved = post(app, "/twilio/allow", json!({ "numbers": [OWNER, OWNER] })).await;
    assert_eq!(saved["allow"], json!([OWNER]));

    let webhook = post(app, "/twilio/webhook", json!({})).await;
    assert_eq!(
        (&webhook["set"], &webhook["accepted"], &webhook["refused"], webhook.get("problem")),
        (&json!(true), &json!(true), &json!(true), None),
        "{webhook}"
    );
    assert_eq!(step(app, "texting").await["state"], "done");
    assert_eq!(get(app, "/home").await["texting"]["works"], true);
    assert_eq!(get(app, "/twilio/numbers").await[0]["ours"], true);

    assert_eq!(get(app, "/twilio/hello").await["state"], "none");
    post(app, "/twilio/hello", json!({ "to": OWNER })).await;
    let hello = t.w.arrives(SOON).await.body;
    assert!(hello.contains("answer: menu"), "{hello}");
    until(SOON, async || (get(app, "/twilio/hello").await["state"] == "delivered").then_some(())).await;
    let called = t.w.phone.text(NUMBER, "menu").await.unwrap();
    assert_eq!(called.status, Some(200), "{called:?}");
    until(SOON, async || (get(app, "/twilio/hello").await["state"] == "answered").then_some(())).await;
    let file = std::fs::read_to_string(t.w.home().join("config.toml")).unwrap();
    assert_eq!(config::parse(&file).unwrap().twilio.from, NUMBER);
    assert!(!file.contains(AUTH), "no secret stands in the config");
    running.stop().await;
}

#[tokio::test]
async fn what_twilio_refuses_is_explained_and_nothing_is_kept() {
    let (t, running) = without_twilio().await;
    let app = &running.app;
    let wrong = json!({ "account_sid": ACCOUNT, "auth_token": "ffffffffffffffffffffffffffffffff" });
    let said = refused(app, "/twilio/account", wrong).await;
    said.is(502, "TWILIO_REFUSED");
    assert!(said.body["data"]["details"]["suggestion"].as_str().unwrap().contains("account id and key"));
    refused(app, "/twilio/account", json!({ "account_sid": "AC1", "auth_token": AUTH }))
        .await
        .is(400, "CONFIG_INVALID");
    local(app, "GET", "/twilio/numbers", None).await.is(503, "TWILIO_MISSING");
    refused(app, "/twilio/webhook", json!({})).await.is(503, "TWILIO_MISSING");
    refused(app, "/twilio/hello", json!({ "to": OWNER })).await.is(503, "TWILIO_MISSING");
    let accounts = get(app, "/accounts").await;
    assert!(accounts.as_array().unwrap().iter().any(|a| a["account"] == "twilio" && a["state"] == "missing"));

    post(app, "/twilio/account", json!({ "account_sid": ACCOUNT, "auth_token": AUTH })).await;
    refused(app, "/twilio/number", json!({ "number": "+15550009999" })).await.is(400, "BAD_REQUEST");
    refused(app, "/twilio/number", json!({ "number": "0001" })).await.is(400, "BAD_REQUEST");
    post(app, "/twilio/number", json!({ "number": NUMBER })).await;
    refused(app, "/twilio/allow", json!({ "numbers": [NUMBER] })).await.is(400, "CONFIG_INVALID");
    refused(app, "/twilio/hello", json!({ "to": OWNER })).await.is(400, "BAD_REQUEST");

    t.w.twilio.leave_undelivered(OWNER, 30034);
    post(app, "/twilio/allow", json!({ "numbers": [OWNER] })).await;
    post(app, "/twilio/hello", json!({ "to": OWNER })).await;
    let failed =
        until(SOON, async || Some(get(app, "/twilio/hello").await).filter(|hello| hello["state"] == "failed")).await;
    assert!(failed["code"] == 30034 && failed["says"].as_str().unwrap().contains("A2P 10DLC"), "{failed}");
    running.stop().await;
}

#[tokio::test]
async fn a_trial_account_says_what_it_cannot_do_and_a_webhook_that_fails_says_where() {
    let (t, running) = without_twilio().await;
    let app = &running.app;
    t.w.twilio.set_trial(true);
    let shown = post(app, "/twilio/account", json!({ "account_sid": ACCOUNT, "auth_token": AUTH })).await;
    assert!(shown["type"] == "Trial" && shown["says"].as_str().unwrap().contains("verified"), "{shown}");
    post(app, "/twilio/number", json!({ "number": NUMBER })).await;
    // The link is up and nobody out there reaches it.
    t.edge.black_hole(true);
    let webhook = post(app, "/twilio/webhook", json!({})).await;
    assert_eq!((&webhook["set"], &webhook["accepted"]), (&json!(true), &json!(false)), "{webhook}");
    assert_eq!(webhook["problem"]["code"], "WEBHOOK_UNPROVED");
    t.edge.black_hole(false);
    until_status(&running, |s| s.url().is_some_and(|url| url.contains(DOMAIN))).await;
    running.stop().await;
}
