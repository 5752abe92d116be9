//! Many streams over one carrier.

use crate::{
    header::Header,
    stream::{FRAME, RelayStream},
};
use futures::io::{AsyncRead, AsyncWrite};
use std::{
    fmt,
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::{
    compat::{Compat, TokioAsyncReadCompatExt},
    sync::CancellationToken,
};

/// Connections each side may have open towards the other at a time; the next one waits. Yamux lets 256 streams wait for
/// the far side's first word, and ends the whole carrier past its limit of streams, so this stays below both.
pub const CONNECTIONS: usize = 240;
const STREAMS: usize = 4 * CONNECTIONS;
/// Received and not yet read, over all streams, beyond the 256 KiB each has by right: room for a far-away engine.
const EXTRA_WINDOW: usize = 16 * 1024 * 1024;

/// Which end of a carrier this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Relay,
    Gateway,
}

/// Opens streams over a carrier. Cheap to clone. Dropping it ends nothing; [`Mux::close`] does.
#[derive(Clone)]
pub struct Mux {
    wanted: mpsc::Sender<oneshot::Sender<yamux::Stream>>,
    permits: Arc<Semaphore>,
    closing: CancellationToken,
    closed: CancellationToken,
}

/// The streams the far side opens, for [`crate::Offer::read`]. Ends with the carrier.
pub type Offers = mpsc::Receiver<yamux::Stream>;

/// Begins to use a carrier. The future does all its work: it runs until the carrier ends or [`Mux::close`] is called.
pub fn start<T>(io: T, side: Side) -> (Mux, Offers, impl Future<Output = ()> + Send)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
{
    let (wanted, wishes) = mpsc::channel(CONNECTIONS);
    // As many as there can be streams, so that handing one over never waits.
    let (offered, offers) = mpsc::channel(STREAMS);
    let mux = Mux {
        wanted,
        permits: Arc::new(Semaphore::new(CONNECTIONS)),
        closing: CancellationToken::new(),
        closed: CancellationToken::new(),
    };
    let connection = yamux::Connection::new(io.compat(), config(), mode(side));
    let driver = Driver { connection, wishes, wish: None, offered };
    (mux.clone(), offers, drive(driver, mux.closing, mux.closed))
}

fn config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS);
    config.set_max_connection_receive_window(Some(STREAMS * yamux::DEFAULT_CREDIT as usize + EXTRA_WINDOW));
    config.set_split_send_size(FRAME);
    config
}

fn mode(side: Side) -> yamux::Mode {
    match side {
        Side::Relay => yamux::Mode::Client,
        Side::Gateway => yamux::Mode::Server,
    }
}

impl Mux {
    /// Opens a stream. It does not wait for the far side ([`RelayStream::taken`] does), but for room when there are
    /// [`CONNECTIONS`] already. Fails with [`io::ErrorKind::NotConnected`] when the carrier is gone.
    pub async fn open(&self, header: Header) -> io::Result<RelayStream> {
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "the carrier is gone");
        let work = async {
            let permit = self.permits.clone().acquire_owned().await.map_err(|_| gone())?;
            let (answer, stream) = oneshot::channel();
            self.wanted.send(answer).await.map_err(|_| gone())?;
            let stream = stream.await.map_err(|_| gone())?;
            Ok(RelayStream::opened(stream, header, permit))
        };
        self.closed.run_until_cancelled(work).await.unwrap_or_else(|| Err(gone()))
    }

    /// Ends the carrier and every connection on it.
    pub fn close(&self) {
        self.closing.cancel();
    }

    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Returns when the carrier is gone.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Whether both speak over the same carrier.
    pub fn same(&self, other: &Mux) -> bool {
        self.wanted.same_channel(&other.wanted)
    }
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").field("closed", &self.is_closed()).finish()
    }
}

struct Driver<T> {
    connection: yamux::Connection<Compat<T>>,
    wishes: mpsc::Receiver<oneshot::Sender<yamux::Stream>>,
    wish: Option<oneshot::Sender<yamux::Stream>>,
    offered: mpsc::Sender<yamux::Stream>,
}

async fn drive<T>(mut driver: Driver<T>, closing: CancellationToken, closed: CancellationToken)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    Compat<T>: AsyncRead + AsyncWrite,
{
    // Also when this future is dropped half-way.
    let _told = closed.drop_guard();
    tokio::select! {
        () = closing.cancelled() => {}
        () = poll_fn(|cx| driver.poll(cx)) => {}
    }
}

impl<T> Driver<T>
where
    Compat<T>: AsyncRead + AsyncWrite + Unpin,
{
    /// Ready when the carrier is gone.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let granted = self.poll_wish(cx);
            if let Poll::Ready(false) = granted {
                return Poll::Ready(());
            }
            match self.connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => {
                    // A full or dropped queue resets the stream, which is the far side's answer.
                    let _ = self.offered.try_send(stream);
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending if granted.is_pending() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Grants one wish for a stream. `false` when the carrier is gone.
    fn poll_wish(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.wish.is_none() {
            let Poll::Ready(Some(wish)) = self.wishes.poll_recv(cx) else { return Poll::Pending };
            self.wish = Some(wish);
        }
        match self.connection.poll_new_outbound(cx) {
            Poll::Ready(Ok(stream)) => {
                if let Some(wish) = self.wish.take() {
                    // Nobody waits any more: the stream is dropped.
                    let _ = wish.send(stream);
                }
                Poll::Ready(true)
            }
            Poll::Ready(Err(_)) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    }
}
