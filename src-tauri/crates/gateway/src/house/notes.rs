//! What was reached, written down soon and waited for by nobody. A program inside a sandbox can ask for hosts as fast as it
//! likes; what is written stays bounded: changes share transactions, and a refusal that repeats is counted, not repeated.

use crate::clock;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::{
    Store,
    reached::{self, Reached},
};
use tokio::{sync::Notify, time::Instant};

/// Changes that wait at most; each is a connection that was let through, so this many would be open or just closed.
const WAITING: usize = 4096;
/// Changes in one transaction.
const BATCH: usize = 256;
/// A refusal that repeats within this is counted with the first one.
const AGAIN: Duration = Duration::from_secs(60);
/// Different refusals remembered within [`AGAIN`]; those of further hosts are counted together.
const KINDS: usize = 200;
/// How the row of those further hosts names them.
const OTHERS: &str = "(other hosts)";
/// Between two tries while the disk does not take them.
const LATER: Duration = Duration::from_secs(1);
const TRIES: u32 = 30;

#[derive(Clone)]
pub struct Notes(Arc<Inner>);

struct Inner {
    store: Store,
    desk: Mutex<Desk>,
    /// Rung when all is written.
    done: Notify,
}

#[derive(Default)]
struct Desk {
    waiting: VecDeque<Note>,
    /// Refusals written within [`AGAIN`], with how often each came since.
    refused: HashMap<Refusal, Repeats>,
    /// Somebody is writing.
    busy: bool,
    lost: u64,
}

#[derive(Clone)]
enum Note {
    Decided { id: String, row: Reached },
    Carried { id: String, received: u64, sent: u64 },
}

/// What makes two refusals the same.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Refusal {
    session: Option<domain::SessionId>,
    host: String,
    port: u16,
    why: String,
}

struct Repeats {
    since: Instant,
    times: u64,
}

impl Notes {
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Inner { store, desk: Mutex::default(), done: Notify::new() }))
    }

    /// A host was let through or refused.
    pub fn decided(&self, id: String, row: Reached) {
        let mut desk = self.desk();
        let now = Instant::now();
        desk.count_up(now);
        if row.allowed || desk.is_first(&row, now) {
            desk.put(Note::Decided { id, row });
        }
        self.wake(desk);
    }

    /// A connection that was let through has ended.
    pub fn carried(&self, id: String, received: u64, sent: u64) {
        let mut desk = self.desk();
        desk.put(Note::Carried { id, received, sent });
        self.wake(desk);
    }

    /// Writes down what is left, counts too.
    pub async fn settle(&self) {
        self.close_counts();
        loop {
            let done = self.0.done.notified();
            tokio::pin!(done);
            done.as_mut().enable();
            if !self.desk().busy {
                return;
            }
            done.await;
        }
    }

    fn close_counts(&self) {
        let mut desk = self.desk();
        desk.count_up(Instant::now() + AGAIN);
        self.wake(desk);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One task writes as long as something waits.
    fn wake(&self, mut desk: MutexGuard<'_, Desk>) {
        if !desk.busy && !desk.waiting.is_empty() {
            desk.busy = true;
            tokio::spawn(self.clone().write_all());
        }
    }

    async fn write_all(self) {
        loop {
            let batch: Vec<Note> = {
                let mut desk = self.desk();
                let size = desk.waiting.len().min(BATCH);
                if size == 0 {
                    desk.busy = false;
                    break;
                }
                desk.waiting.drain(..size).collect()
            };
            self.write(batch).await;
        }
        self.0.done.notify_waiters();
    }

    async fn write(&self, batch: Vec<Note>) {
        for _ in 0..TRIES {
            let (notes, now) = (batch.clone(), clock::now());
            let written = self.0.store.write(move |tx| notes.iter().try_for_each(|note| note.write(tx, now))).await;
            match written {
                Ok(()) => return,
                Err(store::Error::Closed) => break,
                Err(e) => tracing::error!(error = ?e, "what was reached could not be written down"),
            }
            tokio::time::sleep(LATER).await;
        }
        tracing::error!(notes = batch.len(), "what was reached is lost");
    }
}

