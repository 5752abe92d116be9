//! What replaces this program by a newer one asks of the gateway: to stop when nothing is lost by it, and to remember when it
//! looked last.

use super::Desk;
use crate::{clock, restart};
use domain::Timestamp;
use store::{Result, facts};

impl Desk {
    /// Begins to stop the gateway, unless an agent is at work. Words that wait for their turn are on disk and have it after the
    /// next start. False: a turn runs, and nothing was stopped.
    pub fn stop_if_idle(&self) -> bool {
        let idle = self.idle();
        if idle {
            self.stop();
        }
        idle
    }

    /// Comes back when no agent is at work, or the gateway stops.
    pub async fn until_idle(&self) {
        let mut changes = self.app.registry.changes();
        while !self.idle() {
            tokio::select! {
                () = self.app.stop.cancelled() => return,
                _ = changes.changed() => {}
            }
        }
    }

    fn idle(&self) -> bool {
        restart::working(&self.app) == 0
    }

    /// Whether the owner wants newer versions to be looked for without being asked.
    pub fn looks_for_updates(&self) -> bool {
        self.app.config.written.updates.look
    }

    /// When a newer version was last looked for.
    ///
    /// # Errors
    /// As the database's.
    pub async fn update_checked_at(&self) -> Result<Option<Timestamp>> {
        let kept = self.app.store.read(|r| facts::get(r, facts::UPDATE_CHECKED_AT)).await?;
        Ok(kept.and_then(|at| at.parse().ok()).map(Timestamp))
    }

    /// It was looked for just now.
    ///
    /// # Errors
    /// As the database's.
    pub async fn update_was_checked(&self) -> Result<()> {
        let now = clock::now().0.to_string();
        self.app.store.write(move |tx| facts::set(tx, facts::UPDATE_CHECKED_AT, &now)).await
    }
}
