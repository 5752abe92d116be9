//! Bytes both ways, counted, until both ends are done, nothing has moved for too long, or the door stops.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes},
    time::sleep,
};
use tokio_util::{
    io::{InspectReader, InspectWriter},
    sync::CancellationToken,
};

/// Large enough that a download costs few calls, small enough for hundreds of tunnels.
const BUFFER: usize = 32 << 10;

/// Bytes out of the sandbox and into it.
#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<(AtomicU64, AtomicU64)>);

impl Counts {
    pub fn sent(&self) -> u64 {
        self.0.0.load(Relaxed)
    }

    pub fn received(&self) -> u64 {
        self.0.1.load(Relaxed)
    }

    /// The outer stream, counting what is written to it as sent and what is read from it as received.
    pub fn watch<S: AsyncRead + AsyncWrite>(&self, outer: S) -> impl AsyncRead + AsyncWrite + use<S> {
        let (sent, received) = (self.clone(), self.clone());
        let reader = InspectReader::new(outer, move |bytes| {
            received.0.1.fetch_add(bytes.len() as u64, Relaxed);
        });
        InspectWriter::new(reader, move |bytes| {
            sent.0.0.fetch_add(bytes.len() as u64, Relaxed);
        })
    }

    /// Ready when nothing has moved for `limit` (and less than twice that).
    pub async fn idle(&self, limit: Duration) {
        let mut before = None;
        loop {
            let now = (self.sent(), self.received());
            if before == Some(now) {
                return;
            }
            before = Some(now);
            sleep(limit).await;
        }
    }
}

/// Carries until the end. When one side has said all, the other may go on.
pub(crate) async fn carry<A, B>(mut inner: A, outer: B, counts: &Counts, idle: Duration, stop: &CancellationToken)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let outer = counts.watch(outer);
    let mut outer = std::pin::pin!(outer);
    tokio::select! {
        () = stop.cancelled() => {}
        () = counts.idle(idle) => tracing::debug!(idle_ms = idle.as_millis() as u64, "a tunnel was idle for too long"),
        // How it ended is between the two ends; the counts say what came through.
        _ = copy_bidirectional_with_sizes(&mut inner, &mut outer, BUFFER, BUFFER) => {}
    }
}
