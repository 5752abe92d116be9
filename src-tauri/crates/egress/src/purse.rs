//! Requests under way, at what they may cost at worst, so that several at once cannot outrun a cap together.
//!
//! The rule: a request goes out if what is left covers its own worst case and that of all that were there before it. If
//! it does not, it waits until one of them is paid and looks again; alone it always goes. So a cap is overrun by at most
//! one answer, and only then refused.

use crate::house::{Left, Payer};
use domain::{SandboxId, usage::MicroDollars};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, futures::Notified};

/// Whose caps count together: a session's, or a sandbox's where a token belongs to no session.
type Payee = (SandboxId, Option<domain::SessionId>);

#[derive(Default)]
pub(crate) struct Purse {
    held: Mutex<Held>,
    settled: Notify,
}

#[derive(Default)]
struct Held {
    all: Sum,
    each: HashMap<Payee, Sum>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    money: MicroDollars,
    requests: usize,
}

/// A request's place in the purse. Given back when it is dropped, which must be after its money is recorded.
pub(crate) struct Reservation {
    purse: Arc<Purse>,
    payee: Payee,
    worst: MicroDollars,
    /// What was under way when this came.
    before_in_session: Sum,
    before_in_all: Sum,
    /// False when it was withdrawn.
    paid: bool,
}

impl Purse {
    /// Ready when a request is settled after this call.
    pub fn next_settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    pub fn reserve(self: &Arc<Self>, sandbox: SandboxId, payer: Payer, worst: MicroDollars) -> Reservation {
        let payee = (sandbox, payer.session);
        let mut held = self.held();
        let before_in_all = held.all;
        held.all.add(worst);
        let session = held.each.entry(payee).or_default();
        let before_in_session = *session;
        session.add(worst);
        Reservation { purse: self.clone(), payee, worst, before_in_session, before_in_all, paid: true }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Whether the request may go, given what was left when the house was asked. Reserve first, ask then: what was paid
    /// in between is in one of the two, never in neither.
    pub fn fits(&self, left: Left) -> bool {
        let fits = |before: Sum, left: Option<MicroDollars>| {
            before.requests == 0 || left.is_none_or(|left| before.money.0.saturating_add(self.worst.0) <= left.0)
        };
        fits(self.before_in_session, left.session) && fits(self.before_in_all, left.all)
    }

    /// Takes the place back without a word to those who wait: nothing was paid, and whoever this one waits for will
    /// wake them too.
    pub fn withdraw(mut self) {
        self.paid = false;
    }

    fn leave(&self) {
        let mut held = self.purse.held();
        held.all.take(self.worst);
        if let Some(session) = held.each.get_mut(&self.payee) {
            session.take(self.worst);
            if session.requests == 0 {
                held.each.remove(&self.payee);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.leave();
        if self.paid {
            self.purse.settled.notify_waiters();
        }
    }
}

impl Sum {
    fn add(&mut self, money: MicroDollars) {
        self.money += money;
        self.requests += 1;
    }

    fn take(&mut self, money: MicroDollars) {
        self.money.0 = self.money.0.saturating_sub(money.0);
        self.requests = self.requests.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SessionId;

    fn left(session: u64, all: u64) -> Left {
        Left { session: Some(MicroDollars(session)), all: Some(MicroDollars(all)) }
    }

    fn payer() -> Payer {
        Payer { session: Some(SessionId::new()), turn: None }
    }

    #[test]
    fn alone_it_always_goes_and_beside_others_only_if_all_fit() {
        let (purse, sandbox, me, other) = (Arc::new(Purse::default()), SandboxId::new(), payer(), payer());
        let first = purse.reserve(sandbox, me, MicroDollars(60));
        let second = purse.reserve(sandbox, me, MicroDollars(60));
        let third = purse.reserve(sandbox, other, MicroDollars(60));
        assert!(first.fits(left(1, 1)));
        assert!(second.fits(left(120, 120)) && !second.fits(left(119, 1000)) && !second.fits(left(1000, 119)));
        assert!(third.fits(left(1, 180)) && !third.fits(left(1, 179)));
        assert!(third.fits(Left::default()));
    }

    #[test]
    fn a_place_given_back_is_free_again() {
        let (purse, sandbox, me) = (Arc::new(Purse::default()), SandboxId::new(), payer());
        drop(purse.reserve(sandbox, me, MicroDollars(60)));
        purse.reserve(sandbox, me, MicroDollars(60)).withdraw();
        assert!(purse.reserve(sandbox, me, MicroDollars(60)).fits(left(0, 0)));
        assert!(purse.held().each.is_empty() && purse.held().all.requests == 0);
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_the_next_that_is_paid() {
        let (purse, sandbox, me) = (Arc::new(Purse::default()), SandboxId::new(), payer());
        let first = purse.reserve(sandbox, me, MicroDollars(60));
        let next = purse.next_settled();
        drop(first);
        tokio::time::timeout(std::time::Duration::from_secs(5), next).await.unwrap();
    }
}
