//! The newest events, already written as frames: a hundred phones that look at once cost one look into the store.

use super::facts;
use crate::wire::{Frame, FromServer, LettersFact, Status};
use axum::extract::ws::Utf8Bytes;
use std::collections::VecDeque;
use store::{Rows, Store, events};
use tokio::sync::Mutex;

/// Kept at most: about a long turn's worth.
const EVENTS: usize = 512;
const BYTES: usize = 4_000_000;
/// Read for one client at once: what it holds while it is being sent.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 256_000;

/// An event as it goes out.
#[derive(Clone, Debug)]
pub struct Written {
    pub seq: i64,
    pub text: Utf8Bytes,
}

#[derive(Default)]
pub struct Recent(Mutex<Kept>);

/// Every event after `floor` up to the last of `frames`, without a gap.
#[derive(Default)]
struct Kept {
    floor: i64,
    frames: VecDeque<Written>,
    bytes: usize,
}

impl Recent {
    /// Events after `cursor`, oldest first, some of them: none only if there are none.
    ///
    /// # Errors
    /// As the store's.
    pub async fn after(&self, store: &Store, cursor: i64) -> store::Result<Vec<Written>> {
        let newest = *store.bells().events.borrow();
        if newest <= cursor {
            return Ok(Vec::new());
        }
        // Whoever comes first reads for all who wait here.
        let mut kept = self.0.lock().await;
        if cursor < kept.floor || newest - cursor > EVENTS as i64 {
            drop(kept);
            return read(store, cursor).await;
        }
        if cursor > kept.last() {
            *kept = Kept { floor: cursor, ..Kept::default() };
        }
        if cursor == kept.last() {
            let more = read(store, cursor).await?;
            kept.take(more.clone());
            return Ok(more);
        }
        let start = kept.frames.partition_point(|f| f.seq <= cursor);
        Ok(kept.frames.iter().skip(start).take(BATCH).cloned().collect())
    }

    /// Of these events it is told otherwise than before where they went: who asks for them from now on gets them so.
    pub async fn anew(&self, store: &Store, letters: &[Frame]) {
        for frame in letters {
            let FromServer::Status(Status::Letters(LettersFact { seq, .. })) = &frame.body else { continue };
            let mut kept = self.0.lock().await;
            let Ok(place) = kept.frames.binary_search_by_key(seq, |f| f.seq) else { continue };
            match read_one(store, *seq).await {
                Ok(Some(written)) => kept.replace(place, written),
                // Whoever asks reads it from the store.
                Ok(None) | Err(_) => *kept = Kept { floor: kept.last(), ..Kept::default() },
            }
        }
    }
}

impl Kept {
    fn last(&self) -> i64 {
        self.frames.back().map_or(self.floor, |f| f.seq)
    }

    fn take(&mut self, more: Vec<Written>) {
        for frame in more {
            self.bytes += frame.text.len();
            self.frames.push_back(frame);
        }
        self.trim();
    }

    fn replace(&mut self, place: usize, written: Written) {
        let Some(known) = self.frames.get_mut(place) else { return };
        self.bytes = self.bytes + written.text.len() - known.text.len();
        *known = written;
    }

    fn trim(&mut self) {
        while self.frames.len() > EVENTS || self.bytes > BYTES {
            let Some(gone) = self.frames.pop_front() else { return };
            self.bytes -= gone.text.len();
            self.floor = gone.seq;
        }
    }
}

async fn read(store: &Store, cursor: i64) -> store::Result<Vec<Written>> {
    store
        .read(move |r| {
            let found = events::some_after(r, cursor, BATCH, BATCH_BYTES)?;
            found.into_iter().map(|stored| write(r, stored)).collect()
        })
        .await
}

async fn read_one(store: &Store, seq: i64) -> store::Result<Option<Written>> {
    store.read(move |r| events::one(r, seq)?.map(|stored| write(r, stored)).transpose()).await
}

fn write(rows: &impl Rows, stored: events::Stored) -> store::Result<Written> {
    let seq = stored.seq;
    let text = serde_json::to_string(&facts::frame(rows, stored)?)?;
    Ok(Written { seq, text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{SessionId, Timestamp, event::Event};
    use proptest::prelude::*;

    async fn append(store: &Store, session: SessionId, texts: Vec<String>) {
        let write = store.write(move |tx| {
            for text in texts {
                events::append(tx, session, &Event::Noticed { text }, Timestamp(1))?;
            }
            Ok(())
        });
        write.await.unwrap();
    }

    fn world() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        (folder, store)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        /// Readers at different places, events between their looks, small and large: each gets every event once, in order.
        #[test]
        fn every_reader_gets_every_event_once(
            steps in proptest::collection::vec((0usize..4, 0usize..90, prop_oneof![Just(1usize), Just(2000), Just(100_000)]), 1..16)
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (_folder, store) = world();
                let session = SessionId::new();
                store.write(move |tx| store::sessions::create(tx, session, "claude", "", Default::default(), Timestamp(1))).await.unwrap();
                let recent = Recent::default();
                let mut cursors = [0i64; 4];
                let mut got = [const { Vec::<i64>::new() }; 4];
                let mut written = 0;
                for (reader, count, size) in steps {
                    let count = if size > 50_000 { count.min(12) } else { count };
                    append(&store, session, (0..count).map(|_| "x".repeat(size)).collect()).await;
                    written += count as i64;
                    for frame in recent.after(&store, cursors[reader]).await.unwrap() {
                        cursors[reader] = frame.seq;
                        got[reader].push(frame.seq);
                    }
                }
                for reader in 0..4 {
                    loop {
                        let more = recent.after(&store, cursors[reader]).await.unwrap();
                        let Some(last) = more.last() else { break };
                        cursors[reader] = last.seq;
                        got[reader].extend(more.iter().map(|f| f.seq));
                    }
                    assert_eq!(got[reader], (1..=written).collect::<Vec<_>>());
                }
            });
        }
    }
}
