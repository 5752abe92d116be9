//! The bytes between us and ngrok's edge, with a switch: once cut, the socket is closed at once and the SDK reads its end.
//! The SDK itself neither closes a link when asked nor notices one that is dead.

use super::{
    beginnings::Beginnings,
    ear::{Ear, Heard},
    frames::Frames,
};
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
    frames: Frames,
    ear: Ear,
    beginnings: Beginnings,
    hear: Box<dyn FnMut(Heard) + Send>,
    /// What came and is not yet read by the SDK.
    ready: Vec<u8>,
    chunk: Box<[u8]>,
}

/// One TLS record.
const CHUNK: usize = 16 * 1024;

impl Link {
    pub(super) fn new(
        stream: TlsStream<TcpStream>,
        open: TaskTrackerToken,
        cut: CancellationToken,
        hear: impl FnMut(Heard) + Send + 'static,
    ) -> Self {
        let when_cut = Box::pin(cut.clone().cancelled_owned());
        Self {
            open: Some((Box::new(stream), open)),
            cut,
            when_cut,
            frames: Frames::default(),
            ear: Ear::default(),
            beginnings: Beginnings::default(),
            hear: Box::new(hear),
            ready: Vec::new(),
            chunk: vec![0; CHUNK].into(),
        }
    }

    fn take_in(&mut self, mut came: &[u8]) {
        while let Some(piece) = self.frames.next(&mut came) {
            self.ear.hear(&piece).into_iter().for_each(&mut self.hear);
            self.beginnings.pass(&piece, &mut self.ready);
        }
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
        while this.ready.is_empty() {
            let _ = this.when_cut.as_mut().poll(cx);
            let mut chunk = std::mem::take(&mut this.chunk);
            let mut came = ReadBuf::new(&mut chunk);
            let polled = this.stream().map(|stream| stream.poll_read(cx, &mut came));
            let count = came.filled().len();
            this.take_in(&chunk[..count]);
            this.chunk = chunk;
            match polled {
                Some(polled) => ready!(polled)?,
                None => return Poll::Ready(Ok(())),
            }
            if count == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let now = this.ready.len().min(buf.remaining());
        buf.put_slice(&this.ready[..now]);
        this.ready.drain(..now);
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
