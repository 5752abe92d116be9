//! What every test of the tunnel needs: an edge on loopback, an axum app behind a tunnel, a visitor who trusts the edge.
#![allow(dead_code)] // each test file uses its part

use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, WebSocketUpgrade, connect_info::Connected, ws},
    response::sse,
    routing::{get, post},
    serve::IncomingStream,
};
use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use standins::ngrok::{DOMAIN, Edge, TOKEN};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tunnel::{Config, Connection, Pace, Peer, Tunnel, TunnelStatus, Visitors, Way, retry::Schedule};

pub const SOON: Duration = Duration::from_secs(20);
pub const URL: &str = "https://calm-otter.ngrok-free.dev";

/// Heartbeats and limits short enough for a test, long enough for a loaded machine.
pub fn pace() -> Pace {
    Pace {
        heartbeat_interval: Duration::from_millis(500),
        heartbeat_tolerance: Duration::from_millis(700),
        connect_limit: Duration::from_secs(2),
        answer_limit: Duration::from_secs(2),
        retry: Schedule { first: Duration::from_millis(100), cap: Duration::from_secs(1) },
        later: Duration::from_millis(300),
        tick: Duration::from_millis(50),
    }
}

pub fn config(edge: &Edge) -> Config {
    Config {
        edge: Some(edge.addr().to_string()),
        roots: Some(edge.ca_pem().to_owned()),
        pace: pace(),
        ..Config::new(TOKEN.into())
    }
}

/// As [`config`], with the heartbeats of every day: where nothing is cut, a busy machine must not look like a dead link.
pub fn calm(edge: &Edge) -> Config {
    Config { pace: Pace::default(), ..config(edge) }
}

/// A tunnel with an app behind it.
pub struct Desk {
    pub tunnel: Tunnel,
    pub app: tokio::task::JoinHandle<()>,
}

impl Desk {
    pub fn open(config: Config) -> Self {
        let (tunnel, visitors) = Tunnel::open(config).unwrap();
        let service = app().into_make_service_with_connect_info::<From>();
        let app = tokio::spawn(async move { axum::serve(Door(visitors), service).await.unwrap() });
        Self { tunnel, app }
    }

    pub async fn open_and_ready(config: Config) -> Self {
        let desk = Self::open(config);
        desk.until_open().await;
        desk
    }

    pub async fn until_open(&self) -> String {
        self.until(|status| status.url().map(str::to_owned)).await
    }

    /// Waits for a status that fits.
    pub async fn until<T>(&self, fits: impl Fn(&TunnelStatus) -> Option<T>) -> T {
        let mut status = self.tunnel.status();
        let found = tokio::time::timeout(SOON, status.wait_for(|status| fits(status).is_some())).await;
        let Ok(Ok(found)) = found else {
            panic!("the tunnel did not come to that: {:?}", *self.tunnel.status().borrow())
        };
        fits(&found).unwrap()
    }

    pub async fn stop(self) {
        self.tunnel.stop(SOON).await.unwrap();
        self.app.abort();
    }
}

/// As the gateway hands a tunnel to axum.
struct Door(Visitors);

impl axum::serve::Listener for Door {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        match self.0.accept().await {
            Some(visitor) => visitor,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Peer> {
        Ok(Peer { address: ([0, 0, 0, 0], 0).into(), way: Way::Tunnel })
    }
}

#[derive(Clone)]
pub struct From(pub Peer);

impl Connected<IncomingStream<'_, Door>> for From {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}

fn app() -> Router {
    Router::new()
        .route("/", get(|| async { "hello from the desk" }))
        .route(
            "/who",
            get(|ConnectInfo(From(peer)): ConnectInfo<From>| async move { format!("{:?} {}", peer.way, peer.address) }),
        )
        .route("/echo", post(|body: Bytes| async { body }).layer(DefaultBodyLimit::disable()))
        .route("/ws", get(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .route(
            "/events",
            get(|| async {
                let ticks = futures::stream::unfold(0, |n| async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    (n < 5)
                        .then(|| (Ok::<_, std::convert::Infallible>(sse::Event::default().data(n.to_string())), n + 1))
                });
                sse::Sse::new(ticks)
            }),
        )
}

async fn echo(mut socket: ws::WebSocket) {
    while let Some(Ok(message)) = socket.next().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// TLS to the edge's public side, as a visitor of this URL.
pub async fn visit(edge: &Edge, url: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(edge.ca_pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(url.strip_prefix("https://").unwrap().to_owned()).unwrap();
    let stream = TcpStream::connect(edge.public_addr()).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

pub async fn send(edge: &Edge, url: &str, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let stream = visit(edge, url).await;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}

pub async fn get_at(edge: &Edge, url: &str, path: &str) -> (u16, String) {
    let host = url.strip_prefix("https://").unwrap();
    let request = Request::get(path).header("host", host).body(Full::default()).unwrap();
    let answer = send(edge, url, request).await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub async fn post_at(edge: &Edge, url: &str, path: &str, body: Bytes) -> Bytes {
    let host = url.strip_prefix("https://").unwrap();
    let request = Request::post(path).header("host", host).body(Full::new(body)).unwrap();
    send(edge, url, request).await.into_body().collect().await.unwrap().to_bytes()
}

/// Asks until the app behind the tunnel answers; how long that took.
pub async fn until_answered(edge: &Edge, url: &str) -> Duration {
    let began = Instant::now();
    while began.elapsed() < SOON {
        let asked = tokio::time::timeout(Duration::from_millis(500), get_at(edge, url, "/")).await;
        if asked.is_ok_and(|(status, _)| status == 200) {
            return began.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody answered at {url}: {:?}", edge.seen())
}

/// The domain of [`URL`].
pub fn domain() -> &'static str {
    DOMAIN
}
