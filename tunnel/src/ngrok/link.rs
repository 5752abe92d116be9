//! The bytes between us and ngrok's edge, with a switch: once cut, the socket is closed at once and the SDK reads its end.
//! The SDK itself neither closes a link when asked nor notices one that is dead.

use super::ear::{Ear, Heard};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFutureOwned},
    task::task_tracker::TaskTrackerToken,
};

pub(super) struct Link {
    /// None once cut. The token tells the tunnel's stop that this socket is still open.
    open: Option<(Box<TlsStream<TcpStream>>, TaskTrackerToken)>,
    cut: CancellationToken,
    /// Polled by the reader alone: it holds one waker, and the reader is the one who always waits.
    when_cut: Pin<Box<WaitForCancellationFutureOwned>>,
    ear: Ear,
    hear: Box<dyn FnMut(Heard) + Send>,
}

impl Link {
    pub(super) fn new(
        stream: TlsStream<TcpStream>,
        open: TaskTrackerToken,
        cut: CancellationToken,
        hear: impl FnMut(Heard) + Send + 'static,
    ) -> Self {
        let when_cut = Box::pin(cut.clone().cancelled_owned());
        Self { open: Some((Box::new(stream), open)), cut, when_cut, ear: Ear::default(), hear: Box::new(hear) }
    }

    /// The stream, unless the link was cut.
    fn stream(&mut self) -> Option<Pin<&mut TlsStream<TcpStream>>> {
        if self.cut.is_cancelled() {
            self.open = None;
        }
        self.open.as_mut().map(|(stream, _)| Pin::new(&mut **stream))
    }
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let _ = this.when_cut.as_mut().poll(cx);
        let Some(stream) = this.stream() else { return Poll::Ready(Ok(())) };
        ready!(stream.poll_read(cx, buf))?;
        this.ear.hear(&buf.filled()[before..]).into_iter().for_each(&mut this.hear);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut().stream() {
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
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
