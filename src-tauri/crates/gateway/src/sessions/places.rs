//! How many sessions may have a process at once. Nothing can be said in one without a place, whatever channel it comes by.

use domain::{Code, SessionId};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Clone)]
pub struct Places {
    most: usize,
    /// Sessions that were let in and not rung yet, each with how often.
    taken: Arc<Mutex<HashMap<SessionId, usize>>>,
}

/// Leave to say something in a session.
pub struct Place {
    pub session: SessionId,
    places: Places,
}

impl Places {
    pub fn of(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A session that is `busy` anyway takes no further place.
    ///
    /// # Errors
    /// `SESSION_LIMIT`.
    pub fn take(&self, session: SessionId, busy: impl Iterator<Item = SessionId>) -> Result<Place, Code> {
        let mut taken = self.taken();
        let others: HashSet<SessionId> = busy.chain(taken.keys().copied()).collect();
        if !others.contains(&session) && others.len() >= self.most {
            return Err(Code::SessionLimit);
        }
        *taken.entry(session).or_default() += 1;
        Ok(Place { session, places: self.clone() })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<SessionId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(times) = taken.get_mut(&self.session) {
            *times -= 1;
            if *times == 0 {
                taken.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_a_session_takes_one() {
        let (places, [a, b, c]) = (Places::of(2), [(); 3].map(|()| SessionId::new()));
        let (first, again) = (places.take(a, [].into_iter()).unwrap(), places.take(a, [].into_iter()).unwrap());
        let _busy_one = places.take(b, [b].into_iter()).unwrap();
        assert_eq!(places.take(c, [b].into_iter()).err(), Some(Code::SessionLimit));
        drop(first);
        assert!(places.take(c, [b].into_iter()).is_err(), "it is still held once");
        drop(again);
        assert!(places.take(c, [b].into_iter()).is_ok());
    }
}
