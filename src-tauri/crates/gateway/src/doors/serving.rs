//! Serving a router to connections that strangers open: a head must come in time, and only so many at once.

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tunnel::{Connection, Visitors};

/// From the connection, or the last answer, to a whole head of the next request.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// Connections at once. Each costs some kilobytes; more than these are somebody's attack, and wait.
const CONNECTIONS: usize = 4096;
/// For answers in flight, when Lanyard stops.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Serves until `stop`; answers in flight are finished.
pub async fn serve<L>(mut listener: L, router: Router, stop: CancellationToken)
where
    L: Listener<Addr = SocketAddr>,
{
    let (permits, open) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, (io, address)) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
        };
        let (router, stop) = (router.clone(), stop.clone());
        open.spawn(async move {
            connection(io, address, router, stop).await;
            drop(permit);
        });
    }
    open.close();
    let _left_behind = tokio::time::timeout(LAST_WORDS, open.wait()).await;
}

async fn connection<I>(io: I, address: SocketAddr, router: Router, stop: CancellationToken)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        request.map(axum::body::Body::new)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(io), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(e) = ended {
        tracing::debug!(error = %e, "a connection ended badly");
    }
}

/// Those who come through the tunnel or over the local network, as a listener gives them: each with their own address.
pub struct Arrivals(pub Visitors);

impl Listener for Arrivals {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.0.accept().await {
            Some((connection, peer)) => (connection, peer.address),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(([0, 0, 0, 0], 0).into())
    }
}
