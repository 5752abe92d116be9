//! The database: one SQLite file, one writer, a few readers. Sole user of rusqlite; its types stay here.
//!
//! Every change goes through [`Store::write`], which runs it on the one writer's thread. Changes that arrive together
//! share one commit, so that a durable write costs a fraction of a disk flush under load; each answers only after that
//! commit is on disk (`synchronous=FULL`). Queries stand in a module per table and take a [`Tx`] or a [`Reader`].

pub mod activity;
pub mod api_tokens;
pub mod approvals;
pub mod artifacts;
pub mod audit;
pub mod ceilings;
pub mod events;
pub mod facts;
pub mod hosts;
pub mod imports;
pub mod inbox;
pub mod letters;
pub mod links;
pub mod listing;
pub mod numbers;
pub mod outbox;
pub mod parked;
pub mod phones;
pub mod push_letters;
pub mod push_subscriptions;
pub mod reached;
pub mod rules;
pub mod schedules;
pub mod search;
pub mod sessions;
pub mod spending;
pub mod tasks;
pub mod turns;
pub mod usage;

mod check;
mod error;
mod open;
mod values;
mod writer;

pub use check::check;
pub use error::{Error, Result};
pub use writer::{Bells, Tx};

use rusqlite::Connection;
use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::sync::Semaphore;

/// A connection that only reads. Each query sees the newest commit.
pub struct Reader<'c>(&'c Connection);

/// What queries take: a reader or the writer's transaction.
pub trait Rows {
    #[doc(hidden)]
    fn conn(&self) -> &Connection;
}

impl Rows for Reader<'_> {
    fn conn(&self) -> &Connection {
        self.0
    }
}

/// How many reads run at once. Reads are short; more would only hold memory.
const READERS: usize = 4;

/// The open database. Cheap to clone; closed when the last clone is gone and the writer has finished.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// The writer is dropped after the readers: the last connection to close folds the log into the file, and a reader may not.
struct Inner {
    readers: Mutex<Vec<Connection>>,
    writer: writer::Writer,
    permits: Semaphore,
    bells: Bells,
}

impl Store {
    /// Opens or makes the database at `path` and brings its shape up to date.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the file is no database or is broken (it is left as it is), [`Error::Newer`] if a newer
    /// Lanyard wrote it, [`Error::Full`] and [`Error::Sqlite`] as they come.
    pub fn open(path: &Path) -> Result<Self> {
        let mut conn = open::writer(path)?;
        open::migrate(&mut conn)?;
        let readers = (0..READERS).map(|_| open::reader(path)).collect::<Result<Vec<_>>>()?;
        let bells = Bells::starting_at(events::last(&Reader(&conn))?);
        let writer = writer::Writer::start(conn, bells.clone());
        Ok(Self(Arc::new(Inner { readers: Mutex::new(readers), writer, permits: Semaphore::new(READERS), bells })))
    }

    /// Runs `change` in a transaction of its own and answers when it is on disk. If it fails nothing of it stays.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.writer.run(change).await
    }

    /// Runs `query` on a reading connection, off the async threads.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _permit = self.0.permits.acquire().await.map_err(|_| Error::Closed)?;
        let inner = Arc::clone(&self.0);
        let run = move || {
            let conn = lock(&inner.readers).pop().ok_or(Error::Closed)?;
            let conn = Lent { conn: Some(conn), inner: &inner };
            conn.conn.as_ref().map_or(Err(Error::Closed), |conn| query(&Reader(conn)))
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| Error::Closed)?
    }

    /// What rings when something was written.
    pub fn bells(&self) -> &Bells {
        &self.0.bells
    }
}

/// A connection that comes back whatever happens to its borrower.
struct Lent<'i> {
    conn: Option<Connection>,
    inner: &'i Inner,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        lock(&self.inner.readers).extend(self.conn.take());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod plan;
#[cfg(test)]
mod tests;
