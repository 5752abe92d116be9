//! What a client does, the same by REST and by WebSocket: open a session, say something, ask and wait, stop, close, answer an
//! approval. A caller's scope was checked before.

mod ask;
mod images;

pub use ask::ask;
pub use images::{IMAGE_BYTES, IMAGES, Pictures};

use crate::{
    approvals, clock,
    gateway::App,
    pairing::Caller,
    sessions::{Opening, Saying, open_session, say as route},
    wire::{Decide, DecideWord, Said, Say, SessionState, Start, Started},
};
use domain::{
    ApprovalId, Code, Problem, SessionId,
    approval::{Approval, Decision, Subject, read_answers},
    event::When,
    session::Input,
};
use store::{
    Tx,
    inbox::{self, Arrival},
    listing, sessions,
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

/// Opens a session or takes one up again, and says its first words if there are any.
///
/// # Errors
/// `SESSION_LIMIT`, `UNKNOWN_SESSION`, `BAD_REQUEST`, `PICTURE_REFUSED`: nothing was opened.
pub async fn start(app: &App, caller: &Caller, start: Start) -> Result<Started, Problem> {
    begin(app, caller, start, Pictures::default()).await.map(|(started, _)| started)
}

async fn begin(
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
    if start.resume.is_none() && app.registry.active() >= app.config.api.sessions {
        return Err(Code::SessionLimit.into());
    }
    let client_id = match &start.client_id {
        Some(id) => checked_id(id)?,
        None => uuid::Uuid::new_v4().to_string(),
    };
    let mode = start.permission_mode.map(Into::into);
    let opened = write_start(app, caller, start, client_id, pictures).await?;
    if let (Some(mode), false) = (mode, opened.new) {
        app.registry.ring(app, opened.session, Input::SetMode(mode)).await;
    }
    ring(app, opened.session, opened.said.as_ref()).await?;
    app.stream.ring();
    let started = Started {
        session_id: opened.session.0,
        number: opened.number,
        state: state(app, opened.session, true),
        last_event: *app.store.bells().events.borrow(),
    };
    Ok((started, opened.said))
}

/// A session as [`start`] left it.
struct Opened {
    session: SessionId,
    number: u32,
    new: bool,
    said: Option<Said>,
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
    let (caller, waiting) = (caller.clone(), app.config.patience.waiting);
    let opened = app.store.write(move |tx| {
        let arrival = arrival(&caller, &client_id, start.prompt.as_deref().unwrap_or_default());
        let received = inbox::receive(tx, &arrival, now)?;
        if !received.fresh {
            let known = inbox::get(tx, received.message)?.session.ok_or(store::Error::Refused(Code::ClientIdUsed))?;
            let row = sessions::get(tx, known)?.ok_or(store::Error::Missing)?;
            let said = said_before(tx, known, received.message)?;
            return Ok(Opened { session: known, number: row.number, new: true, said });
        }
        let (session, new) = match start.resume {
            Some(id) => (SessionId(id), false),
            None => (SessionId::new(), true),
        };
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
        let said = match start.prompt {
            Some(text) => {
                let words = Words { text, pictures, client_id, when: When::Queue };
                Some(say_routed(tx, &caller, session, received.message, &words, waiting, now)?)
            }
            None => {
                inbox::route(tx, received.message, session, "", &[], When::Queue)?;
                inbox::handled(tx, received.message)?;
                None
            }
        };
        Ok(Opened { session, number: row.number, new, said })
    });
    opened.await.map_err(approvals::internal)
}

/// Says something in a session. The same `client_id` of the same caller is said once and always gets the same answer.
///
/// # Errors
/// `UNKNOWN_SESSION`, `BUSY`, `BAD_REQUEST`, `PICTURE_REFUSED`: nothing was said.
pub async fn say(app: &App, caller: &Caller, session: SessionId, say: Say) -> Result<Said, Problem> {
    check_words(&say.text)?;
    let client_id = checked_id(&say.client_id)?;
    let when = say.when.map_or(When::Queue, Into::into);
    let words = Words { text: say.text, pictures: Pictures::read(say.images)?, client_id, when };
    let (now, waiting, by) = (clock::now(), app.config.patience.waiting, caller.clone());
    let said = app.store.write(move |tx| {
        let received = inbox::receive(tx, &arrival(&by, &words.client_id, &words.text), now)?;
        if !received.fresh {
            let known = inbox::get(tx, received.message)?.session.ok_or(store::Error::Refused(Code::ClientIdUsed))?;
            return said_before(tx, known, received.message)?.ok_or(store::Error::Refused(Code::ClientIdUsed));
        }
        sessions::get(tx, session)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        say_routed(tx, &by, session, received.message, &words, waiting, now)
    });
    let said = said.await.map_err(approvals::internal)?;
    ring(app, SessionId(said.session_id), Some(&said)).await?;
    Ok(said)
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

/// Answers an approval at the one gate.
///
/// # Errors
/// `UNKNOWN_APPROVAL`, `APPROVAL_GONE`, `APPROVAL_CHANGED`, `BAD_REQUEST`: nothing changed.
pub async fn decide(app: &App, caller: &Caller, id: ApprovalId, decide: Decide) -> Result<Approval, Problem> {
    let known = app.store.read(move |r| store::approvals::get(r, id)).await.map_err(approvals::internal)?;
    let approval = known.ok_or(Code::UnknownApproval)?;
    let decision = match decide.decision {
        DecideWord::Allow => Decision::Allowed,
        DecideWord::Deny => Decision::Denied { message: decide.message },
        DecideWord::AllowAlways => Decision::AllowedAlways { rules: approvals::always_rules(&approval)? },
        DecideWord::Answer => Decision::Answered { answers: answers(&approval, decide.answer.as_deref())? },
    };
    let answer = approvals::Answer {
        approval: id,
        hash: decide.input_hash,
        decision,
        channel: caller.channel(),
        by: Some(caller.name.to_string()),
        message: None,
    };
    approvals::answer(app, answer).await
}

fn answers(approval: &Approval, words: Option<&str>) -> Result<Vec<String>, Problem> {
    let Subject::Question { questions, .. } = &approval.subject else {
        return Err(Problem::with_detail(Code::BadRequest, "This is no question: allow it or deny it."));
    };
    words.and_then(|words| read_answers(questions, words)).ok_or_else(|| {
        Problem::with_detail(Code::BadRequest, "answer holds the answer to each question, one line for each.")
    })
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
    session: SessionId,
    message: i64,
    words: &Words,
    waiting: usize,
    now: domain::Timestamp,
) -> store::Result<Said> {
    if inbox::waiting(tx, session)?.len() >= waiting {
        return Err(store::Error::Refused(Code::Busy));
    }
    let pictures = words.pictures.keep(tx, session, now)?;
    let saying = Saying {
        message,
        session,
        channel: caller.channel(),
        text: &words.text,
        pictures: &pictures,
        when: words.when,
    };
    let event = route(tx, &saying, now)?;
    inbox::set_event(tx, message, event)?;
    Ok(Said { session_id: session.0, event, message, fresh: true })
}

fn said_before(tx: &Tx<'_>, session: SessionId, message: i64) -> store::Result<Option<Said>> {
    Ok(inbox::event(tx, message)?.map(|event| Said { session_id: session.0, event, message, fresh: false }))
}

/// The session takes it up; what it was told before it knows itself.
async fn ring(app: &App, session: SessionId, said: Option<&Said>) -> Result<(), Problem> {
    let input = match said {
        Some(said) if said.fresh => {
            let message = said.message;
            let known = app.store.read(move |r| inbox::get(r, message)).await.map_err(approvals::internal)?;
            Input::Said(known.said())
        }
        Some(_) => Input::GoOn,
        None => return Ok(()),
    };
    app.registry.ring(app, session, input).await;
    Ok(())
}

fn check_words(text: &str) -> Result<(), Problem> {
    match text.trim().is_empty() || text.len() > PROMPT_BYTES {
        true => Err(Problem::with_detail(Code::BadRequest, "Words have 1 to 100 000 bytes.")),
        false => Ok(()),
    }
}

fn checked_id(id: &str) -> Result<String, Problem> {
    match (1..=100).contains(&id.chars().count()) {
        true => Ok(id.to_owned()),
        false => Err(Problem::with_detail(Code::BadRequest, "client_id has 1 to 100 characters.")),
    }
}
