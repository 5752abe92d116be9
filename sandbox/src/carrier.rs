//! The lines to the relays: one per sandbox, kept up by a task of its own, over a socket or an exec.

mod exec;
#[cfg(unix)]
mod socket;

use crate::{Carrier, Error, Sandboxes, docker::Engine};
use domain::SandboxId;
use relay::{Answer, Header, Kind, Mux, Offer, RelayStream, Side};
use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Notify, mpsc, watch},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A relay answers in milliseconds; a machine that swaps may take seconds.
const PROBE: Duration = Duration::from_secs(5);
/// The header of a stream comes with its first bytes.
const HEADER: Duration = Duration::from_secs(10);
const DIAL: Duration = Duration::from_secs(10);

/// A connection from inside a sandbox, for the egress door.
pub struct Incoming {
    pub sandbox: SandboxId,
    pub stream: RelayStream,
}

/// All lines.
pub(crate) struct Carriers {
    pub(crate) kind: Carrier,
    context: Context,
    lines: Mutex<HashMap<SandboxId, Line>>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

#[derive(Clone)]
struct Context {
    engine: Engine,
    run_dir: PathBuf,
    instance: String,
    incoming: mpsc::Sender<Incoming>,
}

#[derive(Clone)]
struct Line {
    current: Arc<watch::Sender<Option<Mux>>>,
    stop: CancellationToken,
    /// Rung when the container may have come up, so that a waiting line tries at once.
    try_now: Arc<Notify>,
}

impl Carriers {
    pub(crate) fn new(
        engine: Engine,
        kind: Carrier,
        run_dir: PathBuf,
        instance: String,
        incoming: mpsc::Sender<Incoming>,
    ) -> Self {
        let context = Context { engine, run_dir, instance, incoming };
        Self { kind, context, lines: Mutex::default(), tasks: TaskTracker::new(), closing: CancellationToken::new() }
    }

    /// Begins to keep a line up, if none is. The socket's folder is there when this returns, to be mounted.
    pub(crate) fn up(&self, id: SandboxId) -> Result<(), Error> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&id) {
            line.try_now.notify_one();
            return Ok(());
        }
        let line = Line {
            current: Arc::new(watch::Sender::new(None)),
            stop: self.closing.child_token(),
            try_now: Arc::default(),
        };
        self.spawn(id, line.clone())?;
        lines.insert(id, line);
        Ok(())
    }

    #[cfg(unix)]
    fn spawn(&self, id: SandboxId, line: Line) -> Result<(), Error> {
        if self.kind != Carrier::Socket {
            self.tasks.spawn(exec::keep_up(self.context.clone(), id, line));
            return Ok(());
        }
        let listener = socket::listen(&self.context.run_dir, id)?;
        self.tasks.spawn(socket::keep_up(self.context.clone(), id, line, listener));
        Ok(())
    }

    #[cfg(not(unix))]
    fn spawn(&self, id: SandboxId, line: Line) -> Result<(), Error> {
        self.tasks.spawn(exec::keep_up(self.context.clone(), id, line));
        Ok(())
    }

    /// Ends a line with all its connections.
    pub(crate) fn down(&self, id: SandboxId) {
        if let Some(line) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(&id) {
            line.stop.cancel();
        }
    }

    /// Ends all lines and waits until their tasks are gone.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits for a line that has heard from its relay.
    pub(crate) async fn connected(&self, id: SandboxId, within: Duration) -> Result<Mux, Error> {
        let down = || Error::RelayDown { sandbox: id };
        let line = self.line(id).ok_or_else(down)?;
        let mut current = line.current.subscribe();
        let live = timeout(within, current.wait_for(|mux| mux.as_ref().is_some_and(|mux| !mux.is_closed()))).await;
        match live {
            Ok(Ok(mux)) => mux.clone().ok_or_else(down),
            Ok(Err(_)) | Err(_) => Err(down()),
        }
    }

    /// Whether the relay answers now.
    pub(crate) async fn answers(&self, id: SandboxId) -> bool {
        let mux = self.line(id).and_then(|line| line.current.borrow().clone());
        match mux {
            Some(mux) => probe(&mux).await,
            None => false,
        }
    }

    fn line(&self, id: SandboxId) -> Option<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

/// Asks the relay for a port that cannot exist: its refusal shows that it lives and speaks this protocol.
async fn probe(mux: &Mux) -> bool {
    let ask = async { mux.open(Header { kind: Kind::In, port: 0 }).await?.taken().await };
    matches!(timeout(PROBE, ask).await, Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused)
}

/// Uses one carrier until it ends: published once the relay has answered, its streams handed to the egress door.
async fn carry(io: impl AsyncRead + AsyncWrite + Unpin + Send, context: &Context, id: SandboxId, line: &Line) {
    let (mux, mut offers, driver) = relay::start(io, Side::Gateway);
    let publish = async {
        if probe(&mux).await {
            tracing::debug!(sandbox.id = %id, "relay connected");
            line.current.send_replace(Some(mux.clone()));
        } else {
            mux.close();
        }
    };
    let outward = async {
        let taking = TaskTracker::new();
        while let Some(stream) = offers.recv().await {
            taking.spawn(timeout(HEADER, hand_over(stream, context.incoming.clone(), id)));
        }
    };
    tokio::select! {
        () = line.stop.cancelled() => {}
        _ = async { futures::join!(driver, publish, outward) } => {}
    }
    line.current.send_if_modified(|current| {
        let mine = current.as_ref().is_some_and(|current| current.same(&mux));
        if mine {
            *current = None;
        }
        mine
    });
}

/// Only connections towards the outside are taken from a sandbox.
async fn hand_over(stream: yamux::Stream, incoming: mpsc::Sender<Incoming>, id: SandboxId) -> io::Result<()> {
    let offer = Offer::read(stream).await?;
    match offer.header.kind {
        Kind::Out => {
            let stream = offer.take().await?;
            // A closed queue means that the door is gone; the dropped stream tells the client.
            let _ = incoming.send(Incoming { sandbox: id, stream }).await;
            Ok(())
        }
        Kind::In => offer.refuse(Answer::Unserved).await,
    }
}

impl Sandboxes {
    /// Connects to a port on the loopback inside a sandbox, for previews. Fails with [`Error::Unreachable`] when nothing
    /// listens there.
    pub async fn dial(&self, id: SandboxId, port: u16) -> Result<RelayStream, Error> {
        let mux = self.carriers().connected(id, PROBE).await?;
        let dial = async {
            let mut stream = mux.open(Header { kind: Kind::In, port }).await?;
            stream.taken().await?;
            Ok(stream)
        };
        let unreachable = |e: io::Error| Error::Unreachable { sandbox: id, port, reason: e.to_string() };
        timeout(DIAL, dial).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)
    }
}
