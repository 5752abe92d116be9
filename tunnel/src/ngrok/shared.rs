//! What a tunnel's sessions and links have in common.

use super::Config;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(super) struct Shared {
    pub(super) config: Config,
    /// The tunnel is being switched off.
    pub(super) stop: CancellationToken,
    /// Counts the times the computer woke: links from before are dead.
    pub(super) woke: watch::Sender<u64>,
    /// Every wait ends early.
    pub(super) hurry: Notify,
    /// Every task and every socket there is.
    pub(super) open: TaskTracker,
}

impl Shared {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            stop: CancellationToken::new(),
            woke: watch::Sender::new(0),
            hurry: Notify::new(),
            open: TaskTracker::new(),
        }
    }

    /// Until this time has passed, or there is reason to try now.
    pub(super) async fn wait(&self, span: Duration) {
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            () = self.hurry.notified() => {}
        }
    }

    pub(super) fn wake(&self) {
        self.woke.send_modify(|times| *times += 1);
        self.hurry.notify_waiters();
    }
}
