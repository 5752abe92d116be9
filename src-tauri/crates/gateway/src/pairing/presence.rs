//! Open pages, and which of them a person looks at: each socket for itself, so that a tab that is hidden takes no other with it.
//! A page that lost its line counts as looked at until its socket is silent for too long; what it proved counts only until the
//! last that was heard of it.

use super::{Caller, Who};
use domain::{PhoneId, Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// What comes about this shortly before the last word of a page may not have been on it yet.
const TO_SEE: Duration = Duration::from_secs(2);

/// Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Presence(Arc<Inner>);

#[derive(Default)]
struct Inner {
    pages: Mutex<Pages>,
    /// Rings also when it is the same and yet other eyes.
    looked_at: watch::Sender<bool>,
}

#[derive(Default)]
struct Pages {
    opened: u64,
    open: HashMap<u64, Page>,
    /// When a page in front of a person's eyes was last heard of.
    seen: Option<Timestamp>,
}

struct Page {
    who: Who,
    visible: bool,
}

impl Presence {
    pub fn connect(&self, caller: &Caller) -> Connected {
        let mut pages = self.pages();
        pages.opened += 1;
        let id = pages.opened;
        pages.open.insert(id, Page { who: caller.who, visible: false });
        Connected { presence: self.clone(), id }
    }

    pub fn looked_at(&self) -> watch::Receiver<bool> {
        self.0.looked_at.subscribe()
    }

    pub fn seen_since(&self, at: Timestamp) -> bool {
        self.pages().seen.is_some_and(|seen| seen >= at + TO_SEE)
    }

    pub fn connected(&self, phone: PhoneId) -> usize {
        self.pages().open.values().filter(|page| page.who == Who::Phone(phone)).count()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a page in front of somebody is another than the desk's.
    pub fn looked_at_elsewhere(&self) -> bool {
        self.pages().looked_at(|who| who != Who::Owner)
    }

    /// Changes what is known of one page, and rings if that changes whether anyone looks, or whether they do so elsewhere.
    fn change(&self, change: impl FnOnce(&mut Pages)) {
        let mut pages = self.pages();
        let eyes = |pages: &Pages| (pages.looked_at(|_| true), pages.looked_at(|who| who != Who::Owner));
        let before = eyes(&pages);
        change(&mut pages);
        let now = eyes(&pages);
        self.0.looked_at.send_if_modified(|looked_at| {
            *looked_at = now.0;
            now != before
        });
    }
}

impl Pages {
    fn looked_at(&self, whose: impl Fn(Who) -> bool) -> bool {
        self.open.values().any(|page| page.visible && whose(page.who))
    }
}

/// An open socket.
pub struct Connected {
    presence: Presence,
    id: u64,
}

impl Connected {
    /// The page says whether a person looks at it. What a script says of itself counts for nothing.
    pub fn saw(&self, visible: bool, now: Timestamp) {
        self.heard(now);
        self.presence.change(|pages| {
            if let Some(page) = pages.open.get_mut(&self.id) {
                page.visible = visible && !matches!(page.who, Who::Token(_));
            }
        });
    }

    /// A sign of life.
    pub fn heard(&self, now: Timestamp) {
        let mut pages = self.presence.pages();
        if pages.open.get(&self.id).is_some_and(|page| page.visible) {
            pages.seen = Some(now);
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.presence.change(|pages| {
            pages.open.remove(&self.id);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ApiTokenId;

    fn of(who: Who) -> Caller {
        Caller { who, ..Caller::owner() }
    }

    #[test]
    fn a_hidden_tab_leaves_the_visible_one_and_a_script_is_nobody() {
        let (presence, phone) = (Presence::default(), of(Who::Phone(PhoneId::new())));
        let looked = presence.looked_at();
        let (one, other) = (presence.connect(&phone), presence.connect(&phone));
        one.saw(true, Timestamp(0));
        other.saw(true, Timestamp(0));
        other.saw(false, Timestamp(0));
        assert!(*looked.borrow());
        drop(other);
        assert!(*looked.borrow());
        drop(one);
        assert!(!*looked.borrow());
        let script = presence.connect(&of(Who::Token(ApiTokenId::new())));
        script.saw(true, Timestamp(0));
        assert!(!*looked.borrow());
    }

    #[test]
    fn a_phone_beside_the_desk_is_seen_to_come_and_go() {
        let presence = Presence::default();
        let mut looked = presence.looked_at();
        let (desk, phone) = (presence.connect(&Caller::owner()), presence.connect(&of(Who::Phone(PhoneId::new()))));
        desk.saw(true, Timestamp(0));
        assert!(*looked.borrow_and_update() && !presence.looked_at_elsewhere());
        phone.saw(true, Timestamp(0));
        assert!(looked.has_changed().unwrap() && presence.looked_at_elsewhere());
        drop(desk);
        assert!(*looked.borrow_and_update() && presence.looked_at_elsewhere());
    }

    #[test]
    fn only_a_page_that_is_heard_of_afterwards_has_shown_something() {
        let presence = Presence::default();
        let page = presence.connect(&of(Who::Phone(PhoneId::new())));
        page.heard(Timestamp(9_000));
        assert!(!presence.seen_since(Timestamp(0)), "hidden");
        page.saw(true, Timestamp(10_000));
        page.heard(Timestamp(20_000));
        assert!(presence.seen_since(Timestamp(18_000)) && !presence.seen_since(Timestamp(18_001)));
        page.saw(false, Timestamp(30_000));
        page.heard(Timestamp(40_000));
        assert!(presence.seen_since(Timestamp(28_000)) && !presence.seen_since(Timestamp(28_001)));
    }
}
