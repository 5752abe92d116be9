//! A world whose gateway has its public address through ngrok's stand-in: whoever comes from outside comes through it.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::world::{OWNER, Running, SOON, Wish, World, until};
use accounts::twilio::Signer;
use gateway::address::Number;
use standins::{
    ngrok::{DOMAIN, Edge, TOKEN},
    twilio::{ACCOUNT, NUMBER, TOKEN as AUTH},
};
use std::io::Write;
use store::inbox;
use tunnel::TunnelStatus;

/// The first domain of an edge that is moving.
pub const MOVED: &str = "moving-1.ngrok-free.dev";

pub struct Tunnelled {
    pub w: World,
    pub edge: Edge,
}

impl Tunnelled {
    pub async fn new(wish: Wish<'_>) -> Self {
        let w = World::new(wish).await;
        Self { w, edge: Edge::start().await.unwrap() }
    }

    /// The same with ngrok's token in its place.
    pub async fn with_token(wish: Wish<'_>) -> Self {
        let t = Self::new(wish).await;
        t.keep_token(TOKEN);
        t
    }

    pub fn keep_token(&self, token: &str) {
        let secrets = self.w.home().join("secrets.toml");
        let mut file = std::fs::File::options().append(true).open(secrets).unwrap();
        writeln!(file, "ngrok = \"{token}\"").unwrap();
    }

    pub fn config(&self) -> gateway::config::Resolved {
        let mut config = self.w.resolved();
        config.tunnel.enabled = true;
        config.tunnel.edge = Some(self.edge.addr().to_string());
        config.tunnel.roots = Some(self.edge.ca_pem().to_owned());
        config.tunnel.resolve = [DOMAIN, MOVED].map(|host| (host.to_owned(), self.edge.public_addr())).into();
        config
    }

    /// A gateway whose tunnel is switched on; Twilio finds its way through it.
    pub async fn start(&self) -> Running {
        self.start_with(self.config()).await
    }

    pub async fn start_with(&self, config: gateway::config::Resolved) -> Running {
        let running = self.w.start_with(config).await;
        self.w.twilio.route(&format!("https://{DOMAIN}"), self.edge.plain_addr());
        running
    }

    /// A text of the owner, as Twilio brings it to the public address.
    pub async fn text(&self, running: &Running, sid: &str, words: &str) -> Result<u16, accounts::Cause> {
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

/// Waits until texts to the number come through the tunnel.
pub async fn proved(running: &Running) {
    assert_eq!(led(running).await, Number::Proved);
}

/// What becomes of the number.
pub async fn led(running: &Running) -> Number {
    until(SOON, async || Some(running.app.address.number()).filter(|n| *n != Number::Untouched)).await
}

pub async fn until_status(running: &Running, fits: impl Fn(&TunnelStatus) -> bool) -> TunnelStatus {
    let mut status = running.app.address.status();
    let found = tokio::time::timeout(SOON, status.wait_for(fits)).await.expect("the tunnel comes to that").unwrap();
    found.clone()
}

/// Messages in the inbox.
pub async fn received(running: &Running) -> i64 {
    running.app.store.read(|r| inbox::count(r)).await.unwrap()
}
