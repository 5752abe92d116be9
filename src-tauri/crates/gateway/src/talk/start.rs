//! Opening sessions, and taking them up again.

use super::{AGENTS, Pictures, Taken, Words, arrival, check_words, checked_id, said_before, say_routed, state};
use crate::{
    approvals, clock,
    gateway::App,
    pairing::Caller,
    sessions::{Opening, Place, open_session},
    wire::{Said, Start, Started},
};
use domain::{Code, PermissionMode, Problem, SessionId, event::When, pairing::Scope, session::Input};
use store::{inbox, listing, sessions};

/// Opens a session or takes one up again, and says its first words if there are any.
///
/// # Errors
/// `SESSION_LIMIT`, `UNKNOWN_SESSION`, `BAD_REQUEST`, `PICTURE_REFUSED`, `SCOPE_MISSING` (see [`may_set`]): nothing was opened.
pub async fn start(app: &App, caller: &Caller, start: Start) -> Result<Started, Problem> {
    begin(app, caller, start, Pictures::default()).await.map(|(started, _)| started)
}

pub(super) async fn begin(
    app: &App,
    caller: &Caller,
    start: Start,
    pictures: Pictures,
) -> Result<(Started, Option<Said>), Problem> {
    if start.agent.as_deref().is_some_and(|agent| !AGENTS.contains(&agent)) {
        return Err(Code::UnknownAgent.into());
    }
    if let Some(prompt) = &start.prompt {
        check_words(prompt)?;
    }
    for (name, text, most) in [("title", &start.title, 200), ("model", &start.model, 100)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > most) {
            return Err(Problem::with_detail(Code::BadRequest, format!("{name} has at most {most} characters.")));
        }
    }
    let client_id = match &start.client_id {
        Some(id) => checked_id(id)?,
        None => uuid::Uuid::new_v4().to_string(),
    };
    let mode = start.permission_mode.map(Into::into);
    may_set(app, caller, mode, start.resume.is_none())?;
    let opened = write_start(app, caller, start, client_id, pictures).await?;
    if let (Some(mode), false) = (mode, opened.new) {
        app.registry.ring(app, opened.session, Input::SetMode(mode)).await;
    }
    let (said, rings) = opened.taken.map(|taken| (taken.said, taken.rings)).unzip();
    if let Some(rings) = rings {
        app.registry.ring(app, opened.session, rings).await;
    }
    app.stream.ring_for(opened.session);
    let started = Started {
        session_id: opened.session.0,
        number: opened.number,
        state: state(app, opened.session, true),
        last_event: *app.store.bells().events.borrow(),
    };
    Ok((started, said))
}

/// A mode answers questions before they are asked, so it takes what answering them takes; to plan first, and what a new
/// session has anyway, takes nothing.
fn may_set(app: &App, caller: &Caller, mode: Option<PermissionMode>, new: bool) -> Result<(), Problem> {
    match mode {
        None | Some(PermissionMode::Plan) => Ok(()),
        Some(mode) if new && mode == Opening::usual(app).mode => Ok(()),
        Some(_) => Ok(caller.needs(Scope::Approve)?),
    }
}

/// A session as [`start`] left it.
struct Opened {
    session: SessionId,
    number: u32,
    new: bool,
    taken: Option<Taken>,
    /// Held until the session was rung.
    _place: Option<Place>,
}

/// All in one transaction: the session and its first words, or neither.
async fn write_start(
    app: &App,
    caller: &Caller,
    start: Start,
    client_id: String,
    pictures: Pictures,
) -> Result<Opened, Problem> {
    let now = clock::now();
    let usual = Opening::usual(app);
    let opening = Opening { mode: start.permission_mode.map_or(usual.mode, Into::into), ..usual };
    let (caller, waiting, registry) = (caller.clone(), app.config.patience.waiting, app.registry.clone());
    let opened = app.store.write(move |tx| {
        let arrival = arrival(&caller, &client_id, start.prompt.as_deref().unwrap_or_default());
        let received = inbox::receive(tx, &arrival, now)?;
        if !received.fresh {
            let known = inbox::get(tx, received.message)?.session.ok_or(store::Error::Refused(Code::ClientIdUsed))?;
            let row = sessions::get(tx, known)?.ok_or(store::Error::Missing)?;
            let taken = said_before(tx, known, received.message)?;
            return Ok(Opened { session: known, number: row.number, new: true, taken, _place: None });
        }
        let (session, new) = match start.resume {
            Some(id) => (SessionId(id), false),
            None => (SessionId::new(), true),
        };
        // Taking one up without a word gives it no process.
        let place = (new || start.prompt.is_some()).then(|| registry.admit(session)).transpose();
        let place = place.map_err(store::Error::Refused)?;
        if new {
            open_session(tx, session, &opening, now)?;
        }
        let row = sessions::get(tx, session)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        if let Some(title) = &start.title {
            listing::set_title(tx, session, &domain::shown::shown_line(title.trim(), 200))?;
        }
        if let Some(model) = &start.model {
            listing::set_model(tx, session, model)?;
        }
        sessions::touch(tx, session, now)?;
        let taken = match (start.prompt, &place) {
            (Some(text), Some(place)) => {
                let words = Words { text, pictures, client_id, when: When::Queue };
                Some(say_routed(tx, &caller, place, received.message, &words, waiting, now)?)
            }
            _ => {
                inbox::route(tx, received.message, session, "", &[], When::Queue)?;
                inbox::handled(tx, received.message)?;
                None
            }
        };
        Ok(Opened { session, number: row.number, new, taken, _place: place })
    });
    opened.await.map_err(approvals::internal)
}
