//! One session's way to the edge. The SDK asks it for a link, first and after each loss. Its own schedule between losses
//! is 50 ms, 2.5 s, 125 s, 6250 s and so on without a cap (tokio_retry's 50^n), so this never lets an attempt fail: it
//! goes on by itself until there is a link, or until the session had better be a fresh one.

use super::{ear::Heard, link::Link, refusal::Refusal, shared::Shared};
use ngrok::{
    session::{ConnectError, IoStream},
    tunnel::AcceptError,
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

/// Links lost before their sign-in was answered that are replaced within the session. The SDK waits 50 ms after the first
/// and 2.5 s after the second; after a third it would wait 125 s, so there is none: the session is given up instead.
const UNANSWERED: u32 = 1;

/// What a line tells the supervisor.
#[derive(Debug)]
pub(super) enum News {
    /// The link is gone; this attempt to make another begins.
    Trying { attempt: u32 },
    /// The attempt failed; the next begins after `wait`.
    Waiting { attempt: u32, wait: Duration, why: Refusal },
    /// The tunnel is bound at this URL.
    Bound { url: String },
    /// The session is over for this reason.
    Over(Refusal),
}

pub(super) struct Line {
    shared: Arc<Shared>,
    news: mpsc::Sender<News>,
    /// Once cancelled the line gives no link any more and the one there is is cut.
    pub(super) over: CancellationToken,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    cut: CancellationToken,
    failures: u32,
    unanswered: u32,
}

impl Line {
    pub(super) fn new(shared: Arc<Shared>, news: mpsc::Sender<News>) -> Arc<Self> {
        Arc::new(Self { shared, news, over: CancellationToken::new(), now: Mutex::default() })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the link there is; the SDK then asks for another.
    pub(super) fn cut(&self) {
        self.now().cut.cancel();
    }

    /// Tells the supervisor. It reads at once and always, so a full channel means it has gone.
    pub(super) fn tell(&self, news: News) {
        if self.news.try_send(news).is_err() {
            tracing::debug!("nobody hears of the tunnel's link any more");
        }
    }

    /// The SDK wants a link: the session's first (`lost` is none), or another.
    pub(super) async fn connect(
        self: Arc<Self>,
        host: String,
        port: u16,
        tls: Arc<ClientConfig>,
        lost: Option<AcceptError>,
    ) -> Result<Box<dyn IoStream>, ConnectError> {
        let Some(lost) = lost else { return self.dial(&host, port, tls).await };
        if let Some(why) = self.gives_up(&lost) {
            self.tell(News::Over(why));
            return Err(ConnectError::Canceled);
        }
        tokio::select! {
            () = self.over.cancelled() => Err(ConnectError::Canceled),
            link = self.until_connected(&host, port, tls) => Ok(link),
        }
    }

    /// Whether a fresh session is the way on: ngrok refused this one, or it was not answered again and again.
    fn gives_up(&self, lost: &AcceptError) -> Option<Refusal> {
        let AcceptError::Reconnect(error) = lost else { return None };
        let why = Refusal::of_connect(error, &self.shared.config.token);
        let mut now = self.now();
        now.unanswered += 1;
        (why.said || now.unanswered > UNANSWERED).then_some(why)
    }

    async fn until_connected(self: &Arc<Self>, host: &str, port: u16, tls: Arc<ClientConfig>) -> Box<dyn IoStream> {
        loop {
            let attempt = self.now().failures + 1;
            self.tell(News::Trying { attempt });
            let error = match self.dial(host, port, tls.clone()).await {
                Ok(link) => return link,
                Err(error) => error,
            };
            self.now().failures = attempt;
            let wait = self.shared.config.pace.retry.wait(attempt, rand::random());
            let why = Refusal::of_connect(&error, &self.shared.config.token);
            self.tell(News::Waiting { attempt: attempt + 1, wait, why });
            self.shared.wait(wait).await;
        }
    }

    async fn dial(
        self: &Arc<Self>,
        host: &str,
        port: u16,
        tls: Arc<ClientConfig>,
    ) -> Result<Box<dyn IoStream>, ConnectError> {
        let limit = self.shared.config.pace.connect_limit;
        let stream = match tokio::time::timeout(limit, shake_hands(host, port, tls)).await {
            Ok(stream) => stream?,
            Err(_) => return Err(ConnectError::Tcp(io::ErrorKind::TimedOut.into())),
        };
        let (cut, bound) = (self.over.child_token(), CancellationToken::new());
        self.now().cut = cut.clone();
        self.shared.open.spawn(guard(self.shared.clone(), cut.clone(), bound.clone()));
        let line = self.clone();
        Ok(Box::new(Link::new(stream, self.shared.open.token(), cut, move |heard| line.heard(heard, &bound))))
    }

    fn heard(&self, heard: Heard, bound: &CancellationToken) {
        match heard {
            Heard::Bound { url } => {
                bound.cancel();
                let mut now = self.now();
                (now.failures, now.unanswered) = (0, 0);
                drop(now);
                self.tell(News::Bound { url });
            }
            Heard::Stopped { message, code } => {
                self.tell(News::Over(Refusal::closed(code.as_deref(), &message, &self.shared.config.token)));
            }
        }
    }
}

/// TCP and TLS. Small writes leave at once: the SDK's own connector leaves Nagle's algorithm on.
async fn shake_hands(host: &str, port: u16, tls: Arc<ClientConfig>) -> Result<TlsStream<TcpStream>, ConnectError> {
    let invalid = |_| ConnectError::Tcp(io::ErrorKind::InvalidInput.into());
    let name = ServerName::try_from(host.to_owned()).map_err(invalid)?;
    let stream = TcpStream::connect((host, port)).await.map_err(ConnectError::Tcp)?;
    stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
    TlsConnector::from(tls).connect(name, stream).await.map_err(ConnectError::Tls)
}

/// Cuts a link that is not bound in time (the SDK has no limit of its own), and any link the computer slept over.
async fn guard(shared: Arc<Shared>, cut: CancellationToken, bound: CancellationToken) {
    let mut woke = shared.woke.subscribe();
    tokio::select! {
        () = cut.cancelled() => return,
        _ = woke.changed() => return cut.cancel(),
        () = tokio::time::sleep(shared.config.pace.answer_limit) => return cut.cancel(),
        () = bound.cancelled() => {}
    }
    tokio::select! {
        () = cut.cancelled() => {}
        _ = woke.changed() => cut.cancel(),
    }
}
