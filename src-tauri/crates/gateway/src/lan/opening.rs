//! Keeps the door on the local network as the owner wants it, and serves the public door through it.

use super::{Certificate, State, authority};
use crate::{
    doors::{self, Way, serving::Arrivals},
    gateway::App,
};
use domain::{Code, Problem};
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, SystemTime},
};
use store::facts;
use tunnel::{Authority, Lan, LanConfig, LanStatus, Reach, Visitors};
use url::Url;

/// For the announcement to be taken back.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// Until a port or a network that was not to be had is looked for again.
const AGAIN: Duration = Duration::from_secs(30);

/// Runs until Lanyard stops.
pub async fn run(app: App) {
    let mut wanted = app.lan.wanted.subscribe();
    while !app.stop.is_cancelled() {
        if *wanted.borrow_and_update() {
            stands(&app, State::Opening);
            match open(&app).await {
                Ok((door, visitors)) => keep_open(&app, door, visitors).await,
                Err(why) => refuse(&app, why).await,
            }
        } else {
            stands(&app, State::Off);
            tokio::select! {
                () = app.stop.cancelled() => {}
                _ = wanted.changed() => {}
            }
        }
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

/// Stands until the owner switches it again; what may pass by itself is tried again. A keychain is not: it may ask a person
/// each time.
async fn refuse(app: &App, why: Problem) {
    let passes = matches!(why.code, Code::PortTaken | Code::LanUnavailable);
    tracing::warn!(code = %why.code, "the door on the local network cannot be opened");
    stands(app, State::Refused { why });
    tokio::select! {
        () = app.stop.cancelled() => {}
        () = app.lan.again.notified() => {}
        () = tokio::time::sleep(AGAIN), if passes => {}
    }
}

async fn keep_open(app: &App, door: Lan, visitors: Visitors) {
    let ends = app.stop.child_token();
    let router = doors::public::router(app.clone(), Way::Lan);
    let serving = app.tasks.spawn(doors::serving::serve(Arrivals(visitors), router, ends.clone()));
    let (mut status, mut wanted) = (door.status(), app.lan.wanted.subscribe());
    loop {
        let now = status.borrow_and_update().clone();
        stands(app, seen(&now));
        tokio::select! {
            () = app.stop.cancelled() => break,
            _ = wanted.wait_for(|wanted| !wanted) => break,
            changed = status.changed() => if changed.is_err() { break },
        }
    }
    // Answers in flight are finished before what lasts is cut.
    ends.cancel();
    let _it_ends_by_its_token = serving.await;
    if let Err(e) = door.stop(CLOSE_WITHIN).await {
        tracing::warn!(error = %e, "the door on the local network did not close in time");
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
