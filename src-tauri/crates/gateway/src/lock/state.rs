//! Whether everything is shut: from the moment somebody says so until the owner opens it at the desk, restarts included.

use domain::{Code, Problem};
use std::sync::Arc;
use store::{Store, facts};
use tokio::sync::watch;

#[derive(Clone)]
pub struct Lock(Arc<watch::Sender<bool>>);

const SHUT: &str = "shut";

impl Lock {
    /// As it was left.
    ///
    /// # Errors
    /// As the store's.
    pub async fn open(store: &Store) -> store::Result<Self> {
        let kept = store.read(|r| facts::get(r, facts::LOCK)).await?;
        Ok(Self(Arc::new(watch::Sender::new(kept.as_deref() == Some(SHUT)))))
    }

    pub fn is_shut(&self) -> bool {
        *self.0.borrow()
    }

    /// # Errors
    /// `LOCKED` while it is shut.
    pub fn check(&self) -> Result<(), Problem> {
        if self.is_shut() { Err(Code::Locked.into()) } else { Ok(()) }
    }

    pub fn watch(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }

    /// Holds at once, also where nothing can be written any more.
    pub(super) fn shut(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn keep_shut(&self, store: &Store) -> store::Result<()> {
        store.write(|tx| facts::set(tx, facts::LOCK, SHUT)).await
    }

    /// Open only when that is on disk: it would be shut again after a restart.
    pub(super) async fn reopen(&self, store: &Store) -> store::Result<()> {
        store.write(|tx| facts::set(tx, facts::LOCK, "open")).await?;
        self.0.send_replace(false);
        Ok(())
    }
}
