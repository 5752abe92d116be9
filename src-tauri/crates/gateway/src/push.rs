//! What the owner should know while no page of ours is looked at: queued with the fact it tells of, sealed for each phone's
//! browser, handed to its push service, and told by text where no phone has shown it in time. While a page is looked at it
//! waits ([`looked_at`]).
//!
//! Absent and to stay so: an agent's words in a push, but for what a lock screen may allow, which it shows whole.

mod key;
mod looked_at;
mod notice;
mod seal;
mod send;
mod subscribe;
mod text;

pub use key::{Unreadable, VapidKey};
pub use send::run;
pub use subscribe::{shown, subscribe, unsubscribe};

use crate::gateway::App;
use domain::{SessionId, Timestamp, approval::Approval};
use std::time::Duration;
use store::{
    Tx,
    push_letters::{self, About},
};

/// Whether and how facts become pushes.
#[derive(Clone)]
pub struct Pushes {
    /// How long a push waits to be shown before a text goes; none where nothing is texted.
    text_after: Option<Duration>,
}

impl Pushes {
    pub fn of(app: &App) -> Self {
        let text_after = text::receiver(app).map(|_| app.config.push.text_after);
        Self { text_after }
    }

    /// Queues a push about `about`, which event `event` says, to every phone that takes pushes. `texted`: the owner is told by
    /// text anyway.
    pub fn put(
        &self,
        tx: &Tx<'_>,
        about: About,
        session: SessionId,
        event: i64,
        texted: bool,
        now: Timestamp,
    ) -> store::Result<()> {
        let text_at = self.text_after.filter(|_| !texted).map(|after| now + after);
        push_letters::put(tx, about, session, event, text_at, now).map(drop)
    }

    /// An approval is asked no more: lock screens that may show it take it back. `letter`: the push it was answered from.
    pub fn take_back(
        &self,
        tx: &Tx<'_>,
        approval: &Approval,
        letter: Option<i64>,
        now: Timestamp,
    ) -> store::Result<()> {
        push_letters::close(tx, approval.id, approval.session, letter, now)
    }
}
