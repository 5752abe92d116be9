//! The door on the local network: TLS with a certificate of our own CA, renewed before it runs out and whenever the
//! computer's addresses change, and an announcement that leads phones there.

mod addresses;
mod announce;
mod authority;

pub use announce::SERVICE;
pub use authority::Authority;

use crate::{
    clock::Wall,
    connection::{Connection, Peer, Visitors, Way},
    error::Error,
};
use announce::{Announcement, Card};
use authority::Leaf;
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Who may see the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The local network: every interface but those of containers and virtual machines.
    Network,
    /// This computer only: tests.
    Loopback,
}

/// What the door needs.
#[derive(Clone, Debug)]
pub struct LanConfig {
    /// This computer's name, as a person knows it; the host name is made of it.
    pub name: String,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Lanyard's version, for the announcement.
    pub version: String,
    pub reach: Reach,
    /// How often addresses and the certificate's age are looked at.
    pub tick: Duration,
    pub wall: Wall,
}

impl LanConfig {
    pub fn new(name: impl Into<String>, listen: SocketAddr) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let tick = Duration::from_secs(30);
        Self { name: name.into(), listen, version, reach: Reach::Network, tick, wall: Wall::default() }
    }
}

/// What the door is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanStatus {
    /// Where it can be reached, the name first: `https://lanyard-desk.local:7443`, `https://192.168.1.20:7443`.
    pub urls: Vec<String>,
    /// When the certificate shown now runs out.
    pub expires: SystemTime,
}

impl LanStatus {
    /// Whether the computer has an address at which somebody else finds the door; a name alone leads nowhere.
    pub fn is_reachable(&self) -> bool {
        self.urls.len() > 1
    }
}

/// A door that is open. Dropping it closes it without waiting; its announcement then runs out by itself.
pub struct Lan {
    at: SocketAddr,
    status: watch::Receiver<LanStatus>,
    stop: CancellationToken,
    open: TaskTracker,
    _stop: DropGuard,
}

impl Lan {
    /// Listens, and announces it.
    ///
    /// # Errors
    /// [`Error::Listen`] when the address is taken, [`Error::Announce`], [`Error::Addresses`], or those of certificates.
    pub async fn open(config: LanConfig, authority: Authority) -> Result<(Lan, Visitors), Error> {
        let listener = bind(config.listen).await.map_err(|cause| Error::Listen { at: config.listen, cause })?;
        let at = listener.local_addr().map_err(|cause| Error::Listen { at: config.listen, cause })?;
        let host = addresses::host(&config.name);
        let leaf = authority.issue(&host, &addresses::here(config.reach)?, config.wall.now())?;
        let fingerprint = authority.fingerprint();
        let card = Card {
            name: &config.name,
            host: &host,
            port: at.port(),
            version: &config.version,
            fingerprint: &fingerprint,
        };
        let announcement = Announcement::begin(&card, config.reach)?;
        let (status, seen) = watch::channel(status(&host, at, &leaf));
        let shown = Arc::new(Shown(RwLock::new(leaf.served.clone())));
        let acceptor = TlsAcceptor::from(Arc::new(tls(shown.clone())?));
        let (visitors, arrived) = mpsc::channel(VISITORS);
        let (stop, open) = (CancellationToken::new(), TaskTracker::new());
        open.spawn(listen(listener, acceptor, visitors, stop.clone(), open.clone()));
        let keeper = Keeper { config, authority, host, at, leaf, shown, status };
        open.spawn(keeper.run(announcement, stop.clone()));
        tracing::info!(port = at.port(), "the door on the local network is open");
        Ok((Lan { at, status: seen, _stop: stop.clone().drop_guard(), stop, open }, Visitors(arrived)))
    }

    /// The address that is listened on.
    pub fn addr(&self) -> SocketAddr {
        self.at
    }

    /// The state now, and every change of it.
    pub fn status(&self) -> watch::Receiver<LanStatus> {
        self.status.clone()
    }

