//! What a client does, the same by REST and by WebSocket: open a session, say something, ask and wait, stop, close, answer an
//! approval. A caller's scope was checked before.

mod ask;
mod decide;
mod images;
mod start;

pub use ask::ask;
pub use decide::decide;
pub use images::{IMAGE_BYTES, IMAGES, Pictures};
pub use start::start;

use crate::{
    approvals, clock,
    gateway::App,
    pairing::Caller,
    sessions::{Place, Saying, say as route},
    wire::{Said, Say, SessionState},
};
use domain::{Code, Problem, SessionId, event::When, session::Input};
use store::{
    Tx,
    inbox::{self, Arrival},
    sessions,
};

/// The agents there are. One, until the owner can name more.
pub const AGENTS: [&str; 1] = ["claude"];
/// The longest words that are taken, in bytes.
pub const PROMPT_BYTES: usize = 100_000;

/// Words that are ready to be said.
struct Words {
    text: String,
    pictures: Pictures,
    client_id: String,
    when: When,
}

/// Words that are written down: what the caller is told, and what their session is.
struct Taken {
    said: Said,
    rings: Input,
}

/// Says something in a session. The same `client_id` of the same caller is said once and always gets the same answer.
///
/// # Errors
/// `UNKNOWN_SESSION`, `SESSION_LIMIT`, `BUSY`, `BAD_REQUEST`, `PICTURE_REFUSED`: nothing was said.
pub async fn say(app: &App, caller: &Caller, session: SessionId, say: Say) -> Result<Said, Problem> {
    check_words(&say.text)?;
    let client_id = checked_id(&say.client_id)?;
    let when = say.when.map_or(When::Queue, Into::into);
    let words = Words { text: say.text, pictures: Pictures::read(say.images)?, client_id, when };
    let (now, waiting, by) = (clock::now(), app.config.patience.waiting, caller.clone());
    let registry = app.registry.clone();
    let said = app.store.write(move |tx| {
        let received = inbox::receive(tx, &arrival(&by, &words.client_id, &words.text), now)?;
        if !received.fresh {
            let known = inbox::get(tx, received.message)?.session.ok_or(store::Error::Refused(Code::ClientIdUsed))?;
            let said = said_before(tx, known, received.message)?.ok_or(store::Error::Refused(Code::ClientIdUsed))?;
            return Ok((said, None));
        }
        sessions::get(tx, session)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        let place = registry.admit(session).map_err(store::Error::Refused)?;
        Ok((say_routed(tx, &by, &place, received.message, &words, waiting, now)?, Some(place)))
    });
    let (taken, _place) = said.await.map_err(approvals::internal)?;
    app.registry.ring(app, SessionId(taken.said.session_id), taken.rings).await;
    Ok(taken.said)
}

/// A session's state right now.
pub fn state(app: &App, session: SessionId, open: bool) -> SessionState {
    SessionState::of(open, app.registry.glance(session).map(|glance| glance.state))
}

/// Ends the running turn, or takes back the words that would start the next.
///
/// # Errors
/// `UNKNOWN_SESSION`.
pub async fn interrupt(app: &App, session: SessionId) -> Result<(), Problem> {
    tell(app, session, Input::Halt).await
}

/// Closes a session: its process ends, its history stays.
///
/// # Errors
/// `UNKNOWN_SESSION`.
pub async fn close(app: &App, session: SessionId) -> Result<(), Problem> {
    tell(app, session, Input::Close).await
}

async fn tell(app: &App, session: SessionId, input: Input) -> Result<(), Problem> {
    let known = app.store.read(move |r| sessions::get(r, session)).await.map_err(approvals::internal)?;
    known.ok_or(Code::UnknownSession)?;
    app.registry.ring(app, session, input).await;
    Ok(())
}

fn arrival(caller: &Caller, client_id: &str, text: &str) -> Arrival {
    Arrival {
        channel: caller.channel(),
        external: caller.key(client_id),
        sender: caller.id().map(|id| id.to_string()),
        receiver: None,
        text: text.to_owned(),
        media: Vec::new(),
    }
}

#[allow(clippy::too_many_arguments, reason = "one message's parts")]
fn say_routed(
    tx: &Tx<'_>,
    caller: &Caller,
    place: &Place,
    message: i64,
    words: &Words,
    waiting: usize,
    now: domain::Timestamp,
) -> store::Result<Taken> {
    let session = place.session;
    if inbox::waiting(tx, session)?.len() >= waiting {
        return Err(store::Error::Refused(Code::Busy));
    }
    let pictures = words.pictures.keep(tx, session, now)?;
    let saying =
        Saying { message, place, channel: caller.channel(), text: &words.text, pictures: &pictures, when: words.when };
    let event = route(tx, &saying, now)?;
    inbox::set_event(tx, message, event)?;
    let rings = Input::Said(inbox::get(tx, message)?.said());
    Ok(Taken { said: Said { session_id: session.0, event, message, fresh: true }, rings })
}

/// What their session was told before it knows itself.
fn said_before(tx: &Tx<'_>, session: SessionId, message: i64) -> store::Result<Option<Taken>> {
    let said = |event| Said { session_id: session.0, event, message, fresh: false };
    Ok(inbox::event(tx, message)?.map(|event| Taken { said: said(event), rings: Input::GoOn }))
}

fn check_words(text: &str) -> Result<(), Problem> {
    match text.trim().is_empty() || text.len() > PROMPT_BYTES {
        true => Err(Problem::with_detail(
            Code::BadRequest,
            "Words have 1 to 100 000 bytes, and something beside white space.",
        )),
        false => Ok(()),
    }
}

fn checked_id(id: &str) -> Result<String, Problem> {
    match (1..=100).contains(&id.chars().count()) {
        true => Ok(id.to_owned()),
        false => Err(Problem::with_detail(Code::BadRequest, "client_id has 1 to 100 characters.")),
    }
}
