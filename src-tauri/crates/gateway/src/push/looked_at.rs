//! What is to be told while a page is looked at. The end of a turn is settled once a page has shown it; a question waits until
//! it is answered or nobody looks any more, for no answer means no.

use crate::gateway::App;
use domain::Timestamp;
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

/// `came`: when what it tells came about.
pub fn now(app: &App, about: About, came: Timestamp) -> Now {
    match about {
        About::Turn(_) if app.callers.seen_since(came) => Now::Seen,
        About::Turn(_) | About::Approval(_) if app.callers.anyone_looks() => Now::Wait,
        About::Turn(_) | About::Approval(_) | About::Closed(_) => Now::Send,
    }
}
