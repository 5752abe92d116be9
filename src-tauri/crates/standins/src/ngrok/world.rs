//! What the edge knows: accounts, sessions, tunnels, links, and the faults that are on.

use super::{
    DOMAIN, TOKEN,
    gate::{Graves, Hand},
    sessions::Session,
};
use anyhow::bail;
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// What there is at the edge, and what has come since it started (or was reset).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Links whose two ends are there, as far as the edge knows.
    pub links: usize,
    /// Sessions that are signed in, those in silence included.
    pub sessions: usize,
    /// Tunnels bound.
    pub tunnels: usize,
    /// Hosts of those tunnels, sorted.
    pub hosts: Vec<String>,
    /// What agents asked, answered or not.
    pub calls: u64,
    /// Sign-ins taken and refused.
    pub sign_ins: u64,
    /// Sign-ins that showed the id and cookie of a session from before.
    pub returns: u64,
    /// Binds taken and refused.
    pub binds: u64,
    /// Requests of visitors.
    pub requests: u64,
    /// What visitors posted, in the order of its answers: the host and path, and the answer's status.
    pub posts: Vec<(String, u16)>,
}

pub(super) struct State {
    pub(super) tokens: HashSet<String>,
    pub(super) elsewhere: HashSet<String>,
    pub(super) agent_limit: usize,
    pub(super) sessions: HashMap<String, Session>,
    /// Every session there ever was: its cookie, and the host and token of each bind.
    pub(super) cookies: HashMap<String, String>,
    pub(super) bound_before: HashMap<String, (String, String)>,
    pub(super) links: HashMap<u64, Hand>,
    pub(super) next: u64,
    pub(super) graves: Graves,
    pub(super) hole: bool,
    pub(super) slow: Duration,
    pub(super) mute: Option<u32>,
    pub(super) refuse_binds: Option<String>,
    pub(super) moving: bool,
    pub(super) moves: u64,
    /// Where the public side without TLS is, once URLs lead there.
    pub(super) plain: Option<SocketAddr>,
    pub(super) interstitial: bool,
    pub(super) counted: Seen,
}

impl Default for State {
    fn default() -> Self {
        Self {
            tokens: HashSet::from([TOKEN.to_owned()]),
            elsewhere: HashSet::new(),
            agent_limit: 3,
            sessions: HashMap::new(),
            cookies: HashMap::new(),
            bound_before: HashMap::new(),
            links: HashMap::new(),
            next: 0,
            graves: Graves::default(),
            hole: false,
            slow: Duration::ZERO,
            mute: None,
            refuse_binds: None,
            moving: false,
            moves: 0,
            plain: None,
            interstitial: false,
            counted: Seen::default(),
        }
    }
}

impl State {
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The session and the tunnel's id behind this host.
    pub(super) fn tunnel(&self, host: &str) -> Option<(&Session, &str)> {
        let of = |session: &'_ Session| session.tunnels.get(host).cloned();
        let session = self.sessions.values().find(|session| of(session).is_some())?;
        Some((session, session.tunnels.get(host)?.as_str()))
    }

    /// The host for a bind that names no domain.
    pub(super) fn any_domain(&mut self) -> String {
        match (self.plain, self.moving) {
            (Some(at), _) => at.ip().to_string(),
            (None, true) => {
                self.moves += 1;
                format!("moving-{}.ngrok-free.dev", self.moves)
            }
            (None, false) => DOMAIN.to_owned(),
        }
    }

    /// How visitors write a bound host.
    pub(super) fn url(&self, host: &str) -> String {
        match self.plain.filter(|at| at.ip().to_string() == host) {
            Some(at) => format!("http://{at}"),
            None => format!("https://{host}"),
        }
    }

    pub(super) fn seen(&self) -> Seen {
        let mut hosts: Vec<String> = self.sessions.values().flat_map(|s| s.tunnels.keys().cloned()).collect();
        hosts.sort();
        Seen {
            links: self.links.len(),
            sessions: self.sessions.len(),
            tunnels: hosts.len(),
            hosts,
            ..self.counted.clone()
        }
    }
}

pub(super) struct World {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    down: watch::Sender<bool>,
    refuses: watch::Sender<bool>,
}

impl World {
    pub(super) fn new() -> Self {
        let (down, refuses) = (watch::Sender::new(false), watch::Sender::new(false));
        Self { state: Mutex::default(), changed: watch::Sender::new(()), down, refuses }
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
        result
    }

    /// Returns once the port does as told.
    pub(super) async fn set_down(&self, down: bool) {
        self.down.send_replace(down);
        let _ = self.refuses.subscribe().wait_for(|refuses| *refuses == down).await;
    }

    pub(super) fn down(&self) -> watch::Receiver<bool> {
        self.down.subscribe()
    }

    pub(super) fn port_refuses(&self, refuses: bool) {
        self.refuses.send_replace(refuses);
    }

    pub(super) async fn wait<T>(&self, deadline: Duration, fits: impl Fn(&State) -> Option<T>) -> anyhow::Result<T> {
        let mut changed = self.changed.subscribe();
        let deadline = tokio::time::Instant::now() + deadline;
        loop {
            if let Some(found) = self.read(&fits) {
                return Ok(found);
            }
            if tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
                bail!("the edge did not come to that: {:?}", self.read(State::seen));
            }
        }
    }
}
