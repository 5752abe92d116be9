//! The wire under an agent's link, with a hand on it: cut it, or let it swallow everything.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Sockets of links that were swallowed and then given up here: the agent must not see them end.
pub(super) type Graves = Arc<Mutex<Vec<TcpStream>>>;

/// What can be done to a link from outside.
#[derive(Clone)]
pub(super) struct Hand {
    graves: Graves,
    cut: CancellationToken,
    swallow: CancellationToken,
}

impl Hand {
    pub(super) fn new(graves: Graves) -> Self {
        Self { graves, cut: CancellationToken::new(), swallow: CancellationToken::new() }
    }

    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    pub(super) fn swallow(&self) {
        self.swallow.cancel();
    }

    pub(super) async fn when_cut(&self) {
        self.cut.cancelled().await;
    }
}

pub(super) struct Gate {
    stream: Option<TcpStream>,
    hand: Hand,
    /// Polled by the reader alone: it holds one waker.
    when_cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Gate {
    pub(super) fn new(stream: TcpStream, hand: Hand) -> Self {
        let when_cut = Box::pin(hand.cut.clone().cancelled_owned());
        Self { stream: Some(stream), hand, when_cut }
    }

    /// The stream, unless the link was cut.
    fn stream(&mut self) -> Option<Pin<&mut TcpStream>> {
        if self.hand.cut.is_cancelled() {
            self.bury();
        }
        self.stream.as_mut().map(Pin::new)
    }

    /// Lets go of the socket: it closes, unless it was swallowed.
    fn bury(&mut self) {
        let swallowed = self.stream.take().filter(|_| self.swallows());
        self.hand.graves.lock().unwrap_or_else(PoisonError::into_inner).extend(swallowed);
    }

    fn swallows(&self) -> bool {
        self.hand.swallow.is_cancelled()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.bury();
    }
}

impl AsyncRead for Gate {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let _ = this.when_cut.as_mut().poll(cx);
        let Some(stream) = this.stream() else { return Poll::Ready(Ok(())) };
        ready!(stream.poll_read(cx, buf))?;
        if this.swallows() {
            buf.set_filled(before);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gate {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let swallows = this.swallows();
        match this.stream() {
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(_) if swallows => Poll::Ready(Ok(bytes.len())),
            Some(stream) => stream.poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream().map_or(Poll::Ready(Ok(())), |stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream().map_or(Poll::Ready(Ok(())), |stream| stream.poll_shutdown(cx))
    }
}
