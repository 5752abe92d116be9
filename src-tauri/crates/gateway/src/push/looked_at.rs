//! What is to be told while a page is looked at. The end of a turn or a task is settled once a page has shown it; a question waits until
//! it is answered or nobody looks any more, for no answer means no. Neither waits long: a page may be left open.

use crate::{clock, gateway::App};
use domain::Timestamp;
use std::time::Duration;
use store::push_letters::About;

/// What to do with a push or a text now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Now {
    Send,
    /// Somebody looks: perhaps at this.
    Wait,
    /// A page showed it to a person.
    Seen,
}

/// How long both wait for someone who seems to look: a page left open on a screen has nobody before it.
const LONGEST: Duration = Duration::from_secs(90);

/// `came`: when what it tells came about.
pub fn now(app: &App, about: About, came: Timestamp) -> Now {
    let looks = app.callers.anyone_looks();
    decide(about, clock::now().since(came), looks, || app.callers.seen_since(came))
}

fn decide(about: About, age: Duration, looks: bool, seen: impl FnOnce() -> bool) -> Now {
    let is_end = matches!(about, About::Turn(_) | About::Task(_));
    match about {
        _ if is_end && seen() => Now::Seen,
        About::Closed(_) => Now::Send,
        About::Turn(_) | About::Task(_) | About::Approval(_) if looks && age < LONGEST => Now::Wait,
        About::Turn(_) | About::Task(_) | About::Approval(_) => Now::Send,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ApprovalId, TurnId, task::TaskId};

    #[test]
    fn a_question_waits_for_who_looks_but_not_for_a_page_that_was_left_open() {
        let question = |age, looks| decide(About::Approval(ApprovalId::new()), age, looks, || true);
        assert_eq!(question(Duration::ZERO, false), Now::Send);
        assert_eq!(question(Duration::from_secs(60), true), Now::Wait);
        assert_eq!(question(LONGEST, true), Now::Send);
    }

    #[test]
    fn the_end_of_a_turn_is_settled_once_a_page_showed_it() {
        for about in [About::Turn(TurnId::new()), About::Task(TaskId(12))] {
            let end = |looks, seen| decide(about, Duration::from_secs(1), looks, move || seen);
            assert_eq!(end(true, false), Now::Wait);
            assert_eq!(end(false, true), Now::Seen);
            assert_eq!(end(false, false), Now::Send);
        }
    }
}
