//! A one-time ask: a session of its own, one turn, the whole answer.

use super::{Pictures, start::begin};
use crate::{
    approvals,
    gateway::App,
    pairing::Caller,
    stream::view,
    wire::{Answer, Ask, Start},
};
use domain::{Code, Problem, SessionId, TurnId, event::Event, session::Input};
use std::time::Duration;
use store::events::{self, Stored};

const USUAL: u64 = 120_000;
const LONGEST: u64 = 600_000;

/// # Errors
/// As [`super::start`]; then the code the turn failed with, or `TURN_TIMEOUT`: the turn is stopped then.
pub async fn ask(app: &App, caller: &Caller, ask: Ask) -> Result<Answer, Problem> {
    let patience = ask.timeout_ms.unwrap_or(USUAL);
    if !(1..=LONGEST).contains(&patience) {
        return Err(Problem::with_detail(Code::BadRequest, "timeout_ms is 1 to 600 000."));
    }
    let pictures = Pictures::read(ask.images)?;
    let start = Start { prompt: Some(ask.prompt), agent: ask.agent, ..Start::default() };
    let (started, said) = begin(app, caller, start, pictures).await?;
    let (session, said) = (SessionId(started.session_id), said.ok_or(Code::Internal)?);
    let answer =
        tokio::time::timeout(Duration::from_millis(patience), wait(app, session, said.event, said.message)).await;
    match answer {
        Ok(Ok(answer)) => {
            // Asked once: nobody says a second thing in it.
            app.registry.ring(app, session, Input::MakeRoom).await;
            Ok(answer)
        }
        // A sandbox that is not ready would be tried again with nobody waiting: the words are taken back.
        Ok(Err(problem)) => {
            app.registry.ring(app, session, Input::Halt).await;
            Err(problem)
        }
        Err(_) => {
            app.registry.ring(app, session, Input::Halt).await;
            Err(Code::TurnTimeout.into())
        }
    }
}

/// Follows the one turn that answers `message`.
async fn wait(app: &App, session: SessionId, mut cursor: i64, message: i64) -> Result<Answer, Problem> {
    let mut bell = app.store.bells().events.subscribe();
    let mut heard = Heard::default();
    loop {
        bell.mark_unchanged();
        let found = app.store.read(move |r| events::of_session(r, session, cursor, 500)).await;
        for stored in found.map_err(approvals::internal)? {
            cursor = stored.seq;
            if let Some(end) = heard.take(stored, message)? {
                return answer(app, session, end, heard.words.join("\n\n")).await;
            }
        }
        let _store_closes = bell.changed().await;
    }
}

#[derive(Default)]
struct Heard {
    turn: Option<TurnId>,
    words: Vec<String>,
    failed: Option<Problem>,
}

impl Heard {
    /// The event that ends the turn, once it came.
    fn take(&mut self, stored: Stored, message: i64) -> Result<Option<Stored>, Problem> {
        match &stored.event {
            Event::TurnStarted { turn, messages } if messages.contains(&message) => self.turn = Some(*turn),
            Event::Answered { turn, text, .. } if turn.is_some() && *turn == self.turn => self.words.push(text.clone()),
            Event::Failed { turn: None, code, detail } if self.turn.is_none() => {
                return Err(Problem::with_detail(*code, detail));
            }
            Event::Failed { turn, code, detail }
                if turn.is_some() && *turn == self.turn && *code != Code::OutputCapped =>
            {
                self.failed = Some(Problem::with_detail(*code, detail));
            }
            Event::TurnEnded { turn, .. } if Some(*turn) == self.turn => {
                return self.failed.take().map_or(Ok(Some(stored)), Err);
            }
            Event::Closed => return Err(Code::SessionClosed.into()),
            _ => {}
        }
        Ok(None)
    }
}

async fn answer(app: &App, session: SessionId, end: Stored, text: String) -> Result<Answer, Problem> {
    let Event::TurnEnded { turn, outcome, tokens, cost, duration_ms } = end.event else {
        return Err(Code::Internal.into());
    };
    Ok(Answer {
        session_id: session.0,
        turn: turn.0,
        text,
        outcome: outcome.into(),
        usage: tokens.into(),
        cost_dollars: cost.dollars(),
        duration_ms,
        artifacts: view::artifacts(app, session, Some(turn)).await?,
    })
}
