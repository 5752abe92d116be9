//! How often whom: requests by caller and by address, pairing tries by address and by everyone.

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};
use uuid::Uuid;

/// Pairing tries a minute for one address, and for everyone together.
const TRIES: NonZeroU32 = NonZeroU32::new(10).unwrap();
const TRIES_OF_ALL: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// How often (in requests) addresses that went quiet are forgotten.
const SWEEP: u32 = 4096;

/// Too often: seconds until the next is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub u64);

pub struct Limits {
    clock: DefaultClock,
    callers: DefaultKeyedRateLimiter<Uuid>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    tries: DefaultKeyedRateLimiter<IpAddr>,
    all_tries: DefaultDirectRateLimiter,
    since_sweep: AtomicU32,
}

impl Limits {
    /// Requests a minute for one token and for one address.
    pub fn new(per_caller: NonZeroU32, per_address: NonZeroU32) -> Self {
        Self {
            clock: DefaultClock::default(),
            callers: RateLimiter::keyed(Quota::per_minute(per_caller)),
            addresses: RateLimiter::keyed(Quota::per_minute(per_address)),
            tries: RateLimiter::keyed(Quota::per_minute(TRIES)),
            all_tries: RateLimiter::direct(Quota::per_minute(TRIES_OF_ALL)),
            since_sweep: AtomicU32::new(0),
        }
    }

    pub fn caller(&self, id: Uuid) -> Result<(), Wait> {
        self.callers.check_key(&id).map_err(|until| self.wait(&until))
    }

    pub fn address(&self, address: IpAddr) -> Result<(), Wait> {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.addresses.retain_recent();
            self.tries.retain_recent();
            self.callers.retain_recent();
        }
        self.addresses.check_key(&whose(address)).map_err(|until| self.wait(&until))
    }

    /// One more try at a pairing code.
    pub fn pairing(&self, address: IpAddr) -> Result<(), Wait> {
        self.tries.check_key(&whose(address)).map_err(|until| self.wait(&until))?;
        self.all_tries.check().map_err(|until| self.wait(&until))
    }

    fn wait(&self, until: &governor::NotUntil<<DefaultClock as Clock>::Instant>) -> Wait {
        Wait(until.wait_time_from(self.clock.now()).as_secs() + 1)
    }
}

/// One person's addresses as one: an IPv6 network of 64 bits is given out whole, with more addresses than could be counted.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn pairing_takes_ten_tries_of_an_address_and_thirty_of_all() {
        let many = NonZeroU32::new(1000).unwrap();
        let limits = Limits::new(many, many);
        let tried =
            |last: u8| (0..20).filter(|_| limits.pairing(Ipv4Addr::new(192, 0, 2, last).into()).is_ok()).count();
        assert_eq!([tried(1), tried(2), tried(3), tried(4)], [10, 10, 10, 0]);
        let Err(Wait(seconds)) = limits.pairing(Ipv4Addr::new(192, 0, 2, 1).into()) else { panic!() };
        assert!((1..=60).contains(&seconds));
    }

    #[test]
    fn a_network_given_out_whole_counts_as_one_address_and_takes_the_memory_of_one() {
        let many = NonZeroU32::new(1000).unwrap();
        let limits = Limits::new(many, many);
        let of = |host: u128| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + host));
        let tried = |network: u128| (0..20).filter(|n| limits.pairing(of((network << 64) + n)).is_ok()).count();
        assert_eq!([tried(0), tried(0), tried(1)], [10, 0, 10]);
        let taken = (0..100_000).filter(|host| limits.address(of(*host)).is_ok()).count();
        assert!((1000..5000).contains(&taken), "{taken}");
        assert_eq!(limits.addresses.len(), 1);
        let mapped = Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped();
        assert_eq!(whose(mapped.into()), IpAddr::from(Ipv4Addr::new(192, 0, 2, 7)));
    }
}
