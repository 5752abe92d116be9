//! Tickets: open one WebSocket, once, for clients that can set neither a header nor a subprotocol.

use super::{Caller, Wait, hash};
use crate::tokens::random_name;
use domain::Timestamp;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long a ticket waits to be used.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// Tickets that wait at once. A client takes one per connection, so more is somebody's mistake.
const MOST: usize = 1000;

#[derive(Default)]
pub struct Tickets(Mutex<HashMap<String, (Caller, Timestamp)>>);

impl Tickets {
    /// # Errors
    /// While too many wait: until the first of them has run out.
    pub fn give(&self, caller: Caller, now: Timestamp) -> Result<String, Wait> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (_, ends)| now < *ends);
        if waiting.len() >= MOST {
            let first = waiting.values().map(|(_, ends)| ends.since(now)).min().unwrap_or(TICKET_LIFE);
            return Err(Wait(first.as_secs() + 1));
        }
        let ticket = random_name::<32>();
        waiting.insert(hash(&ticket), (caller, now + TICKET_LIFE));
        Ok(ticket)
    }

    /// Whose it was; it is gone after that.
    pub fn take(&self, ticket: &str, now: Timestamp) -> Option<Caller> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&hash(ticket)).filter(|(_, ends)| now < *ends).map(|(caller, _)| caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_works_once_and_for_thirty_seconds() {
        let (tickets, now) = (Tickets::default(), Timestamp(1));
        let ticket = tickets.give(Caller::owner(), now).unwrap();
        assert!(tickets.take(&ticket, now).is_some());
        assert!(tickets.take(&ticket, now).is_none());
        let late = tickets.give(Caller::owner(), now).unwrap();
        assert!(tickets.take(&late, now + TICKET_LIFE).is_none());
    }

    #[test]
    fn too_many_tickets_are_given_again_when_the_first_has_run_out() {
        let (tickets, now) = (Tickets::default(), Timestamp(1));
        for _ in 0..MOST {
            tickets.give(Caller::owner(), now).unwrap();
        }
        let later = now + Duration::from_secs(10);
        let Err(Wait(seconds)) = tickets.give(Caller::owner(), later) else { panic!("one more") };
        assert_eq!(seconds, 21);
        assert!(tickets.give(Caller::owner(), later + Duration::from_secs(seconds)).is_ok());
    }
}
