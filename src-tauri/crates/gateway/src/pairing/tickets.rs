//! Tickets: open one WebSocket, once, for clients that can set neither a header nor a subprotocol.

use super::{Caller, hash};
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
    /// None while too many wait.
    pub fn give(&self, caller: Caller, now: Timestamp) -> Option<String> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (_, ends)| now < *ends);
        if waiting.len() >= MOST {
            return None;
        }
        let ticket = random_name::<32>();
        waiting.insert(hash(&ticket), (caller, now + TICKET_LIFE));
        Some(ticket)
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
}
