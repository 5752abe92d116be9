//! The one-use code behind the QR. One at a time: a new one takes the place of the last.

use super::hash;
use crate::tokens::random_name;
use domain::Timestamp;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use subtle::ConstantTimeEq;

/// How long a code is usually shown and works.
pub const CODE_LIFE: Duration = Duration::from_secs(120);

struct Offer {
    code: String,
    hash: String,
    ends: Timestamp,
}

#[derive(Default)]
pub struct Offers(Mutex<Option<Offer>>);

impl Offers {
    /// The code that is shown now, and when it ends: a new one of 128 random bits if the last was used or has run out, or if
    /// a `fresh` one is wanted.
    pub fn show(&self, fresh: bool, life: Duration, now: Timestamp) -> (String, Timestamp) {
        let mut offer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh || offer.as_ref().is_none_or(|o| o.ends <= now) {
            let code = random_name::<16>();
            *offer = Some(Offer { hash: hash(&code), code, ends: now + life });
        }
        offer.as_ref().map_or_else(|| (String::new(), now), |o| (o.code.clone(), o.ends))
    }

    /// True for exactly one caller: the first who brings the code while it works.
    pub fn take(&self, code: &str, now: Timestamp) -> bool {
        let mut offer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let right = offer.as_ref().is_some_and(|o| {
            let same: bool = o.hash.as_bytes().ct_eq(hash(code).as_bytes()).into();
            same && now < o.ends
        });
        if right {
            *offer = None;
        }
        right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_code_works_once_and_for_two_minutes() {
        let offers = Offers::default();
        let (code, ends) = offers.show(false, CODE_LIFE, NOW);
        assert_eq!((code.len(), ends), (22, NOW + CODE_LIFE));
        assert_eq!(offers.show(false, CODE_LIFE, NOW).0, code, "it stays while it works");
        assert!(!offers.take("guess", NOW));
        assert!(offers.take(&code, NOW));
        assert!(!offers.take(&code, NOW), "once");
        let (next, _) = offers.show(false, CODE_LIFE, NOW);
        assert_ne!(next, code, "a used one is replaced");
        assert!(!offers.take(&next, NOW + CODE_LIFE), "two minutes");
        assert_ne!(offers.show(false, CODE_LIFE, NOW + CODE_LIFE).0, next, "one that ran out is replaced");
    }

    #[test]
    fn of_two_phones_with_one_code_exactly_one_pairs() {
        let offers = Offers::default();
        for _ in 0..200 {
            let (code, _) = offers.show(true, CODE_LIFE, NOW);
            let won = std::thread::scope(|s| {
                let tries: Vec<_> = (0..4).map(|_| s.spawn(|| offers.take(&code, NOW))).collect();
                tries.into_iter().map(|t| t.join().unwrap()).filter(|won| *won).count()
            });
            assert_eq!(won, 1);
        }
    }
}
