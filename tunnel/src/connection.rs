//! One visitor's connection, whichever way it came.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::server::TlsStream;
use tokio_util::{
    either::Either,
    sync::{CancellationToken, WaitForCancellationFutureOwned},
};

/// The way a visitor came. Only this crate makes connections of either kind, so the mark is sure: unlike an address
/// (a tunnel's visitors would all be 127.0.0.1) or a header (anyone may write one).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the internet, through ngrok. Who asks is nobody known.
    Tunnel,
    /// From the local network, over TLS with our own certificate.
    Lan,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The visitor's own address: as ngrok saw it, or as the local network's socket has it.
    pub address: SocketAddr,
    pub way: Way,
}

/// A visitor's bytes, TLS already taken off.
pub struct Connection {
    stream: Either<ngrok::conn::EndpointConn, Box<TlsStream<TcpStream>>>,
    /// The door it came by is shut: what lasts (a WebSocket) ends with it, as the tunnel's does by itself.
    shut: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Connection {
    pub(crate) fn through_tunnel(stream: ngrok::conn::EndpointConn) -> Self {
        Self { stream: Either::Left(stream), shut: None }
    }

    pub(crate) fn from_lan(stream: TlsStream<TcpStream>, shut: CancellationToken) -> Self {
        Self { stream: Either::Right(Box::new(stream)), shut: Some(Box::pin(shut.cancelled_owned())) }
    }

    /// Fails once the door is shut, and else wakes the reader when it is.
    fn open(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.shut.as_mut().map(|shut| shut.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Poll::Pending) | None => Ok(()),
        }
    }
}

/// Those who come one way.
pub struct Visitors(pub(crate) mpsc::Receiver<(Connection, Peer)>);

impl Visitors {
    /// The next visitor, TLS done; none once the way is closed. Losses in between are not seen here.
    pub async fn accept(&mut self) -> Option<(Connection, Peer)> {
        self.0.recv().await
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if matches!(self.stream, Either::Left(_)) { Way::Tunnel } else { Way::Lan };
        f.debug_tuple("Connection").field(&way).finish()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.open(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
