//! The public door through a tunnel: the real ngrok SDK against an edge on loopback that speaks its wire.

mod world;

use accounts::twilio::Signer;
use gateway::address::Number;
use standins::{
    ngrok::{DOMAIN, Edge, TOKEN},
    twilio::{ACCOUNT, NUMBER, TOKEN as AUTH},
};
use std::io::Write;
use store::inbox;
use tunnel::TunnelStatus;
use world::{OWNER, Running, SOON, Wish, World, until};

struct Tunnelled {
    w: World,
    edge: Edge,
}

impl Tunnelled {
    async fn new(config: &str) -> Self {
        let w = World::new(Wish { config, ..Wish::default() }).await;
        Self { w, edge: Edge::start().await.unwrap() }
    }

    fn keep_token(&self, token: &str) {
        let secrets = self.w.home().join("secrets.toml");
        let mut file = std::fs::File::options().append(true).open(secrets).unwrap();
        writeln!(file, "ngrok = \"{token}\"").unwrap();
    }

    async fn start(&self) -> Running {
        let mut config = self.w.resolved();
        config.tunnel.enabled = true;
        config.tunnel.edge = Some(self.edge.addr().to_string());
        config.tunnel.roots = Some(self.edge.ca_pem().to_owned());
        config.tunnel.resolve = Some((DOMAIN.to_owned(), self.edge.public_addr()));
        self.w.start_with(config).await
    }

    /// A text of the owner, as Twilio brings it to the public address.
    async fn text(&self, running: &Running, sid: &str, words: &str) -> Result<u16, accounts::Cause> {
        let url = format!("https://{DOMAIN}/sms");
        let fields = [
            ("MessageSid", sid),
            ("From", OWNER),
            ("To", NUMBER),
            ("Body", words),
            ("NumMedia", "0"),
            ("AccountSid", ACCOUNT),
        ];
        let signature = Signer::new(&AUTH.into()).sign_form(&url, &fields);
        running.app.config.tunnel.visitor().post_form(&url, &fields, &signature).await
    }
}

async fn proved(running: &Running) {
    let led = until(SOON, async || Some(running.app.address.number()).filter(|n| *n != Number::Untouched)).await;
    assert_eq!(led, Number::Proved);
}

async fn until_status(running: &Running, fits: impl Fn(&TunnelStatus) -> bool) -> TunnelStatus {
    let mut status = running.app.address.status();
    let found = tokio::time::timeout(SOON, status.wait_for(fits)).await.expect("the tunnel comes to that").unwrap();
    found.clone()
}

#[tokio::test]
async fn twilios_number_is_led_to_the_tunnel_and_that_is_proved_from_outside() {
    let t = Tunnelled::new("").await;
    t.keep_token(TOKEN);
    let running = t.start().await;
    proved(&running).await;
    let numbers = running.app.texting.as_ref().unwrap().twilio.numbers().await.unwrap();
    let own = numbers.iter().find(|n| n.phone_number.as_str() == NUMBER).unwrap();
    assert_eq!(own.sms_url.as_deref(), Some(format!("https://{DOMAIN}/sms#rc=5&rp=all").as_str()));
    assert_eq!(running.app.store.read(|r| inbox::count(r)).await.unwrap(), 0, "the proof is nobody's message");
    assert_eq!(t.text(&running, "SM0123456789abcdef0123456789abcdef", "menu").await.unwrap(), 200);
    assert!(t.w.arrives(SOON).await.body.contains("Just write"));
    assert!(!running.app.address.page_in_the_way());
    running.stop().await;
    t.edge.wait_for(SOON, |seen| (seen.sessions, seen.tunnels) == (0, 0)).await.expect("nothing is left at ngrok");
}

#[tokio::test]
async fn a_link_that_is_cut_comes_back_and_texts_go_on() {
    let t = Tunnelled::new("").await;
    t.keep_token(TOKEN);
    let running = t.start().await;
    proved(&running).await;
    t.edge.cut();
    until(SOON, async || {
        let sent = t.text(&running, "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "list").await;
        matches!(sent, Ok(200)).then_some(())
    })
    .await;
    assert!(!t.w.arrives(SOON).await.body.is_empty());
    assert_eq!(running.app.store.read(|r| inbox::count(r)).await.unwrap(), 1, "tried more than once, done once");
    running.stop().await;
}

#[tokio::test]
async fn what_is_missing_or_refused_says_what_to_do_and_switching_on_tries_again() {
    let t = Tunnelled::new("").await;
    let running = t.start().await;
    let refused = until_status(&running, |s| matches!(s, TunnelStatus::Refused { .. })).await;
    assert_eq!(refused.problem().unwrap().code, domain::Code::TunnelNoToken);
    t.keep_token(TOKEN);
    running.app.secrets.forget().await;
    running.app.address.switch(true);
    until_status(&running, |s| s.url().is_some()).await;
    running.app.address.switch(false);
    until_status(&running, |s| *s == TunnelStatus::Off).await;
    assert_eq!(running.app.address.url().as_deref(), Some(world::PUBLIC_URL), "the config's address holds again");
    t.edge.wait_for(SOON, |seen| seen.tunnels == 0).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn ngroks_own_page_before_ours_is_noticed_and_a_switch_outlives_a_restart() {
    let t = Tunnelled::new("[sms]\nsegments = 4\n").await;
    t.keep_token(TOKEN);
    t.edge.set_interstitial(true);
    let running = t.start().await;
    until(SOON, async || running.app.address.page_in_the_way().then_some(())).await;
    running.app.store.write(|tx| gateway::address::keep_switch(tx, false)).await.unwrap();
    running.stop().await;
    let running = t.start().await;
    assert_eq!(*running.app.address.status().borrow(), TunnelStatus::Off);
    running.stop().await;
}

#[tokio::test]
async fn settings_and_phones_are_not_to_be_had_through_the_tunnel() {
    let t = Tunnelled::new("").await;
    t.keep_token(TOKEN);
    let running = t.start().await;
    proved(&running).await;
    let visitor = running.app.config.tunnel.visitor();
    for path in ["/status", "/phones", "/tunnel", "/stop", "/approvals", "/secrets/forget", "/pairing", "/doctor"] {
        let page = visitor.page(&format!("https://{DOMAIN}{path}"), &[]).await.unwrap();
        assert_eq!(page.status, 404, "{path}");
    }
    running.stop().await;
}
