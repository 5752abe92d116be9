//! Requests to the texting door that Twilio did not sign. Anybody can send them, so they are counted in memory and written
//! down now and then: a stranger causes no disk write and no log line of their own.

use crate::{clock, gateway::App};
use domain::Timestamp;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use store::{Tx, activity, facts};

/// How often at most they are written down.
const EVERY: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    unwritten: AtomicU64,
    /// A task is waiting to write them down.
    to_be_written: AtomicBool,
    /// Signatures of requests that we send ourselves to see them refused.
    own: Mutex<Vec<String>>,
}

/// A request of our own is on its way; until this is dropped its refusal is nobody's attempt.
pub struct Own {
    refusals: Refusals,
    signature: String,
}

impl Drop for Own {
    fn drop(&mut self) {
        self.refusals.own().retain(|own| *own != self.signature);
    }
}

impl Refusals {
    /// Those that are not in the store yet.
    pub fn unwritten(&self) -> u64 {
        self.0.unwritten.load(Ordering::Relaxed)
    }

    /// `signature`: of a request that is to be refused.
    pub fn expect(&self, signature: &str) -> Own {
        self.own().push(signature.to_owned());
        Own { refusals: self.clone(), signature: signature.to_owned() }
    }

    fn own(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, with what it was signed with.
    pub fn count(&self, app: &App, signature: Option<&str>) {
        if signature.is_some_and(|signature| self.own().iter().any(|own| own == signature)) {
            return;
        }
        self.0.unwritten.fetch_add(1, Ordering::Relaxed);
        if !self.0.to_be_written.swap(true, Ordering::AcqRel) {
            app.tasks.spawn(self.clone().write_soon(app.clone()));
        }
    }

    async fn write_soon(self, app: App) {
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
        self.0.to_be_written.store(false, Ordering::Release);
        let some = self.0.unwritten.load(Ordering::Acquire);
        tracing::warn!(requests = some, "requests to the texting door were refused: wrong signature");
        match app.store.write(move |tx| write_down(tx, some, clock::now())).await {
            Ok(()) => drop(self.0.unwritten.fetch_sub(some, Ordering::AcqRel)),
            Err(e) => tracing::error!(error = ?e, "refused signatures were not counted"),
        }
    }
}

fn write_down(tx: &Tx<'_>, some: u64, now: Timestamp) -> store::Result<()> {
    facts::count(tx, facts::BAD_SIGNATURES, some)?;
    activity::refused(tx, some, now)
}
