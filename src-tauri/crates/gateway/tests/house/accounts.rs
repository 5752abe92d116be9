//! Secrets that come and go while everything runs.

use crate::{
    api_world::local,
    get, post, step,
    tunnel_world::{Tunnelled, until_status},
    well,
    world::{KEY, SOON, Wish, World, until},
};
use accounts::ExposeSecret;
use domain::Code;
use egress::Credential;
use gateway::App;
use serde_json::{Value, json};
use standins::{
    forge::{CLIENT, Forge},
    ngrok::{DOMAIN, TOKEN},
    twilio::TOKEN as AUTH,
};
use tunnel::TunnelStatus;

/// With what the next request to the model would go.
async fn next_request(app: &App) -> Result<String, Code> {
    let admitted = egress::House::admit_model(&app.house, app.workshop.sandbox(), egress::Payer::default()).await;
    admitted.map_err(|problem| problem.code).map(|admitted| match admitted.key {
        Credential::ApiKey(key) => format!("key {}", key.expose_secret()),
        Credential::Bearer(token) => format!("bearer {}", token.expose_secret()),
    })
}

async fn put(app: &App, account: &str, body: Value) -> Value {
    well(local(app, "PUT", &format!("/accounts/{account}"), Some(&body)).await)
}

async fn shown(app: &App, account: &str) -> Value {
    let all = get(app, "/accounts").await;
    all.as_array().unwrap().iter().find(|a| a["account"] == account).cloned().unwrap()
}

#[tokio::test]
async fn a_changed_key_is_on_the_next_request_and_a_removed_one_on_none() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    assert_eq!(next_request(app).await, Ok(format!("key {KEY}")));
    w.anthropic.accept_keys(["sk-ant-second", "sk-ant-oat01-third"]);
    let kept = put(app, "anthropic", json!({ "secret": " sk-ant-second\n" })).await;
    assert_eq!((&kept["state"], &kept["checked"]["ok"]), (&json!("kept"), &json!(true)), "{kept}");
    assert_eq!(next_request(app).await, Ok("key sk-ant-second".to_owned()));
    put(app, "anthropic", json!({ "secret": "sk-ant-oat01-third" })).await;
    assert_eq!(next_request(app).await, Ok("bearer sk-ant-oat01-third".to_owned()));
    let gone = well(local(app, "DELETE", "/accounts/anthropic", None).await);
    assert_eq!(gone["state"], "missing");
    assert_eq!(next_request(app).await, Err(Code::NoKey));
    until(SOON, async || (step(app, "key").await["state"] == "todo").then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_key_that_anthropic_refuses_is_not_kept_unless_that_is_wished() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let refused = put(app, "anthropic", json!({ "secret": "sk-ant-wrong" })).await;
    assert_eq!((&refused["checked"]["ok"], &refused["checked"]["code"]), (&json!(false), &json!("KEY_REFUSED")));
    assert!(!refused.to_string().contains("sk-ant"), "{refused}");
    assert_eq!(next_request(app).await, Ok(format!("key {KEY}")), "the old one stays");
    put(app, "anthropic", json!({ "secret": "sk-ant-wrong", "check": false })).await;
    assert_eq!(next_request(app).await, Ok("key sk-ant-wrong".to_owned()));
    assert_eq!(post(app, "/accounts/anthropic/check", json!({})).await["checked"]["code"], "KEY_REFUSED");
    running.stop().await;
}

