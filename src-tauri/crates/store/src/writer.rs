//! The one writer. Changes queue up; those that wait when a transaction begins share its commit (group commit).

use crate::{Error, Result, Rows};
use domain::Code;
use rusqlite::Connection;
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Changes that may wait before callers are held back. Each is a message someone waits for, so a longer queue would only
/// hide that the disk is too slow.
const QUEUE: usize = 4096;
/// Changes in one commit at most: bounds how long the first of them waits for the rest.
const GROUP: usize = 512;
/// Changes of letters kept for a listener that lags; one that lags more looks at the newest letters instead.
const LETTERS: usize = 256;

/// The writer's transaction, as changes see it.
pub struct Tx<'c> {
    conn: &'c Connection,
    rung: Cell<Rung>,
    /// Events whose letters changed.
    letters: RefCell<Vec<i64>>,
}

/// Which bells a change rings once it is on disk.
#[derive(Clone, Copy, Default)]
struct Rung {
    event: i64,
    inbox: bool,
    outbox: bool,
    audit: bool,
    tasks: bool,
}

impl Rows for Tx<'_> {
    fn conn(&self) -> &Connection {
        self.conn
    }
}

impl Tx<'_> {
    pub(crate) fn ring_events(&self, seq: i64) {
        self.rung.set(Rung { event: self.rung.get().event.max(seq), ..self.rung.get() });
    }

    pub(crate) fn ring_inbox(&self) {
        self.rung.set(Rung { inbox: true, ..self.rung.get() });
    }

    pub(crate) fn ring_outbox(&self) {
        self.rung.set(Rung { outbox: true, ..self.rung.get() });
    }

    pub(crate) fn ring_audit(&self) {
        self.rung.set(Rung { audit: true, ..self.rung.get() });
    }

    pub(crate) fn ring_tasks(&self) {
        self.rung.set(Rung { tasks: true, ..self.rung.get() });
    }

    /// Letters about this event stand otherwise than before.
    pub(crate) fn ring_letters(&self, event: i64) {
        self.letters.borrow_mut().push(event);
    }
}

/// Doorbells: they say that there is something to read, never what. A listener reads the store by its own cursor, so a
/// bell that rang while nobody listened costs nothing.
#[derive(Clone, Debug)]
pub struct Bells {
    /// The number of the newest event.
    pub events: watch::Sender<i64>,
    pub inbox: watch::Sender<()>,
    pub outbox: watch::Sender<()>,
    /// The audit has a new row.
    pub audit: watch::Sender<()>,
    /// A task stands otherwise than before.
    pub tasks: watch::Sender<()>,
    /// The number of an event whose letters changed.
    pub letters: broadcast::Sender<i64>,
}

impl Bells {
    pub(crate) fn starting_at(event: i64) -> Self {
        Self {
            events: watch::Sender::new(event),
            inbox: watch::Sender::new(()),
            outbox: watch::Sender::new(()),
            audit: watch::Sender::new(()),
            tasks: watch::Sender::new(()),
            letters: broadcast::Sender::new(LETTERS),
        }
    }

    fn ring(&self, rung: Rung, mut letters: Vec<i64>) {
        // Who reads an event of this commit finds its letters as they are.
        let before = *self.events.borrow();
        letters.retain(|event| *event <= before);
        letters.dedup();
        for event in letters {
            let _nobody_listens = self.letters.send(event);
        }
        if rung.event > 0 {
            self.events.send_modify(|newest| *newest = (*newest).max(rung.event));
        }
        if rung.inbox {
            self.inbox.send_replace(());
        }
        if rung.outbox {
            self.outbox.send_replace(());
        }
        if rung.audit {
            self.audit.send_replace(());
        }
        if rung.tasks {
            self.tasks.send_replace(());
        }
    }
}

/// What is left of a change after it ran: told how the commit went.
type Finish = Box<dyn FnOnce(std::result::Result<(), &rusqlite::Error>) + Send>;
/// Runs in the transaction, or learns that there is none.
type Change = Box<dyn FnOnce(std::result::Result<&Tx<'_>, &rusqlite::Error>) -> Finish + Send>;

pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Change>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(conn: Connection, bells: Bells) -> Self {
        let (queue, changes) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new().name("store-writer".into()).spawn(move || work(conn, changes, &bells)).ok();
        Self { queue: Some(queue), thread }
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let change: Change = Box::new(move |tx| {
            let result = tx.map_err(|e| clone_of(e).into()).and_then(|tx| in_savepoint(tx, change));
            Box::new(move |committed| {
                let result = match committed {
                    Ok(()) => result,
                    Err(e) => result.and_then(|_| Err(clone_of(e).into())),
                };
                let _nobody_waits_any_more = answer.send(result);
            })
        });
        let queue = self.queue.as_ref().ok_or(Error::Closed)?;
        queue.send(change).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn in_savepoint<T>(tx: &Tx<'_>, change: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
    tx.conn.prepare_cached("SAVEPOINT change")?.execute([])?;
    let before = (tx.rung.get(), tx.letters.borrow().len());
    // A bug in one change must not end the one writer that all others need.
    let result = catch_unwind(AssertUnwindSafe(|| change(tx))).unwrap_or_else(|_| Err(Error::Refused(Code::Internal)));
    if result.is_err() {
        tx.rung.set(before.0);
        tx.letters.borrow_mut().truncate(before.1);
        // After a full disk SQLite has rolled all of it back by itself; the first error is the one to tell.
        let _rolled_back_already = tx.conn.execute_batch("ROLLBACK TO change; RELEASE change");
        return result;
    }
    tx.conn.prepare_cached("RELEASE change")?.execute([])?;
    result
}

fn work(conn: Connection, mut changes: mpsc::Receiver<Change>, bells: &Bells) {
    while let Some(first) = changes.blocking_recv() {
        commit_together(&conn, first, &mut changes, bells);
    }
    let _best_effort = conn.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
}

/// One transaction of `first` and of what else waits by now.
fn commit_together(conn: &Connection, first: Change, changes: &mut mpsc::Receiver<Change>, bells: &Bells) {
    if let Err(e) = conn.execute_batch("BEGIN IMMEDIATE") {
        return first(Err(&e))(Ok(()));
    }
    let tx = Tx { conn, rung: Cell::default(), letters: RefCell::default() };
    let mut finishes = vec![first(Ok(&tx))];
    // A full disk rolls the whole transaction back by itself; whatever ran after that would commit alone.
    while finishes.len() < GROUP && !conn.is_autocommit() {
        match changes.try_recv() {
            Ok(change) => finishes.push(change(Ok(&tx))),
            Err(_) => break,
        }
    }
    let committed = conn.execute_batch("COMMIT");
    match &committed {
        Ok(()) => bells.ring(tx.rung.get(), tx.letters.take()),
        Err(e) => {
            tracing::error!(error = %e, changes = finishes.len(), "a commit failed; nothing of it stays");
            let _not_in_a_transaction = conn.execute_batch("ROLLBACK");
        }
    }
    for finish in finishes {
        finish(committed.as_ref().copied());
    }
}

/// rusqlite's errors cannot be cloned; the code is what a caller decides by, the words are what a log wants.
fn clone_of(e: &rusqlite::Error) -> rusqlite::Error {
    match e {
        rusqlite::Error::SqliteFailure(code, words) => rusqlite::Error::SqliteFailure(*code, words.clone()),
        other => rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR),
            Some(other.to_string()),
        ),
    }
}
