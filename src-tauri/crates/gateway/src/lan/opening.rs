//! How the door on the local network opens, and how it stands.

use super::{Certificate, State, authority};
use crate::{
    doors::Way,
    gateway::App,
    switch::{CLOSE_WITHIN, Switch, WayIn},
};
use domain::{Code, Problem};
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, SystemTime},
};
use store::facts;
use tokio::sync::watch;
use tunnel::{Authority, Lan, LanConfig, LanStatus, Reach, Visitors};
use url::Url;

/// Until a port or a network that was not to be had is looked for again.
const AGAIN: Duration = Duration::from_secs(30);

/// The door on the local network, as its switch opens and shuts it.
pub struct Nearby;

impl WayIn for Nearby {
    const WAY: Way = Way::Lan;
    type Door = Lan;
    type Status = LanStatus;

    fn switch(app: &App) -> &Switch {
        &app.lan.switch
    }

    fn shut(app: &App) {
        stands(app, State::Off);
    }

    fn opening(app: &App) {
        stands(app, State::Opening);
    }

    async fn open(app: &App) -> Result<(Lan, Visitors), Problem> {
        open(app).await
    }

    /// A keychain is not tried again: it may ask a person each time.
    fn refused(app: &App, why: Problem) -> Option<Duration> {
        let passes = matches!(why.code, Code::PortTaken | Code::LanUnavailable);
        tracing::warn!(code = %why.code, "the door on the local network cannot be opened");
        stands(app, State::Refused { why });
        passes.then_some(AGAIN)
    }

    fn status(door: &Lan) -> watch::Receiver<LanStatus> {
        door.status()
    }

    fn take(app: &App, status: LanStatus) {
        stands(app, seen(&status));
    }

    /// It looks by itself.
    fn try_now(_: &Lan) {}

    async fn close(door: Lan) -> Result<(), tunnel::Error> {
        door.stop(CLOSE_WITHIN).await
    }
}

async fn open(app: &App) -> Result<(Lan, Visitors), Problem> {
    let settings = &app.config.lan;
    let mut why = Problem::from(Code::LanUnavailable);
    for port in ports(app).await {
        let authority = authority::kept_or_made(&app.secrets, &settings.name, settings.wall.now()).await?;
        let certificate = Certificate {
            der: authority.certificate_der().to_owned(),
            pem: authority.certificate_pem().to_owned(),
            fingerprint: authority.fingerprint(),
        };
        match bind(app, port, authority).await {
            Ok((door, visitors)) => {
                app.lan.certificate.send_replace(Some(certificate));
                remember(app, door.addr().port()).await;
                return Ok((door, visitors));
            }
            Err(e) => why = refusal(&e),
        }
    }
    Err(why)
}

/// The port in the config; else the one phones know, and if somebody has it now, a free one.
async fn ports(app: &App) -> Vec<u16> {
    if app.config.lan.port != 0 {
        return vec![app.config.lan.port];
    }
    let last = app.store.read(|r| facts::get(r, facts::LAN_PORT)).await.ok().flatten();
    last.and_then(|port| port.parse().ok()).into_iter().chain([0]).collect()
}

async fn remember(app: &App, port: u16) {
    let written = app.store.write(move |tx| facts::set(tx, facts::LAN_PORT, &port.to_string())).await;
    if let Err(e) = written {
        tracing::error!(error = ?e, "the local network's port could not be written down");
    }
}

async fn bind(app: &App, port: u16, authority: Authority) -> Result<(Lan, Visitors), tunnel::Error> {
    let settings = &app.config.lan;
    let listen: SocketAddr = match settings.reach {
        Reach::Network => (Ipv6Addr::UNSPECIFIED, port).into(),
        Reach::Loopback => (Ipv4Addr::LOCALHOST, port).into(),
    };
    let config = LanConfig {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        reach: settings.reach,
        tick: settings.tick,
        wall: settings.wall.clone(),
        ..LanConfig::new(&settings.name, listen)
    };
    Lan::open(config, authority).await
}

fn refusal(e: &tunnel::Error) -> Problem {
    let problem = e.problem();
    match problem.code {
        Code::PortTaken => problem.suggest("Choose another with lan.port in the config, or 0 for a free one."),
        Code::LanUnavailable => Problem::with_detail(Code::LanUnavailable, format!("{e}."))
            .suggest("Check that this computer is in a network; it is tried again by itself."),
        _ => problem,
    }
}

fn seen(status: &LanStatus) -> State {
    if !status.is_reachable() {
        let why = Problem::with_detail(Code::LanUnavailable, "This computer has no address on a local network.")
            .suggest("Connect it to one; phones are told by themselves.");
        return State::Refused { why };
    }
    // As browsers write it: without the port that https has anyway.
    let plain = |url: &String| Url::parse(url).map(|url| url.origin().ascii_serialization()).ok();
    let since = status.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let expires = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    State::Open { urls: status.urls.iter().filter_map(plain).collect(), expires }
}

/// Phones that look are told.
fn stands(app: &App, state: State) {
    if app.lan.state.send_if_modified(|was| {
        *was != state && {
            *was = state;
            true
        }
    }) {
        app.stream.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(urls: &[&str]) -> LanStatus {
        LanStatus { urls: urls.iter().map(|url| (*url).to_owned()).collect(), expires: SystemTime::UNIX_EPOCH }
    }

    #[test]
    fn a_computer_without_a_network_is_said_to_have_none() {
        let State::Refused { why } = seen(&status(&["https://lanyard-desk.local:7443"])) else {
            panic!("open to whom?")
        };
        assert_eq!(why.code, Code::LanUnavailable);
        assert!(why.message.contains("no address") && why.suggestion.contains("Connect it"), "{why}");
    }

    #[test]
    fn addresses_are_written_as_browsers_write_them() {
        let State::Open { urls, .. } = seen(&status(&["https://lanyard-desk.local:443", "https://[fd00::1]:7443"]))
        else {
            panic!("reachable")
        };
        assert_eq!(urls, ["https://lanyard-desk.local", "https://[fd00::1]:7443"]);
    }
}
