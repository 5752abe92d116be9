//! The tunnel set up with one call.

use crate::{
    api_world::local,
    post, step,
    tunnel_world::Tunnelled,
    well,
    world::{SOON, Wish},
};
use serde_json::json;
use standins::ngrok::{DOMAIN, TOKEN};

async fn switched_off() -> (Tunnelled, crate::world::Running) {
    let t = Tunnelled::new(Wish::default()).await;
    let mut config = t.config();
    config.tunnel.enabled = false;
    let running = t.start_with(config).await;
    (t, running)
}

#[tokio::test]
async fn a_good_token_is_kept_and_opens_the_tunnel() {
    let (t, running) = switched_off().await;
    let app = &running.app;
    let shown = post(app, "/tunnel/setup", json!({ "token": TOKEN })).await;
    assert_eq!((&shown["open"], &shown["url"]), (&json!(true), &json!(format!("https://{DOMAIN}"))), "{shown}");
    assert_eq!(step(app, "tunnel").await["state"], "done");
    assert!(app.address.switch.is_on());
    // Again with what is kept, and with a domain that is another's: what ngrok says of that is the answer.
    t.edge.reserve_elsewhere("taken.ngrok.app");
    let shown = post(app, "/tunnel/setup", json!({ "domain": "taken.ngrok.app" })).await;
    assert!(shown["open"] == false && shown["says"].as_str().unwrap().contains("domain"), "{shown}");
    assert_eq!(step(app, "tunnel").await["state"], "broken");
    let shown = post(app, "/tunnel/setup", json!({ "domain": "" })).await;
    assert_eq!(shown["open"], true, "{shown}");
    running.stop().await;
    t.edge.wait_for(SOON, |seen| seen.sessions == 0).await.unwrap();
}

#[tokio::test]
async fn a_refused_token_changes_nothing() {
    let (_t, running) = switched_off().await;
    let app = &running.app;
    let said = local(app, "POST", "/tunnel/setup", Some(&json!({ "token": "2wrong" }))).await;
    said.is(401, "TUNNEL_TOKEN_REFUSED");
    assert!(!app.address.switch.is_on() && !said.text.contains("2wrong"), "{}", said.text);
    assert_eq!(step(app, "tunnel").await["state"], "done", "the config's own address is still there");
    let wrong = local(app, "POST", "/tunnel/setup", Some(&json!({ "token": TOKEN, "domain": "not a host" }))).await;
    assert!(wrong.status == 200 || wrong.code() == "CONFIG_INVALID", "{}", wrong.text);
    well(local(app, "GET", "/tunnel", None).await);
    running.stop().await;
}