impl Note {
    fn write(&self, tx: &store::Tx<'_>, now: domain::Timestamp) -> store::Result<()> {
        match self {
            Self::Decided { id, row } => reached::record(tx, id, row, now),
            Self::Carried { id, received, sent } => reached::carried(tx, id, *received, *sent),
        }
    }
}

impl Desk {
    fn put(&mut self, note: Note) {
        if self.waiting.len() < WAITING {
            self.waiting.push_back(note);
            return;
        }
        self.lost += 1;
        if self.lost.is_power_of_two() {
            tracing::error!(lost = self.lost, "more was reached than could be written down");
        }
    }

    /// False for a refusal that was written a moment ago: it is counted.
    fn is_first(&mut self, row: &Reached, now: Instant) -> bool {
        let why = row.why.clone();
        let mut refusal = Refusal { session: row.session, host: row.host.clone(), port: row.port, why };
        if self.refused.len() >= KINDS && !self.refused.contains_key(&refusal) {
            refusal = Refusal { session: None, host: OTHERS.to_owned(), port: 0, why: row.why.clone() };
        }
        let told = refusal.host == OTHERS;
        match self.refused.get_mut(&refusal) {
            Some(repeats) => {
                repeats.times += 1;
                false
            }
            None => {
                self.refused.insert(refusal, Repeats { since: now, times: u64::from(told) });
                !told
            }
        }
    }

    /// Rows for the repeats of refusals whose time is over.
    fn count_up(&mut self, now: Instant) {
        let over: Vec<(Refusal, u64)> =
            self.refused.extract_if(|_, r| now.duration_since(r.since) >= AGAIN).map(|(k, r)| (k, r.times)).collect();
        for (refusal, times) in over.into_iter().filter(|(_, times)| *times > 0) {
            let Refusal { session, host, port, why } = refusal;
            let why = format!("{why}, {times} more");
            let row = Reached { session, host, port, allowed: false, why, bytes_in: 0, bytes_out: 0 };
            self.put(Note::Decided { id: uuid::Uuid::now_v7().to_string(), row });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(host: &str, allowed: bool) -> Reached {
        let why = if allowed { "allowed" } else { "HOST_BLOCKED" };
        let host = host.to_owned();
        Reached { session: None, host, port: 443, allowed, why: why.into(), bytes_in: 0, bytes_out: 0 }
    }

    fn notes() -> (tempfile::TempDir, Notes) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db")).unwrap();
        (folder, Notes::new(store))
    }

    async fn rows(notes: &Notes) -> Vec<Reached> {
        let rows = notes.0.store.read(|r| reached::latest(r, 10_000)).await.unwrap();
        rows.into_iter().rev().map(|(_, row)| row).collect()
    }

    #[tokio::test]
    async fn a_host_that_is_refused_ten_thousand_times_has_two_rows_that_count_them_all() {
        let (_folder, notes) = notes();
        for n in 0..10_000 {
            notes.decided(n.to_string(), row("evil.example", false));
        }
        assert!(notes.desk().waiting.len() <= 1);
        notes.settle().await;
        let whys: Vec<String> = rows(&notes).await.into_iter().map(|r| r.why).collect();
        assert_eq!(whys, ["HOST_BLOCKED", "HOST_BLOCKED, 9999 more"]);
    }

    #[tokio::test]
    async fn ten_thousand_different_hosts_are_bounded_too() {
        let (_folder, notes) = notes();
        for n in 0..10_000 {
            notes.decided(n.to_string(), row(&format!("h{n}.example"), false));
        }
        notes.settle().await;
        let rows = rows(&notes).await;
        assert_eq!(rows.len(), KINDS + 1);
        let others = rows.last().unwrap();
        assert_eq!((others.host.as_str(), others.why.as_str()), (OTHERS, "HOST_BLOCKED, 9800 more"));
    }

    #[tokio::test]
    async fn every_connection_that_was_let_through_keeps_its_row_and_its_bytes() {
        let (_folder, notes) = notes();
        for n in 0..1000 {
            notes.decided(n.to_string(), row("good.example", true));
            notes.carried(n.to_string(), n, 1);
        }
        notes.settle().await;
        let rows = rows(&notes).await;
        assert_eq!(rows.len(), 1000);
        assert!(rows.iter().enumerate().all(|(n, row)| row.bytes_in == n as u64 && row.bytes_out == 1));
    }
}