    /// Withdraws the announcement and closes the door. What was handed over ends at its next read.
    ///
    /// # Errors
    /// [`Error::StillClosing`] when that took longer than `deadline`.
    pub async fn stop(self, deadline: Duration) -> Result<(), Error> {
        self.stop.cancel();
        self.open.close();
        let closed = tokio::time::timeout(deadline, self.open.wait()).await;
        closed.map_err(|_| Error::StillClosing(deadline))
    }
}

/// Visitors who arrived and are not yet taken.
const VISITORS: usize = 64;
/// Visitors who have not finished their TLS handshake; further ones wait in the system's queue.
const HANDSHAKES: usize = 64;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Every address of both kinds for `[::]`, or of the older kind alone where the system knows no other.
async fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(at).await {
        Err(e) if at.ip() == Ipv6Addr::UNSPECIFIED && e.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, at.port())).await
        }
        bound => bound,
    }
}

fn tls(shown: Arc<Shown>) -> Result<ServerConfig, Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let mut config = config.with_safe_default_protocol_versions()?.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

async fn listen(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    visitors: mpsc::Sender<(Connection, Peer)>,
    stop: CancellationToken,
    open: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, from) = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file handles, mostly: without a pause this loop would eat a core.
                    tracing::warn!(%error, "a connection on the local network could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let greeting = greet(stream, from, acceptor.clone(), visitors.clone(), stop.clone());
        let stop = stop.clone();
        open.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = greeting => {}
            }
            drop(place);
        });
    }
}

async fn greet(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: TlsAcceptor,
    visitors: mpsc::Sender<(Connection, Peer)>,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    match tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            // A door for both kinds of address sees the older kind in the newer's clothes.
            let address = SocketAddr::new(from.ip().to_canonical(), from.port());
            let peer = Peer { address, way: Way::Lan };
            let _ = visitors.send((Connection::from_lan(stream, stop), peer)).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a handshake on the local network failed"),
        Err(_) => tracing::debug!("a handshake on the local network took too long"),
    }
}

/// The certificate shown to the next visitor.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Keeps the certificate fresh until the end, then takes the announcement back.
struct Keeper {
    config: LanConfig,
    authority: Authority,
    host: String,
    at: SocketAddr,
    leaf: Leaf,
    shown: Arc<Shown>,
    status: watch::Sender<LanStatus>,
}

impl Keeper {
    async fn run(mut self, announcement: Announcement, stop: CancellationToken) {
        let mut tick = tokio::time::interval(self.config.tick);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.renew_if_stale() {
                tracing::warn!(%error, "the local network's certificate could not be renewed; it is tried again");
            }
        }
        announcement.withdraw().await;
    }

    fn renew_if_stale(&mut self) -> Result<(), Error> {
        let (addresses, now) = (addresses::here(self.config.reach)?, self.config.wall.now());
        if !self.leaf.is_stale(&addresses, now) {
            return Ok(());
        }
        self.leaf = self.authority.issue(&self.host, &addresses, now)?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = self.leaf.served.clone();
        self.status.send_replace(status(&self.host, self.at, &self.leaf));
        tracing::info!(addresses = addresses.len(), "the local network's certificate is renewed");
        Ok(())
    }
}

fn status(host: &str, at: SocketAddr, leaf: &Leaf) -> LanStatus {
    let port = at.port();
    let any = |address: &IpAddr| at.ip().is_unspecified() && (at.is_ipv6() || address.is_ipv4());
    let bound = |address: &&IpAddr| any(address) || at.ip() == **address;
    let by_address =
        leaf.addresses.iter().filter(bound).filter(|address| !address.is_loopback() || at.ip().is_loopback());
    let by_address = by_address.map(|address| format!("https://{}", SocketAddr::new(*address, port)));
    let urls = std::iter::once(format!("https://{host}:{port}")).chain(by_address).collect();
    LanStatus { urls, expires: leaf.expires }
}
