//! What replaces this program by a newer one asks of the gateway: to stop when nothing is lost by it, and to remember when it
//! looked last.

use super::Desk;
use crate::{clock, restart};
use domain::Timestamp;
use store::{Result, facts};

impl Desk {
    /// Begins to stop the gateway, unless an agent is at work. Words that wait for their turn are on disk and have it after the
    /// next start. False: a turn runs, or the gateway is being stopped already; nothing was done.
    pub fn stop_if_idle(&self) -> bool {
        let stops = !self.app.stop.is_cancelled() && self.idle();
        if stops {
            self.stop();
        }
        stops
    }

    /// Comes back when no agent is at work. False: the gateway is being stopped, and is never idle again.
    pub async fn until_idle(&self) -> bool {
        let mut changes = self.app.registry.changes();
        while !self.app.stop.is_cancelled() {
            if self.idle() {
                return true;
            }
            tokio::select! {
                () = self.app.stop.cancelled() => {}
                _ = changes.changed() => {}
            }
        }
        false
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
