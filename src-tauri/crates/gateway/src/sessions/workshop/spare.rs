//! The process started ahead. Its place is locked only to look and to change it, never while one is being started.

use super::{Lease, Wanted, Workshop};
use crate::tokens::Tokens;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// The first words of the process just handed out have the machine to themselves for this long: a start takes a core for
/// half a second, and a first word comes within that.
const LATER: Duration = Duration::from_secs(2);

/// The one place for a process without a session.
#[derive(Default)]
pub struct Spare {
    place: Mutex<Place>,
    /// Rings when a start has come to its end.
    started: Notify,
}

#[derive(Default)]
pub enum Place {
    #[default]
    Empty,
    /// One is being started; whoever does it comes back to put it here.
    Starting,
    Filled(Box<Lease>),
    /// Lanyard stops.
    Closed,
}

impl Spare {
    fn place(&self) -> std::sync::MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `next` in its place; gives the process that stood there.
    fn replace(&self, next: Place) -> Option<Lease> {
        match std::mem::replace(&mut *self.place(), next) {
            Place::Filled(lease) => Some(*lease),
            Place::Empty | Place::Starting | Place::Closed => None,
        }
    }

    fn take(&self) -> Option<Lease> {
        let mut place = self.place();
        match std::mem::take(&mut *place) {
            Place::Filled(lease) => Some(*lease),
            other => {
                *place = other;
                None
            }
        }
    }

    /// The process, also where it is just being started: that is never later than one begun now.
    async fn wait(&self) -> Option<Lease> {
        loop {
            let started = self.started.notified();
            match self.take() {
                Some(lease) => return Some(lease),
                None if matches!(*self.place(), Place::Starting) => started.await,
                None => return None,
            }
        }
    }

    /// True if one is to be started now, by the caller.
    fn begin(&self, tokens: &Tokens) -> bool {
        let mut place = self.place();
        match &*place {
            Place::Empty => {}
            Place::Filled(lease) if !lease.is_alive() => tokens.forget(lease.token),
            Place::Filled(_) | Place::Starting | Place::Closed => return false,
        }
        *place = Place::Starting;
        true
    }

    /// Gives back what is not wanted any more.
    fn finish(&self, started: Option<Lease>) -> Option<Lease> {
        let unwanted = self.put(started);
        self.started.notify_waiters();
        unwanted
    }

    fn put(&self, started: Option<Lease>) -> Option<Lease> {
        let mut place = self.place();
        if !matches!(*place, Place::Starting) {
            return started;
        }
        *place = started.map_or(Place::Empty, |lease| Place::Filled(Box::new(lease)));
        None
    }
}

impl Workshop {
    /// Whether a session could use the process started ahead.
    pub(super) fn fits_spare(&self, wanted: &Wanted) -> bool {
        let usual = wanted.model.is_none() || wanted.model == self.0.model;
        self.0.keep_spare && usual && wanted.resume.is_none() && wanted.rules.is_empty() && wanted.mode == self.0.mode
    }

    /// The one started ahead, if it still lives; the next one is started.
    pub(super) async fn take_spare(&self) -> Option<Lease> {
        let lease = self.0.spare.wait().await?;
        self.refill_later();
        if lease.is_alive() {
            return Some(lease);
        }
        self.0.rooms.tokens.forget(lease.token);
        None
    }

    /// Starts the next spare in the background, if one is wanted and none is there.
    pub(super) fn refill(&self) {
        let wanted = self.0.keep_spare && !self.0.rooms.stop.is_cancelled() && !self.is_paused();
        if wanted && self.0.spare.begin(&self.0.rooms.tokens) {
            let workshop = self.clone();
            self.0.rooms.tasks.spawn(async move { workshop.start_spare().await });
        }
    }

    pub(super) fn refill_later(&self) {
        let workshop = self.clone();
        self.0.rooms.tasks.spawn(async move {
            if workshop.0.rooms.stop.run_until_cancelled(tokio::time::sleep(LATER)).await.is_some() {
                workshop.refill();
            }
        });
    }

    async fn start_spare(&self) {
        let wanted = Wanted { resume: None, rules: Vec::new(), mode: self.0.mode, model: None };
        let started = async {
            let engine = self.engine().await?;
            self.start(&engine, wanted).await
        };
        let lease = match self.0.rooms.stop.run_until_cancelled(started).await {
            Some(Ok(lease)) => Some(lease),
            Some(Err(problem)) => {
                tracing::warn!(code = %problem.code, "no process could be started ahead");
                None
            }
            None => None,
        };
        if let Some(unwanted) = self.0.spare.finish(lease) {
            unwanted.end(&self.0.rooms.tokens).await;
        }
    }

    /// Leaves the place as `next`.
    pub(super) async fn end_spare(&self, next: Place) {
        if let Some(lease) = self.0.spare.replace(next) {
            lease.end(&self.0.rooms.tokens).await;
        }
    }

    /// A process of the caller's in the place of the one started ahead, for tests of what an agent may do.
    #[cfg(feature = "failpoints")]
    pub async fn lend(&self, process: sandbox::agent::Process) {
        let (_nobody_is_told, token) = self.0.rooms.tokens.mint(self.0.spec.id);
        self.end_spare(Place::Filled(Box::new(Lease { process, token }))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_wants_the_spare_waits_for_its_start_and_no_longer() {
        let (spare, tokens) = (Spare::default(), Tokens::default());
        assert!(spare.begin(&tokens));
        assert!(spare.take().is_none() && !spare.begin(&tokens), "one is under way");
        let ends = async {
            tokio::task::yield_now().await;
            assert!(spare.finish(None).is_none());
        };
        let (waited, ()) = tokio::join!(spare.wait(), ends);
        assert!(waited.is_none(), "its start failed, so the caller starts one");
        assert!(spare.begin(&tokens), "the place is empty again");
        spare.replace(Place::Closed);
        assert!(spare.finish(None).is_none());
        assert!(!spare.begin(&tokens), "Lanyard stops");
    }
}
