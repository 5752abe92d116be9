//! Where releases are fetched from: a list of updates and the files it names, over https with a CA of its own.

mod key;

pub use key::MakersKey;

use crate::ngrok::certificates::Authority;
use axum::body::Body;
use bytes::Bytes;
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

pub struct Releases {
    pub url: String,
    trusted: Arc<Authority>,
    offered: Offered,
    serving: JoinHandle<()>,
}

type Offered = Arc<Mutex<Offer>>;

#[derive(Default)]
struct Offer {
    status: u16,
    list: Bytes,
    file: Bytes,
    /// Answers with a certificate that nobody trusts.
    untrusted: bool,
    asked: usize,
}

/// One release, for one kind of computer or package.
pub struct Release<'r> {
    pub version: &'r str,
    /// As the list of updates names it: `linux-x86_64`, `linux-x86_64-deb`.
    pub target: &'r str,
    pub file: Vec<u8>,
    pub signature: String,
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Releases {
    /// # Errors
    /// If loopback has no port left.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://127.0.0.1:{}", listener.local_addr()?.port());
        let trusted = Arc::new(Authority::new("releases stand-in")?);
        let ways = [trusted.server(&["http/1.1"])?, Arc::new(Authority::new("nobody")?).server(&["http/1.1"])?];
        let offered = Offered::default();
        let serving = tokio::spawn(serve(listener, ways.map(TlsAcceptor::from), offered.clone()));
        Ok(Self { url, trusted, offered, serving })
    }

    /// The CA to be trusted.
    pub fn ca(&self) -> &str {
        &self.trusted.pem
    }

    /// For `plugins.updater.endpoints`.
    pub fn list(&self) -> String {
        format!("{}/latest.json", self.url)
    }

    /// This, from now on.
    pub fn offer(&self, release: Release<'_>) {
        let entry = json!({ "url": format!("{}/file", self.url), "signature": release.signature });
        let list = json!({
            "version": release.version,
            "notes": format!("What is new in {}", release.version),
            "pub_date": "2026-11-21T00:00:00Z",
            "platforms": Value::Object([(release.target.to_owned(), entry)].into_iter().collect()),
        });
        self.answer(200, list.to_string());
        self.lock().file = release.file.into();
    }

    /// The list of updates is answered so, from now on.
    pub fn answer(&self, status: u16, list: String) {
        let mut offer = self.lock();
        (offer.status, offer.list) = (status, list.into());
    }

    pub fn untrusted(&self, untrusted: bool) {
        self.lock().untrusted = untrusted;
    }

    /// How often the list was asked for.
    pub fn asked(&self) -> usize {
        self.lock().asked
    }

    fn lock(&self) -> MutexGuard<'_, Offer> {
        lock(&self.offered)
    }
}

fn lock(offered: &Offered) -> MutexGuard<'_, Offer> {
    offered.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, ways: [TlsAcceptor; 2], offered: Offered) {
    while let Ok((stream, _)) = listener.accept().await {
        let way = ways[usize::from(lock(&offered).untrusted)].clone();
        tokio::spawn(visit(stream, way, offered.clone()));
    }
}

async fn visit(stream: TcpStream, way: TlsAcceptor, offered: Offered) {
    let Ok(stream) = way.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let answer = answer(&request, &offered);
        async move { Ok::<_, Infallible>(answer) }
    });
    let _the_client_left =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn answer(request: &Request<Incoming>, offered: &Offered) -> Response<Body> {
    let mut offer = lock(offered);
    let (status, body) = match request.uri().path() {
        "/latest.json" => {
            offer.asked += 1;
            (offer.status, offer.list.clone())
        }
        "/file" => (200, offer.file.clone()),
        _ => (404, Bytes::new()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
    response
}
