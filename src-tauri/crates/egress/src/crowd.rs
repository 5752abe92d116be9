//! How many connections, and how much of their requests in memory, each sandbox has. Per sandbox, so that none can shut
//! the others out; and in shares, so that one program inside cannot shut its neighbours out either.
//!
//! A connection holds its place only while a request that showed a token is under way on it. One that shows nothing, or rests
//! between requests, gives its place up to a newcomer when there is none left, the one that has done so longest first.

use crate::{
    Error,
    answer::{Answer, BoxError},
};
use domain::{Code, SandboxId, SessionId};
use http_body_util::BodyExt;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Request bodies are in memory until the model answers; this many of the largest at once for a sandbox.
const LARGEST_AT_ONCE: usize = 4;
/// Requests to the model under way for one session. Claude Code runs at most ten tools of a turn at once, subagents among them.
const MODEL_AT_ONCE: usize = 32;
const KIB: usize = 1024;

pub(crate) struct Crowd {
    max_connections: usize,
    max_request: usize,
    sandboxes: Mutex<HashMap<SandboxId, Inside>>,
}

struct Inside {
    seats: HashMap<u64, Seat>,
    next: u64,
    /// In KiB.
    room: Arc<Semaphore>,
}

struct Seat {
    /// What for, while a request is under way.
    held: Option<Share>,
    /// When it was last neither.
    since: Instant,
    given_up: CancellationToken,
}

/// What a request under way counts among.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Model(Option<SessionId>),
    /// All that is not the model's, together: at most three quarters of the places.
    Hosts,
}

/// A connection's place among those of its sandbox.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    sandbox: SandboxId,
    seat: u64,
    room: Arc<Semaphore>,
    given_up: CancellationToken,
}

/// While it lives, its place is given to nobody else.
pub(crate) struct Held {
    crowd: Arc<Crowd>,
    sandbox: SandboxId,
    seat: u64,
}

impl Crowd {
    pub fn new(max_connections: usize, max_request: usize) -> Arc<Self> {
        Arc::new(Self { max_connections, max_request, sandboxes: Mutex::default() })
    }

    /// A place for one more connection, unless the sandbox has its fill of requests under way.
    pub fn enter(self: &Arc<Self>, sandbox: SandboxId) -> Option<Place> {
        let mut sandboxes = self.sandboxes();
        let inside = sandboxes.entry(sandbox).or_insert_with(|| {
            let room = Arc::new(Semaphore::new(LARGEST_AT_ONCE * kib(self.max_request)));
            Inside { seats: HashMap::new(), next: 0, room }
        });
        if inside.seats.len() >= self.max_connections && !inside.give_up_one() {
            return None;
        }
        let (seat, given_up) = (inside.next, CancellationToken::new());
        inside.next += 1;
        inside.seats.insert(seat, Seat { held: None, since: Instant::now(), given_up: given_up.clone() });
        Some(Place { crowd: self.clone(), sandbox, seat, room: inside.room.clone(), given_up })
    }

    fn most(&self, share: Share) -> usize {
        match share {
            Share::Model(_) => MODEL_AT_ONCE,
            Share::Hosts => (self.max_connections * 3 / 4).max(1),
        }
    }

    fn with<T>(&self, sandbox: SandboxId, act: impl FnOnce(&mut Inside) -> T) -> Option<T> {
        self.sandboxes().get_mut(&sandbox).map(act)
    }

    fn sandboxes(&self) -> MutexGuard<'_, HashMap<SandboxId, Inside>> {
        self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Takes the place of the connection that has rested longest.
    fn give_up_one(&mut self) -> bool {
        let resting = self.seats.iter().filter(|(_, seat)| seat.held.is_none());
        let Some(longest) = resting.min_by_key(|(_, seat)| seat.since).map(|(id, _)| *id) else { return false };
        if let Some(seat) = self.seats.remove(&longest) {
            seat.given_up.cancel();
        }
        true
    }
}

impl Place {
    /// Waits for room for a body of at most `bytes`.
    pub async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let room = kib(bytes.min(self.crowd.max_request)) as u32;
        self.room.clone().acquire_many_owned(room).await.ok()
    }

    /// For a request whose token is known. Refused when its share is used up, or the place is given up already.
    pub fn hold(&self, share: Share) -> Result<Held, Error> {
        let held = self.crowd.with(self.sandbox, |inside| {
            if inside.seats.values().filter(|seat| seat.held == Some(share)).count() >= self.crowd.most(share) {
                return false;
            }
            inside.seats.get_mut(&self.seat).map(|seat| seat.held = Some(share)).is_some()
        });
        match held {
            Some(true) => Ok(Held { crowd: self.crowd.clone(), sandbox: self.sandbox, seat: self.seat }),
            _ => Err(Error::Refused(Code::TooManyRequests.into())),
        }
    }

    /// Returns when another has this place.
    pub async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

impl Held {
    /// Until the answer has ended or is dropped.
    pub fn through(self, answer: Answer) -> Answer {
        answer.map(|body| {
            let held = body.map_frame(move |frame| {
                let _ = &self;
                frame
            });
            held.map_err(BoxError::from).boxed_unsync()
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.crowd.with(self.sandbox, |inside| {
            if let Some(seat) = inside.seats.get_mut(&self.seat) {
                (seat.held, seat.since) = (None, Instant::now());
            }
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sandboxes = self.crowd.sandboxes();
        if let Some(inside) = sandboxes.get_mut(&self.sandbox) {
            inside.seats.remove(&self.seat);
            if inside.seats.is_empty() {
                sandboxes.remove(&self.sandbox);
            }
        }
    }
}

fn kib(bytes: usize) -> usize {
    bytes.div_ceil(KIB).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    const SANDBOX: SandboxId = SandboxId(uuid::Uuid::nil());

    fn model() -> Share {
        Share::Model(Some(SessionId::new()))
    }

    #[test]
    fn a_newcomer_takes_the_place_that_rested_longest_and_none_that_works() {
        let crowd = Crowd::new(2, 1024);
        let (working, resting) = (crowd.enter(SANDBOX).unwrap(), crowd.enter(SANDBOX).unwrap());
        let held = working.hold(model()).unwrap();
        let newcomer = crowd.enter(SANDBOX).unwrap();
        assert!(resting.given_up.is_cancelled() && !working.given_up.is_cancelled());
        assert!(resting.hold(Share::Hosts).is_err(), "its place is another's");
        drop(resting);
        let held_too = newcomer.hold(Share::Hosts).unwrap();
        assert!(crowd.enter(SANDBOX).is_none(), "all places work");
        drop(held);
        assert!(crowd.enter(SANDBOX).is_some());
        assert!(working.given_up.is_cancelled());
        drop((held_too, newcomer, working));
        assert!(crowd.sandboxes().is_empty());
    }

    #[test]
    fn no_session_and_no_hosts_take_the_places_of_the_others() {
        let crowd = Crowd::new(60, 1024);
        let places: Vec<_> = (0..60).map(|_| crowd.enter(SANDBOX).unwrap()).collect();
        let (greedy, other) = (model(), model());
        let taken: Vec<_> = places.iter().filter_map(|place| place.hold(greedy).ok()).collect();
        assert_eq!(taken.len(), MODEL_AT_ONCE);
        assert!(places[40].hold(other).is_ok());
        drop(taken);
        let taken: Vec<_> = places.iter().filter_map(|place| place.hold(Share::Hosts).ok()).collect();
        assert_eq!(taken.len(), 45);
        assert!(places[50].hold(other).is_ok());
    }
}
