//! Requests under way, at what they may cost at worst, so that several at once cannot outrun a cap together.
//!
//! The rule: a request goes out if what is left covers its own worst case and that of all that stand before it in line. If
//! it does not, it keeps its place, waits until one of them is gone and looks again; the first in line always goes, so that nobody
//! waits for one who waits. A cap is overrun by at most one answer, and only then refused.

use crate::house::{Left, Payer};
use domain::{SandboxId, usage::MicroDollars};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, futures::Notified};

/// Whose caps count together: a session's, or a sandbox's where a token belongs to no session.
type Payee = (SandboxId, Option<domain::SessionId>);

#[derive(Default)]
pub(crate) struct Purse {
    line: Mutex<Line>,
    settled: Notify,
}

/// Places by their numbers, the first that came first.
#[derive(Default)]
struct Line {
    next: u64,
    places: BTreeMap<u64, (Payee, MicroDollars)>,
}

/// Requests together: what they may cost, and how many they are.
#[derive(Clone, Copy, Default)]
struct Sum {
    money: MicroDollars,
    requests: usize,
}

/// What stands before a request in line.
#[derive(Clone, Copy, Default)]
pub(crate) struct Before {
    session: Sum,
    all: Sum,
}

/// A request's place in line. Given back when it is dropped, which must be after its money is recorded.
pub(crate) struct Reservation {
    purse: Arc<Purse>,
    number: u64,
    payee: Payee,
    worst: MicroDollars,
}

impl Purse {
    /// Ready when a place is given back after this call.
    pub fn next_settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    pub fn reserve(self: &Arc<Self>, sandbox: SandboxId, payer: Payer, worst: MicroDollars) -> Reservation {
        let payee = (sandbox, payer.session);
        let mut line = self.line();
        let number = line.next;
        line.next += 1;
        line.places.insert(number, (payee, worst));
        Reservation { purse: self.clone(), number, payee, worst }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// To be looked at before the house is asked what is left: what is paid in between is in both then, never in neither.
    pub fn before(&self) -> Before {
        let mut before = Before::default();
        for (payee, worst) in self.purse.line().places.range(..self.number).map(|(_, place)| place) {
            before.all.add(*worst);
            if *payee == self.payee {
                before.session.add(*worst);
            }
        }
        before
    }

    /// Whether the request may go.
    pub fn fits(&self, before: Before, left: Left) -> bool {
        let fits = |before: Sum, left: Option<MicroDollars>| {
            before.requests == 0 || left.is_none_or(|left| before.money.0.saturating_add(self.worst.0) <= left.0)
        };
        fits(before.session, left.session) && fits(before.all, left.all)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.purse.line().places.remove(&self.number);
        self.purse.settled.notify_waiters();
    }
}

impl Sum {
    fn add(&mut self, money: MicroDollars) {
        self.money.0 = self.money.0.saturating_add(money.0);
        self.requests += 1;
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

    fn fits(place: &Reservation, left: Left) -> bool {
        place.fits(place.before(), left)
    }

    #[test]
    fn the_first_in_line_always_goes_and_others_only_if_all_before_them_fit() {
        let (purse, sandbox, me, other) = (Arc::new(Purse::default()), SandboxId::new(), payer(), payer());
        let first = purse.reserve(sandbox, me, MicroDollars(60));
        let second = purse.reserve(sandbox, me, MicroDollars(60));
        let third = purse.reserve(sandbox, other, MicroDollars(60));
        assert!(fits(&first, left(1, 1)));
        assert!(fits(&second, left(120, 120)) && !fits(&second, left(119, 1000)) && !fits(&second, left(1000, 119)));
        assert!(fits(&third, left(1, 180)) && !fits(&third, left(1, 179)));
        assert!(fits(&third, Left::default()));
        drop(first);
        assert!(fits(&second, left(0, 0)), "whoever is first now goes, though another waits");
        assert!(!fits(&third, left(0, 0)));
    }

    #[test]
    fn what_went_between_the_look_and_the_answer_is_counted() {
        let (purse, sandbox, me) = (Arc::new(Purse::default()), SandboxId::new(), payer());
        let first = purse.reserve(sandbox, me, MicroDollars(60));
        let second = purse.reserve(sandbox, me, MicroDollars(60));
        let before = second.before();
        drop(first);
        assert!(!second.fits(before, left(100, 100)));
    }

    #[test]
    fn a_place_given_back_is_free_again() {
        let (purse, sandbox, me) = (Arc::new(Purse::default()), SandboxId::new(), payer());
        drop(purse.reserve(sandbox, me, MicroDollars(60)));
        assert!(fits(&purse.reserve(sandbox, me, MicroDollars(60)), left(0, 0)));
        assert!(purse.line().places.is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_the_next_that_is_gone() {
        let (purse, sandbox, me) = (Arc::new(Purse::default()), SandboxId::new(), payer());
        let first = purse.reserve(sandbox, me, MicroDollars(60));
        let next = purse.next_settled();
        drop(first);
        tokio::time::timeout(std::time::Duration::from_secs(5), next).await.unwrap();
    }
}
