//! Where answers and questions went, as it is shown beside them, and told while it changes.

use crate::wire::{Frame, FromServer, LettersFact, Sent, SentState, SentTo, Status};
use domain::SessionId;
use std::collections::BTreeSet;
use store::{
    Rows, Store, events,
    letters::{self, State, Way},
};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

/// How many are in `welcome`: more than a day's that a phone may have missed the fate of.
const NEWEST: usize = 30;

/// By which ways event `seq` was told.
///
/// # Errors
/// As the store's.
pub fn sent(rows: &impl Rows, seq: i64) -> store::Result<Vec<Sent>> {
    Ok(letters::of_event(rows, seq)?.into_iter().map(shown).collect())
}

fn shown(sent: letters::Sent) -> Sent {
    let to = match sent.way {
        Way::Sms => SentTo::Sms,
        Way::Push => SentTo::Push,
    };
    let state = match sent.state {
        State::Waiting => SentState::Waiting,
        State::Sent => SentState::Sent,
        State::Delivered => SentState::Delivered,
        State::Shown => SentState::Shown,
        State::Failed => SentState::Failed,
    };
    let name = match sent.way {
        Way::Sms => named(sent.name),
        Way::Push => domain::shown::shown_line(&sent.name, 60),
    };
    Sent { to, name, state, why: sent.why, at: sent.at.0 }
}

/// A number by its last four digits, anything else (a phone's name) as it is.
pub fn named(who: String) -> String {
    let digits = who.rsplit(':').next().unwrap_or(&who);
    let number = digits.len() > 5 && digits.strip_prefix('+').is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()));
    if number { format!("..{}", &digits[digits.len() - 4..]) } else { who }
}

/// Those that were told last.
///
/// # Errors
/// As the store's.
pub fn newest(rows: &impl Rows) -> store::Result<Vec<LettersFact>> {
    letters::newest(rows, NEWEST)?.into_iter().map(|(seq, session)| fact(rows, seq, session)).collect()
}

fn fact(rows: &impl Rows, seq: i64, session: SessionId) -> store::Result<LettersFact> {
    Ok(LettersFact { session_id: session.0, seq, sent: sent(rows, seq)? })
}

/// Events whose letters changed and that were not told of yet.
pub(super) struct Changed {
    bell: Receiver<i64>,
    events: BTreeSet<i64>,
    /// Some were missed: the newest are told anew.
    missed: bool,
}

impl Changed {
    pub(super) fn of(store: &Store) -> Self {
        Self { bell: store.bells().letters.subscribe(), events: BTreeSet::new(), missed: false }
    }

    /// Until there is one.
    pub(super) async fn any(&mut self) {
        use tokio::sync::broadcast::error::RecvError;
        match self.bell.recv().await {
            Ok(event) => drop(self.events.insert(event)),
            Err(RecvError::Lagged(_)) => self.missed = true,
            // The store is closed: Lanyard stops.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Frames for those that changed by now. What cannot be read is read the next time.
    pub(super) async fn frames(&mut self, store: &Store) -> Vec<Frame> {
        loop {
            match self.bell.try_recv() {
                Ok(event) => drop(self.events.insert(event)),
                Err(TryRecvError::Lagged(_)) => self.missed = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if self.events.is_empty() && !self.missed {
            return Vec::new();
        }
        let (events, missed) = (self.events.clone(), self.missed);
        let Ok(facts) = store.read(move |r| facts(r, &events, missed)).await else { return Vec::new() };
        (self.events, self.missed) = (BTreeSet::new(), false);
        facts.into_iter().map(|fact| Frame::live(FromServer::Status(Status::Letters(fact)))).collect()
    }
}

fn facts(rows: &impl Rows, changed: &BTreeSet<i64>, missed: bool) -> store::Result<Vec<LettersFact>> {
    let mut facts = if missed { newest(rows)? } else { Vec::new() };
    for seq in changed.iter().copied().filter(|seq| !facts.iter().any(|f| f.seq == *seq)).collect::<Vec<_>>() {
        if let Some(session) = events::session_of(rows, seq)? {
            facts.push(fact(rows, seq, session)?);
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_numbers_end_is_shown() {
        assert_eq!(named("+15551230001".into()), "..0001");
        assert_eq!(named("whatsapp:+15551230001".into()), "..0001");
        assert_eq!(named("Ada's phone".into()), "Ada's phone");
        assert_eq!(named("+1".into()), "+1");
    }
}
