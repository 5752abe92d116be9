//! A step's writes on disk: tried again while the disk is full or busy. What the store refuses for good would be refused
//! for ever: the turn is ended as failed, the owner is told, and the session begins anew from what the store has.

use super::{Driver, load};
use crate::{clock, sessions::writes::Scene};
use domain::{agent::Picture, session::Write};
use std::time::Duration;

/// After a write failed (a full disk, most likely): how long until it is tried again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);
/// Tries of a write that a little time may help.
const WRITE_TRIES: u32 = 600;

/// Why writes did not come to the disk.
pub(super) enum Lost {
    /// Lanyard stops: the next launch takes up what the store has.
    Stopping,
    ForGood(store::Error),
}

impl Driver {
    pub(super) async fn write(&self, writes: &[Write], pictures: Vec<Picture>) -> Result<(), Lost> {
        let scene = Scene::of(&self.app, self.session.id);
        let writes: std::sync::Arc<[Write]> = writes.into();
        self.persist(move |tx| scene.write_all(tx, &writes, &pictures, clock::now())).await
    }

    async fn persist<F>(&self, change: F) -> Result<(), Lost>
    where
        F: Fn(&store::Tx<'_>) -> store::Result<()> + Clone + Send + 'static,
    {
        let mut attempt = 1;
        loop {
            let e = match self.app.store.write(change.clone()).await {
                Ok(()) => return Ok(()),
                Err(e) => e,
            };
            tracing::error!(session.id = %self.session.id, attempt, error = ?e, "a session's step was not written");
            if !e.retryable() || attempt == WRITE_TRIES {
                return Err(Lost::ForGood(e));
            }
            attempt += 1;
            let again = self.app.stop.run_until_cancelled(tokio::time::sleep(WRITE_AGAIN)).await;
            again.ok_or(Lost::Stopping)?;
        }
    }

    /// True if the session goes on, from what the store has.
    pub(super) async fn give_up(&mut self, writes: &[Write], e: store::Error) -> bool {
        self.end_process().await;
        let scene = Scene::of(&self.app, self.session.id);
        let (refused, code) = (std::sync::Arc::<[Write]>::from(writes), e.code());
        let detail = e.to_string();
        let told = self.persist(move |tx| scene.give_up(tx, &refused, code, &detail, clock::now())).await;
        if told.is_err() {
            return false;
        }
        let Some((session, _task)) = load::load(&self.app, self.session.id).await else { return false };
        self.session = session;
        (self.fresh, self.paused) = (true, false);
        self.show();
        true
    }
}
