//! The tunnel through ngrok: opened, kept open through everything, and really closed.
//!
//! The SDK is asked for little. Its waits between reconnects grow without a cap, it ignores heartbeats that stay out,
//! its close closes nothing and it has no time limits; so the links are ours ([`link`]), the attempts are ours ([`line`]),
//! and a supervisor ([`supervise`]) starts a fresh session whenever the old one is refused. All of this was measured
//! with ngrok 0.19.0 and muxado 0.5.4.

mod beginnings;
mod ear;
mod frames;
mod line;
mod link;
mod refusal;
mod session;
mod shared;
mod supervise;

use crate::{
    clock::{self, Wall},
    connection::Visitors,
    error::Error,
    retry::Schedule,
    status::TunnelStatus,
};
use domain::Problem;
use line::Line;
use secrecy::{ExposeSecret, SecretString};
use shared::Shared;
use std::{sync::Arc, time::Duration};
use supervise::Supervisor;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::DropGuard;

/// Visitors who arrived and are not yet taken; past it ngrok's edge holds them.
const VISITORS: usize = 64;

/// What a tunnel needs to be opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// The ngrok authtoken.
    pub token: SecretString,
    /// A domain of the account, as `desk.example.com`; none takes what ngrok gives (on the free plan always the same).
    pub domain: Option<String>,
    /// `host:port` of the edge; none is ngrok's own.
    pub edge: Option<String>,
    /// PEM of the CA that vouches for the edge; none is ngrok's own.
    pub roots: Option<String>,
    pub pace: Pace,
    pub wall: Wall,
}

impl Config {
    /// ngrok as it is, with this token.
    pub fn new(token: SecretString) -> Self {
        Self { token, domain: None, edge: None, roots: None, pace: Pace::default(), wall: Wall::default() }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between heartbeats, and how much longer than that the edge may be silent before the link counts as dead.
    pub heartbeat_interval: Duration,
    pub heartbeat_tolerance: Duration,
    /// TCP and TLS to the edge.
    pub connect_limit: Duration,
    /// Sign-in and bind, after that.
    pub answer_limit: Duration,
    pub retry: Schedule,
    /// The wait after a refusal that only time mends.
    pub later: Duration,
    /// How often the clock is looked at for a sleep.
    pub tick: Duration,
}

impl Default for Pace {
    /// A silent link is replaced after 15 s. ngrok's own agents take 25 (10 and 15); Twilio gives a webhook 15.
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_secs(5),
            heartbeat_tolerance: Duration::from_secs(10),
            connect_limit: Duration::from_secs(10),
            answer_limit: Duration::from_secs(15),
            retry: Schedule::default(),
            later: Duration::from_secs(300),
            tick: Duration::from_secs(1),
        }
    }
}

/// A tunnel that is switched on. Dropping it switches it off without waiting.
pub struct Tunnel {
    shared: Arc<Shared>,
    status: watch::Receiver<TunnelStatus>,
    _stop: DropGuard,
}

impl Tunnel {
    /// Switches the tunnel on and returns at once: how it fares is told by [`Tunnel::status`]. No local port is opened.
    ///
    /// # Errors
    /// [`Error::NoToken`], [`Error::BadHost`] and [`Error::BadRoots`] for a config that could never work.
    pub fn open(config: Config) -> Result<(Tunnel, Visitors), Error> {
        check(&config)?;
        // The SDK asks for the process's TLS provider and panics where two are compiled in and none is chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Arc::new(Shared::new(config));
        let (status, seen) = watch::channel(TunnelStatus::Connecting { attempt: 1, next_try: None, why: None });
        let (visitors, arrived) = mpsc::channel(VISITORS);
        let supervisor = Supervisor { shared: shared.clone(), status, visitors, failures: 0 };
        shared.open.spawn(supervisor.run());
        shared.open.spawn(watch_for_sleep(shared.clone()));
        let stop = shared.stop.clone().drop_guard();
        Ok((Tunnel { shared, status: seen, _stop: stop }, Visitors(arrived)))
    }

    /// The state now, and every change of it.
    pub fn status(&self) -> watch::Receiver<TunnelStatus> {
        self.status.clone()
    }

    /// Tries again now instead of waiting: the network is back, or the owner has done what was asked.
    pub fn try_now(&self) {
        self.shared.hurry.notify_waiters();
    }

    /// Switches it off: the endpoint is unbound at ngrok, the session and its socket are closed.
    ///
    /// # Errors
    /// [`Error::StillClosing`] when that took longer than `deadline`; it goes on by itself.
    pub async fn stop(self, deadline: Duration) -> Result<(), Error> {
        self.shared.stop.cancel();
        self.shared.open.close();
        let closed = tokio::time::timeout(deadline, self.shared.open.wait()).await;
        closed.map_err(|_| Error::StillClosing(deadline))
    }
}

/// Whether ngrok takes this token: a session is really begun, and ended again. No endpoint is opened, so a tunnel that is
/// open elsewhere is not disturbed.
///
/// # Errors
/// `CONFIG_INVALID` for a config that could never work, else what ngrok says or what keeps from reaching it.
pub async fn sign_in(config: Config) -> Result<(), Problem> {
    check(&config).map_err(|e| e.problem())?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shared = Arc::new(Shared::new(config));
    let (news, _nobody_acts_on_them) = mpsc::channel(1);
    let line = Line::new(shared.clone(), news);
    let signed_in = session::sign_in(&shared.config, &line).await;
    // The SDK's own close leaves the session there.
    line.over.cancel();
    shared.stop.cancel();
    shared.open.close();
    let _closes_by_itself = tokio::time::timeout(GONE_WITHIN, shared.open.wait()).await;
    signed_in.map_err(|why| why.problem)
}

/// For the sockets of a session that was begun only to see whether it can be.
const GONE_WITHIN: Duration = Duration::from_secs(2);

fn check(config: &Config) -> Result<(), Error> {
    use rustls::pki_types::{CertificateDer, DnsName, pem::PemObject};
    if config.token.expose_secret().trim().is_empty() {
        return Err(Error::NoToken);
    }
    if let Some(domain) = &config.domain {
        DnsName::try_from(domain.as_str()).map_err(|_| Error::BadHost(domain.clone()))?;
    }
    if let Some(edge) = &config.edge {
        ngrok::Session::builder().server_addr(edge).map_err(|_| Error::BadHost(edge.clone()))?;
    }
    if let Some(roots) = &config.roots {
        CertificateDer::from_pem_slice(roots.as_bytes()).map_err(|_| Error::BadRoots)?;
    }
    Ok(())
}

async fn watch_for_sleep(shared: Arc<Shared>) {
    let (wall, tick) = (shared.config.wall.clone(), shared.config.pace.tick);
    tokio::select! {
        () = shared.stop.cancelled() => {}
        () = clock::watch(&wall, tick, || shared.wake()) => {}
    }
}
