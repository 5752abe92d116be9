//! Serving a router to connections that strangers open: what is sent and what is taken must come in time, and only so many
//! are served at once.

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
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tower_http::timeout::TimeoutBody;
use tunnel::{Connection, Visitors};

/// How long the other side of a connection is waited for.
#[derive(Clone, Copy)]
struct Waits {
    /// From the connection, or the last answer, to a whole head of the next request.
    head: Duration,
    /// From one piece of a request's body to the next.
    piece: Duration,
    /// For it to take anything of what it is sent.
    takes: Duration,
}

/// A WebSocket that says nothing is waited for as long as one that takes nothing.
const WAITS: Waits =
    Waits { head: Duration::from_secs(30), piece: Duration::from_secs(30), takes: Duration::from_secs(60) };
/// Connections at once. Each costs some kilobytes; more than these are somebody's attack, and wait.
const CONNECTIONS: usize = 4096;
/// For answers in flight, when Lanyard stops.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Serves until `stop`; answers in flight are finished, with the address free for whoever starts next.
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
            connection(io, address, router, stop, WAITS).await;
            drop(permit);
        });
    }
    drop(listener);
    open.close();
    let _left_behind = tokio::time::timeout(LAST_WORDS, open.wait()).await;
}

async fn connection<I>(io: I, address: SocketAddr, router: Router, stop: CancellationToken, waits: Waits)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        request.map(|body| axum::body::Body::new(TimeoutBody::new(waits.piece, body)))
    });
    let mut io = TimeoutStream::new(io);
    io.set_write_timeout(Some(waits.takes));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(waits.head)
        .serve_connection(TokioIo::new(Box::pin(io)), TowerToHyperService::new(service))
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Bytes, routing::get};
    use std::time::Instant;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::JoinHandle,
        time::{sleep, timeout},
    };

    const SHORT: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(60);
    const SOON: Duration = Duration::from_secs(20);
    const LARGE: usize = 256 * 1024;

    fn connected(waits: Waits) -> (DuplexStream, JoinHandle<()>) {
        let router = Router::new().route("/", get(|| async { vec![0; LARGE] }).post(|body: Bytes| async { body }));
        let ((theirs, ours), address) = (duplex(4096), SocketAddr::from(([127, 0, 0, 1], 1)));
        (theirs, tokio::spawn(connection(ours, address, router, CancellationToken::new(), waits)))
    }

    #[tokio::test]
    async fn its_address_is_free_while_the_last_answers_are_finished() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let (goes_on, asked) = (CancellationToken::new(), CancellationToken::new());
        let (held, heard) = (goes_on.clone(), asked.clone());
        let router = Router::new().route(
            "/",
            get(async move || {
                heard.cancel();
                held.cancelled().await;
                "done"
            }),
        );
        let serving = tokio::spawn(serve(listener, router, stop.clone()));
        let mut caller = tokio::net::TcpStream::connect(address).await.unwrap();
        caller.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        timeout(SOON, asked.cancelled()).await.unwrap();
        stop.cancel();
        let again = async {
            while tokio::net::TcpListener::bind(address).await.is_err() {
                sleep(SHORT / 20).await
            }
        };
        timeout(LAST_WORDS / 2, again).await.expect("the address is free");
        assert!(!serving.is_finished());
        goes_on.cancel();
        let mut answer = String::new();
        caller.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("done"), "{answer}");
        ends(serving).await;
    }

    async fn ends(serving: JoinHandle<()>) {
        timeout(SOON, serving).await.expect("the connection ends").unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_sends_no_whole_head_is_closed() {
        for sent in ["", "GET / HTTP/1.1\r\nhost: desk.exam"] {
            let (mut theirs, serving) = connected(Waits { head: SHORT, piece: LONG, takes: LONG });
            theirs.write_all(sent.as_bytes()).await.unwrap();
            ends(serving).await;
        }
    }

    #[tokio::test]
    async fn a_head_that_trickles_in_is_not_waited_for_longer() {
        let (mut theirs, serving) = connected(Waits { head: SHORT, piece: LONG, takes: LONG });
        theirs.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
        let began = Instant::now();
        while theirs.write_all(b"x").await.is_ok() {
            sleep(SHORT / 20).await;
            assert!(began.elapsed() < SOON);
        }
        ends(serving).await;
    }

    #[tokio::test]
    async fn a_body_that_stops_coming_is_answered_and_given_up() {
        let (mut theirs, serving) = connected(Waits { head: SHORT, piece: SHORT, takes: LONG });
        theirs.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf of").await.unwrap();
        let mut answer = Vec::new();
        timeout(SOON, theirs.read_to_end(&mut answer)).await.expect("it is closed").unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
        ends(serving).await;
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_given_up() {
        let (mut theirs, serving) = connected(Waits { head: LONG, piece: LONG, takes: SHORT });
        theirs.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        ends(serving).await;
    }

    #[tokio::test]
    async fn a_slow_reader_gets_all_of_its_answer() {
        let (mut theirs, serving) = connected(Waits { head: LONG, piece: LONG, takes: SHORT });
        theirs.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let (mut taken, mut piece, began) = (0, [0; 4096], Instant::now());
        loop {
            match theirs.read(&mut piece).await.unwrap() {
                0 => break,
                n => taken += n,
            }
            sleep(SHORT / 20).await;
        }
        assert!(taken > LARGE && began.elapsed() > SHORT, "{taken}");
        ends(serving).await;
    }
}