#[tokio::test]
async fn a_key_that_could_not_be_checked_takes_no_others_place() {
    let w = World::new(Wish::default()).await;
    let path = w.home().join("config.toml");
    let config = std::fs::read_to_string(&path).unwrap().replace(&w.anthropic.url(), "http://127.0.0.1:9");
    std::fs::write(&path, config).unwrap();
    let running = w.start().await;
    let kept = put(&running.app, "anthropic", json!({ "secret": "sk-ant-second" })).await;
    assert_eq!((&kept["checked"]["ok"], &kept["checked"]["code"]), (&json!(false), &json!("UPSTREAM_UNREACHABLE")));
    assert!(kept["checked"]["says"].as_str().unwrap().contains("not kept"), "{kept}");
    assert_eq!(next_request(&running.app).await, Ok(format!("key {KEY}")));
    put(&running.app, "anthropic", json!({ "secret": "sk-ant-second", "check": false })).await;
    assert_eq!(next_request(&running.app).await, Ok("key sk-ant-second".to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn what_can_be_no_secret_and_what_is_no_account_of_the_owners_is_refused() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    for secret in ["", "  ", "two words", "a\nb"] {
        let said = local(app, "PUT", "/accounts/anthropic", Some(&json!({ "secret": secret }))).await;
        said.is(400, "BAD_REQUEST");
    }
    for account in ["links", "push", "lan", "nobody"] {
        let path = format!("/accounts/{account}");
        local(app, "PUT", &path, Some(&json!({ "secret": "x" }))).await.is(404, "NOT_FOUND");
        local(app, "DELETE", &path, None).await.is(404, "NOT_FOUND");
    }
    running.stop().await;
}

#[tokio::test]
async fn ngroks_token_is_tried_by_a_real_session_and_moves_an_open_tunnel() {
    let t = Tunnelled::new(Wish::default()).await;
    let running = t.start().await;
    let app = &running.app;
    until_status(&running, |s| matches!(s, TunnelStatus::Refused { .. })).await;
    assert_eq!(step(app, "tunnel").await["state"], "broken");
    let refused = put(app, "ngrok", json!({ "secret": "2wrong" })).await;
    assert_eq!((&refused["checked"]["code"], &refused["state"]), (&json!("TUNNEL_TOKEN_REFUSED"), &json!("missing")));
    let kept = put(app, "ngrok", json!({ "secret": TOKEN })).await;
    assert_eq!((&kept["checked"]["ok"], &kept["state"]), (&json!(true), &json!("kept")), "{kept}");
    let open = until_status(&running, |s| s.url().is_some()).await;
    assert!(open.url().unwrap().contains(DOMAIN));
    well(local(app, "DELETE", "/accounts/ngrok", None).await);
    let shut = until_status(&running, |s| matches!(s, TunnelStatus::Refused { .. })).await;
    assert_eq!(shut.problem().unwrap().code, Code::TunnelNoToken);
    t.edge.wait_for(SOON, |seen| seen.sessions == 0 && seen.links == 0).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn texting_follows_its_token_without_a_restart() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    well(local(app, "DELETE", "/accounts/twilio", None).await);
    assert!(app.texting.now().is_none());
    assert_eq!(step(app, "texting").await["state"], "broken");
    let refused = put(app, "twilio", json!({ "secret": "ffffffffffffffffffffffffffffffff" })).await;
    assert_eq!(refused["checked"]["code"], "TWILIO_REFUSED", "{refused}");
    assert!(refused["checked"]["suggestion"].as_str().unwrap().contains("account id and key"), "{refused}");
    put(app, "twilio", json!({ "secret": AUTH })).await;
    w.text("menu").await;
    assert!(w.arrives(SOON).await.body.contains("Just write"), "texts come and go again");
    assert_eq!(shown(app, "twilio").await["state"], "kept");
    running.stop().await;
}

#[tokio::test]
async fn a_sign_in_tells_its_code_and_what_github_says_of_the_token_which_no_answer_has() {
    const SIGNED_IN: &str = "ghu_signed-in";
    let folder = tempfile::tempdir().unwrap();
    let forge = Forge::start(folder.path(), SIGNED_IN).await.unwrap();
    let config = format!(
        "[tasks]\nforges = [\"github.com github api={0} login={0}/login secret=github\"]\ngithub_app = \"{CLIENT}\"\n",
        forge.url
    );
    let w = World::new(Wish { config: &config, ..Wish::default() }).await;
    let running = w.start().await;
    let app = &running.app;
    assert_eq!(
        (&shown(app, "github").await["sign_in"], &shown(app, "ngrok").await["sign_in"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(local(app, "POST", "/accounts/ngrok/sign-in", None).await.status, 404);
    for (grants, end) in [(false, "refused"), (true, "done")] {
        let looks = || forge.requests().iter().filter(|(_, path)| path == "/login/oauth/access_token").count();
        let before = looks();
        let owner = async {
            until(SOON, async || (looks() > before).then_some(())).await;
            if grants { forge.grant_device() } else { forge.deny_device() }
        };
        let (said, ()) = tokio::join!(local(app, "POST", "/accounts/github/sign-in", None), owner);
        let lines: Vec<Value> = said.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["code", end], "{}", said.text);
        assert!(lines[0]["url"].as_str().is_some_and(|url| url.starts_with("http")) && lines[0]["expires_in"].is_u64());
        assert!(!said.text.contains(SIGNED_IN), "{}", said.text);
        assert_eq!(shown(app, "github").await["state"], if grants { "kept" } else { "missing" });
    }
    running.stop().await;
}
