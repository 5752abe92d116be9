//! Where the session of a task stands, and words said in it.

use crate::{
    gateway::App,
    sessions::{Saying, say},
    talk,
};
use domain::{
    Code, Problem, SessionId, Timestamp, TurnId,
    event::{Event, Outcome, When},
    session::Input,
};
use store::{Rows, Tx, approvals, events, inbox, parked, tasks::TaskRow, turns};

/// Events of a session that are looked through for what its agent said last.
const LOOKED_BACK: usize = 200;

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    Works,
    /// A question to the owner is open.
    Asks,
    /// Nothing is to be done; how its newest turn ended.
    Rests(Option<(TurnId, Outcome)>),
}

pub fn of(rows: &impl Rows, session: SessionId) -> store::Result<Stand> {
    if approvals::all_open(rows)?.iter().any(|approval| approval.session == session) {
        return Ok(Stand::Asks);
    }
    let newest = turns::newest(rows, session)?;
    let outcome = match newest {
        Some(turn) => turns::outcome(rows, turn)?.map(|outcome| (turn, outcome)),
        None => None,
    };
    let runs = newest.is_some() && outcome.is_none();
    let waits = match newest {
        Some(turn) => parked::waits(rows, turn)?,
        None => false,
    };
    if runs || waits || inbox::count_waiting(rows, session)? > 0 {
        return Ok(Stand::Works);
    }
    Ok(Stand::Rests(outcome))
}

/// How a session ended its last turn, in words.
#[derive(Clone, Debug, Default)]
pub struct LastWords {
    /// The agent's.
    pub said: Option<String>,
    /// What went wrong.
    pub wrong: Option<(Code, String)>,
}

pub fn last_words(rows: &impl Rows, session: SessionId) -> store::Result<LastWords> {
    let mut last = LastWords::default();
    for stored in events::of_session_before(rows, session, i64::MAX, LOOKED_BACK)?.into_iter().rev() {
        match stored.event {
            Event::Answered { text, .. } if last.said.is_none() => last.said = Some(text),
            Event::Failed { code, detail, .. } if last.wrong.is_none() => last.wrong = Some((code, detail)),
            _ => {}
        }
    }
    Ok(last)
}

/// Says words in the task's session, once for each `key`, in the name of whoever asked for the task.
///
/// # Errors
/// `SESSION_LIMIT` while as many sessions as may are at work; as the store's.
pub async fn say_once(app: &App, task: &TaskRow, key: &str, text: String, now: Timestamp) -> Result<(), Problem> {
    let Some(session) = task.session else { return Err(Code::TaskOver.into()) };
    let place = app.registry.admit(session)?;
    let arrival = inbox::Arrival {
        channel: task.channel,
        external: format!("task:{}:{}:{key}", task.id, task.attempt),
        sender: task.sender.clone(),
        receiver: None,
        text,
        media: Vec::new(),
    };
    let saying = move |tx: &Tx<'_>| {
        let received = inbox::receive(tx, &arrival, now)?;
        if !received.fresh {
            return Ok((Input::GoOn, place));
        }
        let (message, text) = (received.message, arrival.text.as_str());
        let saying =
            Saying { message, place: &place, channel: arrival.channel, text, pictures: &[], when: When::Queue };
        let event = say(tx, &saying, now)?;
        inbox::set_event(tx, message, event)?;
        Ok((Input::Said(inbox::get(tx, message)?.said()), place))
    };
    let (input, _place) = app.store.write(saying).await.map_err(crate::approvals::internal)?;
    app.registry.ring(app, session, input).await;
    Ok(())
}

/// Ends what the session does, and the session: its history stays.
pub async fn stop_session(app: &App, session: Option<SessionId>) {
    let Some(session) = session else { return };
    for end in [talk::interrupt(app, session).await, talk::close(app, session).await] {
        if let Err(problem) = end {
            tracing::warn!(%problem, "a task's session could not be ended");
        }
    }
}
