//! The public door through a tunnel: the real ngrok SDK against an edge on loopback that speaks its wire.

mod api_world;
mod tunnel_world;
mod world;

use api_world::{Phone, local};
use domain::Code;
use gateway::address::Number;
use serde_json::json;
use standins::{
    ngrok::{DOMAIN, TOKEN},
    twilio::{NUMBER, TOKEN as AUTH},
};
use tunnel::TunnelStatus;
use tunnel_world::{MOVED, Tunnelled, led, proved, received, until_status};
use world::{SOON, Wish, until};

#[tokio::test]
async fn twilios_number_is_led_to_the_tunnel_and_that_is_proved_from_outside() {
    let t = Tunnelled::with_token(Wish::default()).await;
    let running = t.start().await;
    proved(&running).await;
    assert_eq!(webhook(&running).await, format!("https://{DOMAIN}/sms#rc=5&rp=all"));
    let posted = |status| (format!("{DOMAIN}/sms"), status);
    assert_eq!(t.edge.seen().posts, [posted(200), posted(403)], "rightly signed, wrongly signed");
    assert_eq!(received(&running).await, 0, "the proof is nobody's message");
    let refused = async || local(&running.app, "GET", "/status", None).await.body["refused_signatures"].clone();
    assert_eq!(refused().await, 0, "and nobody's attempt");
    let visitor = running.app.config.tunnel.visitor();
    assert_eq!(visitor.post_form(&format!("https://{DOMAIN}/sms"), &[("Body", "x")], "wrong").await.unwrap(), 403);
    assert_eq!(refused().await, 1, "a stranger's is");
    assert_eq!(t.text(&running, "SM0123456789abcdef0123456789abcdef", "menu").await.unwrap(), 200);
    assert!(t.w.arrives(SOON).await.body.contains("Just write"));
    assert!(!running.app.address.page_in_the_way());
    running.stop().await;
    t.edge.wait_for(SOON, |seen| (seen.sessions, seen.tunnels) == (0, 0)).await.expect("nothing is left at ngrok");
}

/// Where Twilio posts the number's texts.
async fn webhook(running: &world::Running) -> String {
    let numbers = running.app.texting.now().unwrap().twilio.numbers().await.unwrap();
    let own = numbers.into_iter().find(|n| n.phone_number.as_str() == NUMBER).unwrap();
    own.sms_url.unwrap()
}

#[tokio::test]
async fn when_the_address_moves_twilios_number_follows_and_phones_that_look_are_told() {
    let t = Tunnelled::with_token(Wish { config: "[api]\nhosts = [\"desk.example\"]\n", ..Wish::default() }).await;
    let running = t.start().await;
    proved(&running).await;
    let mut socket = Phone::pair(&running.app, "phone").await.socket(&running.app, None).await;
    let welcome = socket.of_type("welcome").await;
    assert_eq!(welcome["data"]["status"]["tunnel"], format!("https://{DOMAIN}"));
    t.edge.set_moving(true);
    t.edge.cut();
    let moved = json!(format!("https://{MOVED}"));
    socket.until(|frame| frame["data"]["kind"] == "house" && frame["data"]["tunnel"] == moved).await;
    let proofs = t.edge.wait_for(SOON, |seen| seen.posts.len() == 4).await.unwrap().posts;
    assert_eq!(proofs[2..], [(format!("{MOVED}/sms"), 200), (format!("{MOVED}/sms"), 403)]);
    proved(&running).await;
    assert_eq!(webhook(&running).await, format!("https://{MOVED}/sms#rc=5&rp=all"));
    running.stop().await;
}

#[tokio::test]
async fn a_number_that_cannot_be_led_here_says_why_until_the_tunnel_is_off() {
    let t = Tunnelled::new(Wish::default()).await;
    let secrets = t.w.home().join("secrets.toml");
    let kept = std::fs::read_to_string(&secrets).unwrap().replace(AUTH, "ffffffffffffffffffffffffffffffff");
    std::fs::write(&secrets, kept).unwrap();
    t.keep_token(TOKEN);
    let running = t.start().await;
    let Number::Failed { why } = led(&running).await else { panic!("led with a wrong token") };
    assert_eq!(why.code, Code::TwilioRefused);
    let shown = local(&running.app, "GET", "/tunnel", None).await.body;
    assert_eq!(shown["number"]["why"]["code"], "TWILIO_REFUSED", "{shown}");
    assert_eq!(t.edge.seen().posts, [], "nothing to prove");
    let shown = local(&running.app, "POST", "/tunnel", Some(&json!({ "on": false }))).await;
    assert_eq!(shown.status, 200);
    until_status(&running, |s| *s == TunnelStatus::Off).await;
    assert_eq!(running.app.address.number(), Number::Untouched, "what was found out is nothing now");
    running.stop().await;
}

#[tokio::test]
async fn a_link_that_is_cut_comes_back_and_texts_go_on() {
    let t = Tunnelled::with_token(Wish::default()).await;
    let running = t.start().await;
    proved(&running).await;
    t.edge.cut();
    until(SOON, async || {
        let sent = t.text(&running, "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "list").await;
        matches!(sent, Ok(200)).then_some(())
    })
    .await;
    assert!(!t.w.arrives(SOON).await.body.is_empty());
    assert_eq!(received(&running).await, 1, "tried more than once, done once");
    running.stop().await;
}

#[tokio::test]
async fn what_is_missing_or_refused_says_what_to_do_and_switching_on_tries_again() {
    let t = Tunnelled::new(Wish::default()).await;
    let running = t.start().await;
    let refused = until_status(&running, |s| matches!(s, TunnelStatus::Refused { .. })).await;
    assert_eq!(refused.problem().unwrap().code, domain::Code::TunnelNoToken);
    t.keep_token(TOKEN);
    running.app.secrets.forget(accounts::keychain::Account::Ngrok).await;
    running.app.address.switch.turn(true);
    until_status(&running, |s| s.url().is_some()).await;
    running.app.address.switch.turn(false);
    until_status(&running, |s| *s == TunnelStatus::Off).await;
    assert_eq!(running.app.address.url().as_deref(), Some(world::PUBLIC_URL), "the config's address holds again");
    t.edge.wait_for(SOON, |seen| seen.tunnels == 0).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn ngroks_own_page_before_ours_is_noticed_and_a_switch_outlives_a_restart() {
    let t = Tunnelled::with_token(Wish { config: "[sms]\nsegments = 4\n", ..Wish::default() }).await;
    t.edge.set_interstitial(true);
    let running = t.start().await;
    until(SOON, async || running.app.address.page_in_the_way().then_some(())).await;
    running.app.address.switch.keep(&running.app.store, false).await.unwrap();
    running.stop().await;
    let running = t.start().await;
    assert_eq!(*running.app.address.status().borrow(), TunnelStatus::Off);
    running.stop().await;
}

#[tokio::test]
async fn settings_and_phones_are_not_to_be_had_through_the_tunnel() {
    let t = Tunnelled::with_token(Wish::default()).await;
    let running = t.start().await;
    proved(&running).await;
    let visitor = running.app.config.tunnel.visitor();
    for path in ["/status", "/phones", "/tunnel", "/stop", "/approvals", "/secrets/forget", "/pairing", "/doctor"] {
        let page = visitor.page(&format!("https://{DOMAIN}{path}"), &[]).await.unwrap();
        assert_eq!(page.status, 404, "{path}");
    }
    running.stop().await;
}
