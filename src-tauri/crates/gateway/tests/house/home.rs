//! The first screen, and what is mended from it.

use crate::{
    api_world::local,
    get, post, step,
    tunnel_world::{Tunnelled, until_status},
    well,
    world::{PUBLIC_URL, SOON, Wish, World, until},
};
use serde_json::{Value, json};
use standins::{ngrok::TOKEN, twilio::NUMBER};
use std::time::{Duration, Instant};
use tunnel::TunnelStatus;

fn finding<'f>(findings: &'f Value, what: &str) -> &'f Value {
    findings.as_array().unwrap().iter().find(|f| f["what"] == what).unwrap()
}

#[tokio::test]
async fn home_says_how_everything_stands_and_asks_nobody() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    get(app, "/home").await;
    let (asked, began) = (w.twilio.requests(), Instant::now());
    let mut least = Duration::MAX;
    for _ in 0..20 {
        let one = Instant::now();
        get(app, "/home").await;
        least = least.min(one.elapsed());
    }
    println!("measured: /home {least:?} at best, {:?} for 20", began.elapsed());
    assert_eq!(w.twilio.requests(), asked, "nobody outside is asked for it");
    let home = get(app, "/home").await;
    assert_eq!((&home["texting"]["number"], &home["today"]["cap_dollars"]), (&json!(NUMBER), &json!(50.0)), "{home}");
    assert_eq!(
        (&home["restart_needed"], &home["working"], &home["open_approvals"]),
        (&json!(false), &json!(0), &json!(0))
    );
    let ids: Vec<_> = home["steps"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["docker", "image", "key", "tunnel", "texting", "allow", "phone"]);
    running.stop().await;
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_a_broken_step_that_can_be_skipped_until_it_is_done() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let broken = until(SOON, async || Some(step(app, "docker").await).filter(|s| s["state"] == "broken")).await;
    assert!(broken["suggestion"].as_str().unwrap().contains("Start Docker"), "{broken}");
    assert_eq!(post(app, "/setup/phone/skip", json!({ "skip": true })).await["state"], "skipped");
    assert_eq!(step(app, "phone").await["state"], "skipped");
    crate::api_world::Phone::pair(app, "Ada's phone").await;
    assert_eq!(step(app, "phone").await["state"], "done", "what is really there counts");
    assert_eq!(post(app, "/setup/docker/skip", json!({ "skip": true })).await["state"], "skipped");
    running.stop().await;
    let again = w.start().await;
    until(SOON, async || (step(&again.app, "docker").await["state"] == "skipped").then_some(())).await;
    local(&again.app, "POST", "/setup/nothing/skip", Some(&json!({ "skip": true }))).await.is(404, "NOT_FOUND");
    again.stop().await;
}

#[tokio::test]
async fn doctor_names_what_mends_a_finding_and_mending_answers_it_anew() {
    let t = Tunnelled::with_token(Wish::default()).await;
    let mut config = t.config();
    config.tunnel.enabled = false;
    config.public_url = None;
    let running = t.start_with(config).await;
    let app = &running.app;
    let findings = get(app, "/doctor").await;
    assert_eq!(finding(&findings, "address")["fix"], "tunnel.on", "{findings}");
    let engine = finding(&findings, "engine");
    assert!(engine["fix"].is_null() && engine["link"].as_str().unwrap().starts_with("https://"), "{engine}");
    let mended = post(app, "/mend/tunnel.on", json!({})).await;
    assert_eq!((&mended["what"], &mended["state"]), (&json!("tunnel"), &json!("well")), "{mended}");
    let webhook = post(app, "/mend/webhook.set", json!({})).await;
    assert!(webhook["state"] == "well" && webhook["says"].as_str().unwrap().contains("signed request"), "{webhook}");
    local(app, "POST", "/mend/docker.install", None).await.is(404, "NOT_FOUND");
    running.stop().await;
}

#[tokio::test]
async fn what_was_refused_before_does_not_answer_for_what_mends_it() {
    let t = Tunnelled::new(Wish::default()).await;
    let running = t.start().await;
    let app = &running.app;
    until_status(&running, |s| matches!(s, TunnelStatus::Refused { .. })).await;
    t.keep_token(TOKEN);
    let mended = post(app, "/mend/tunnel.on", json!({})).await;
    assert_eq!((&mended["what"], &mended["state"]), (&json!("tunnel"), &json!("well")), "{mended}");
    running.stop().await;
}

#[tokio::test]
async fn a_number_is_set_up_once_it_leads_here() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let told = step(app, "texting").await;
    assert!(told["state"] == "todo" && told["suggestion"].as_str().unwrap().contains("webhook"), "{told}");
    let proved = format!("{NUMBER} {PUBLIC_URL}");
    app.store.write(move |tx| store::facts::set(tx, store::facts::NUMBER_LED, &proved)).await.unwrap();
    assert_eq!(step(app, "texting").await["state"], "done", "also after a restart");
    running.stop().await;
}

#[tokio::test]
async fn a_build_without_an_engine_fails_and_says_so_to_who_watches() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    assert!(local(app, "GET", "/image/progress", None).await.text.lines().count() == 1, "none runs: one line");
    assert_eq!(local(app, "POST", "/image/build", None).await.status, 202);
    let last = until(SOON, async || {
        let text = local(app, "GET", "/image/progress", None).await.text;
        let last: Value = serde_json::from_str(text.lines().last()?).unwrap();
        Some(last).filter(|line| line["state"] == "failed")
    })
    .await;
    assert_eq!(last["problem"]["code"], "NO_ENGINE", "{last}");
    well(local(app, "GET", "/home", None).await);
    running.stop().await;
}
