//! When to try again: each wait twice the one before, up to a cap, a little less at random so that a thousand agents do
//! not come back in the same moment. Pure: chance and time come in as arguments.

use std::time::Duration;

/// A schedule of waits. It has no last try: a tunnel that gave up would be found dead by a person on a train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub cap: Duration,
}

impl Default for Schedule {
    /// 100 ms doubling to 30 s.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), cap: Duration::from_secs(30) }
    }
}

impl Schedule {
    /// The wait after this many failures in a row (1 is the first), between three quarters of it and all of it as
    /// `chance` (0 to 1) has it. Never more than the cap, never less than three quarters of the first wait or the cap.
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.first.checked_mul(1 << doublings).unwrap_or(self.cap).min(self.cap);
        whole.mul_f64(0.75 + 0.25 * chance.clamp(0.0, 1.0)).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_from_100_ms_to_30_s() {
        let waits: Vec<u128> = (1..=11).map(|n| Schedule::default().wait(n, 1.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
        assert_eq!(Schedule::default().wait(1, 0.0).as_millis(), 75);
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_bounds_and_never_shrinks(
            first in 1u64..10_000, cap in 1u64..100_000, failures in 0u32..u32::MAX, chance in 0.0f64..=1.0,
        ) {
            let schedule = Schedule { first: Duration::from_millis(first), cap: Duration::from_millis(cap) };
            let wait = schedule.wait(failures, chance);
            let least = schedule.first.min(schedule.cap).mul_f64(0.75);
            prop_assert!(wait <= schedule.cap, "{wait:?} is over the cap");
            prop_assert!(wait >= least, "{wait:?} is under {least:?}");
            prop_assert!(schedule.wait(failures.saturating_add(1), chance) >= wait);
        }

        #[test]
        fn trying_for_a_day_costs_at_most_4000_attempts(chance in 0.0f64..=1.0) {
            let day = Duration::from_secs(86_400);
            let mut spent = Duration::ZERO;
            let mut attempts = 0;
            while spent < day {
                attempts += 1;
                spent += Schedule::default().wait(attempts, chance);
            }
            prop_assert!(attempts <= 4000, "{attempts}");
        }
    }
}
