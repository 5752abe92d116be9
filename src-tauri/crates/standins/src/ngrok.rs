//! ngrok as a server on loopback: the edge that agents connect to, in its real wire (TLS, muxado, RPC in JSON), and the
//! public side where visitors arrive over TLS. Certificates come from a CA of its own.
//!
//! Visitors may also come to a public side without TLS: stand-ins that trust no CA of ours, and in the rehearsal a person's browser.
//!
//! Faults at will: links cut, a black hole, the edge down, answers slow, binds refused, URLs that move. Where ngrok's own
//! rule is not published this stand-in has one of its own: a session whose link fell silent holds its domain until its
//! heartbeats are overdue, and a link that shows the session's id and cookie takes it over at once.
//!
//! ```no_run
//! # async fn f() -> anyhow::Result<()> {
//! use standins::ngrok::{Edge, TOKEN};
//! let edge = Edge::start().await?;
//! // An agent connects to edge.addr() with TOKEN, trusting edge.ca_pem(); visitors to edge.public_addr().
//! edge.wait_for(std::time::Duration::from_secs(5), |seen| seen.tunnels == 1).await?;
//! edge.cut();
//! # edge.stop().await; Ok(()) }
//! ```

mod bytewise;
pub(crate) mod certificates;
mod commands;
mod gate;
mod link;
mod rpc;
mod sessions;
mod visitors;
mod world;

use certificates::Authority;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use world::{State, World};

pub use world::Seen;

/// The one token that is taken, and another account's.
pub const TOKEN: &str = "2standinstandinstandinstan_5aaaaaaaaaaaaaaaaaaaa";
/// The domain an agent gets that asks for none.
pub const DOMAIN: &str = "calm-otter.ngrok-free.dev";

/// A running stand-in. It ends when dropped.
pub struct Edge {
    agents: SocketAddr,
    visitors: SocketAddr,
    plain: SocketAddr,
    ca_pem: String,
    world: Arc<World>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A hand on all links.
#[derive(Clone)]
pub struct OnLinks(Arc<World>);

impl OnLinks {
    /// Cuts every agent's link; both ends see it at once.
    pub fn cut(&self) {
        self.0.change(|state| state.links.values().for_each(|link| link.cut()));
    }

    /// From now on nothing passes on the links there are, nor on new ones while `on`: no bytes, no end. A link that
    /// was swallowed stays so.
    pub fn black_hole(&self, on: bool) {
        self.0.change(|state| {
            state.hole = on;
            state.links.values().filter(|_| on).for_each(|link| link.swallow());
        });
    }
}

impl Edge {
    /// Listens on three free ports of 127.0.0.1.
    pub async fn start() -> anyhow::Result<Self> {
        let authority = Arc::new(Authority::new("ngrok stand-in")?);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let public = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let bare = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let (agents, visitors, plain) = (listener.local_addr()?, public.local_addr()?, bare.local_addr()?);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let world = Arc::new(World::new());
        tasks.spawn(link::listen(listener, authority.clone(), world.clone(), stop.clone()));
        let tls = TlsAcceptor::from(authority.server(&["h2", "http/1.1"])?);
        tasks.spawn(visitors::listen(public, Some(tls), world.clone(), stop.clone()));
        tasks.spawn(visitors::listen(bare, None, world.clone(), stop.clone()));
        tasks.spawn(sessions::forget_the_silent(world.clone(), stop.clone()));
        Ok(Self { agents, visitors, plain, ca_pem: authority.pem.clone(), world, stop, tasks })
    }

    /// Where agents connect: `127.0.0.1:<port>`, in place of `connect.ngrok-agent.com:443`.
    pub fn addr(&self) -> SocketAddr {
        self.agents
    }

    /// Where every public URL leads: connect here, with the URL's host as server name.
    pub fn public_addr(&self) -> SocketAddr {
        self.visitors
    }

    /// The same without TLS; the `Host` names the tunnel.
    pub fn plain_addr(&self) -> SocketAddr {
        self.plain
    }

    /// From now on an agent that asks for no domain gets `http://127.0.0.1:<port>`, where any browser on this computer comes
    /// in, and finds the page safe enough to keep keys.
    pub fn give_plain_urls(&self) {
        self.world.change(|state| state.plain = Some(self.plain));
    }

    /// The CA of both sides, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What there is and what has come so far.
    pub fn seen(&self) -> Seen {
        self.world.read(|state| state.seen())
    }

    /// Waits until what is seen fits.
    pub async fn wait_for(&self, deadline: Duration, fits: impl Fn(&Seen) -> bool) -> anyhow::Result<Seen> {
        self.world.wait(deadline, |state| Some(state.seen()).filter(&fits)).await
    }

    /// A second hand on the links, for whoever is called in the middle of something.
    pub fn hand(&self) -> OnLinks {
        OnLinks(self.world.clone())
    }

    /// As [`OnLinks::cut`].
    pub fn cut(&self) {
        self.hand().cut();
    }

    /// As [`OnLinks::black_hole`].
    pub fn black_hole(&self, on: bool) {
        self.hand().black_hole(on);
    }

    /// Down: links are cut and connections refused.
    pub async fn set_down(&self, down: bool) {
        self.world.set_down(down).await;
        if down {
            self.cut();
        }
    }

    /// Every answer to an agent waits this long first.
    pub fn set_slow(&self, by: Duration) {
        self.world.change(|state| state.slow = by);
    }

    /// Never answer a request of this kind (0 sign-in, 1 bind); heartbeats go on.
    pub fn set_mute(&self, kind: Option<u32>) {
        self.world.change(|state| state.mute = kind);
    }

    /// Binds are refused with this code of ngrok's, as `ERR_NGROK_334`.
    pub fn refuse_binds(&self, code: Option<&str>) {
        self.world.change(|state| state.refuse_binds = code.map(str::to_owned));
    }

    /// How many agents may be online at once (3 on the free plan).
    pub fn set_agent_limit(&self, limit: usize) {
        self.world.change(|state| state.agent_limit = limit);
    }

    /// Takes the token back: the next sign-in is refused with `ERR_NGROK_107`.
    pub fn revoke_token(&self) {
        self.world.change(|state| state.tokens.clear());
    }

    /// Gives the token back.
    pub fn grant_token(&self) {
        self.world.change(|state| state.tokens.insert(TOKEN.to_owned()));
    }

    /// While true an agent that asks for no domain gets another one at every bind: `moving-1.ngrok-free.dev` and so on.
    pub fn set_moving(&self, moving: bool) {
        self.world.change(|state| state.moving = moving);
    }

    /// While true browsers get ngrok's page first, as on the free plan.
    pub fn set_interstitial(&self, on: bool) {
        self.world.change(|state| state.interstitial = on);
    }

    /// A domain that belongs to somebody else.
    pub fn reserve_elsewhere(&self, domain: &str) {
        self.world.change(|state| state.elsewhere.insert(domain.to_owned()));
    }

    /// As new: no links, no sessions, no faults, counters at zero.
    pub async fn reset(&self) {
        self.cut();
        self.world.set_down(false).await;
        self.world.change(|state| *state = State { next: state.next, ..State::default() });
    }

    /// Closes every connection and waits for the end of all it does.
    pub async fn stop(self) {
        self.stop.cancel();
        self.cut();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
