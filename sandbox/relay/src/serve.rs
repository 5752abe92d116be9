//! The main program inside a sandbox: takes connections on the loopback and sends them out over the newest carrier, and
//! takes streams from the carrier to ports inside.

use crate::{Answer, CONNECTIONS, Header, Kind, Mux, Offer, RelayStream, Side, stream::FRAME};
use std::{
    future::poll_fn,
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional_with_sizes},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

/// How long a connection waits for a carrier: the gateway may be restarting.
const PATIENCE: Duration = Duration::from_secs(3);
/// A port on the loopback answers at once or not at all.
const DIAL_IN: Duration = Duration::from_secs(5);
/// For a client to take in the last it was sent, once nobody reads it any more.
const GOODBYE: Duration = Duration::from_secs(1);
/// Between two tries to reach the gateway. It is on the same machine, so trying is cheap.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// What a client is told when no carrier comes, in the protocol of all clients of the egress door.
const NO_GATEWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 43\r\nConnection: close\r\n\r\nLanyard is not connected to this sandbox.\r\n";

/// Where the relay listens and whom it calls.
#[derive(Clone, Debug)]
pub struct Places {
    /// For clients inside, on the loopback.
    pub port: u16,
    /// The gateway's socket to dial; without one the gateway comes by [`Places::pipe`].
    pub dial: Option<PathBuf>,
    /// The socket of `lanyard-relay pipe`, in a folder only this user can enter.
    pub pipe: Option<PathBuf>,
}

/// Serves until the listener fails. `ready` is told the port.
pub async fn serve(places: Places, ready: impl FnOnce(u16)) -> io::Result<()> {
    let clients = TcpListener::bind((Ipv4Addr::LOCALHOST, places.port)).await?;
    let port = clients.local_addr()?.port();
    let (newest, current) = watch::channel(None);
    let pipe = places.pipe.as_deref().map(listen_private).transpose()?;
    ready(port);
    tokio::select! {
        result = accept(clients, port, current) => result,
        never = dial(places.dial, &newest) => match never {},
        result = accept_pipes(pipe, &newest) => result,
    }
}

type Newest = watch::Sender<Option<Mux>>;
type Current = watch::Receiver<Option<Mux>>;

fn listen_private(path: &Path) -> io::Result<UnixListener> {
    // A relay that was killed leaves its socket behind.
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path)
}

/// Calls the gateway for ever; each time it answers, that is the carrier until it ends.
async fn dial(path: Option<PathBuf>, newest: &Newest) -> std::convert::Infallible {
    let Some(path) = path else { return std::future::pending().await };
    let mut wait = FIRST_WAIT;
    loop {
        if let Ok(gateway) = UnixStream::connect(&path).await {
            wait = FIRST_WAIT;
            carry(gateway, newest).await;
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn accept_pipes(listener: Option<UnixListener>, newest: &Newest) -> io::Result<()> {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        let (pipe, _) = listener.accept().await?;
        let newest = newest.clone();
        tokio::spawn(async move { carry(pipe, &newest).await });
    }
}

/// Uses one carrier until it ends. The newest is the one new connections go by; older ones keep what they have.
async fn carry(io: impl AsyncRead + AsyncWrite + Unpin + Send, newest: &Newest) {
    let (mux, mut offers, driver) = crate::start(io, Side::Relay);
    newest.send_replace(Some(mux.clone()));
    let inward = async {
        while let Some(stream) = offers.recv().await {
            tokio::spawn(async move { carry_in(stream).await });
        }
    };
    futures::join!(driver, inward);
    newest.send_if_modified(|current| {
        let mine = current.as_ref().is_some_and(|current| current.same(&mux));
        if mine {
            *current = None;
        }
        mine
    });
}

/// One connection from the gateway to a port inside. Errors are the stream's, and both ends have seen them.
async fn carry_in(stream: yamux::Stream) -> io::Result<()> {
    let offer = Offer::read(stream).await?;
    let Header { kind: Kind::In, port } = offer.header else { return offer.refuse(Answer::Unserved).await };
    match timeout(DIAL_IN, TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await {
        Ok(Ok(server)) => splice(server, offer.take().await?).await,
        Ok(Err(_)) => offer.refuse(Answer::Refused).await,
        Err(_) => offer.refuse(Answer::Unserved).await,
    }
}

/// Takes clients, at most [`CONNECTIONS`] at a time: the rest wait in the listener's queue.
async fn accept(clients: TcpListener, port: u16, current: Current) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let permit = room.clone().acquire_owned().await.map_err(io::Error::other)?;
        let client = match clients.accept().await {
            Ok((client, _)) => client,
            Err(_) => {
                // Out of descriptors, or a client that is gone already: neither ends the relay.
                sleep(FIRST_WAIT).await;
                continue;
            }
        };
        let current = current.clone();
        tokio::spawn(async move {
            let _permit = permit;
            carry_out(client, port, current).await
        });
    }
}

/// One connection of a client inside to the egress door.
async fn carry_out(mut client: TcpStream, port: u16, current: Current) -> io::Result<()> {
    let header = Header { kind: Kind::Out, port };
    match timeout(PATIENCE, open(current, header)).await {
        Ok(mut stream) => {
            stream.flush().await?;
            splice(client, stream).await
        }
        Err(_) => {
            client.write_all(NO_GATEWAY).await?;
            client.shutdown().await
        }
    }
}

/// Opens a stream on the first carrier that takes it.
async fn open(mut current: Current, header: Header) -> RelayStream {
    loop {
        let mux = current.borrow_and_update().clone();
        if let Some(mux) = mux
            && let Ok(stream) = mux.open(header).await
        {
            return stream;
        }
        if current.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Carries both directions to their own ends. A cut on one side becomes a reset on the other, never a clean end; a client that
/// keeps its half of a connection whose other end has left is not waited for.
async fn splice(mut tcp: TcpStream, stream: RelayStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let stream = Watched(stream.into());
    let mut far = &stream;
    let result = {
        let mut both = std::pin::pin!(copy_bidirectional_with_sizes(&mut tcp, &mut far, FRAME, FRAME));
        let left = async {
            poll_fn(|cx| stream.lock().poll_left(cx)).await;
            sleep(GOODBYE).await;
        };
        tokio::select! {
            result = &mut both => result.map(|_| ()),
            () = left => return Ok(()),
        }
    };
    if result.is_err() {
        tcp.set_zero_linger()?;
    }
    result
}

/// A stream that is carried and watched by one task.
struct Watched(Mutex<RelayStream>);

impl Watched {
    fn lock(&self) -> MutexGuard<'_, RelayStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for &Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl AsyncWrite for &Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}
