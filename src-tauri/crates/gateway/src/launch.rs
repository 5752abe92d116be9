//! What the last run left: turns it did not end are closed as interrupted and offered again, questions nobody can answer any
//! more are withdrawn, and sessions that hold messages go on.

use crate::{
    audit, clock,
    gateway::{App, database_problem},
    sessions::Scene,
    tasks,
};
use domain::{
    Code, Problem, SessionId, Timestamp, TurnId,
    approval::{Decision, Subject},
    event::{Event, Outcome},
    session::Input,
    usage::Tokens,
};
use store::{Tx, approvals, events, inbox, turns, usage};

/// Takes it up, all of it or nothing, in one transaction, before any door opens.
///
/// # Errors
/// `DATABASE_DAMAGED`, `DISK_FULL`, `INTERNAL`: nothing was changed, and Lanyard must not start.
pub async fn take_up(app: &App) -> Result<(), Problem> {
    let now = clock::now();
    tasks::take_up(app).await.map_err(|e| refused(app, &e))?;
    let own = app.clone();
    let left = app.store.write(move |tx| close_what_is_left(tx, &own, now)).await.map_err(|e| refused(app, &e))?;
    crate::may_die!("launch-after");
    if left.interrupted > 0 {
        tracing::warn!(turns = left.interrupted, "turns that were interrupted are offered again");
    }
    for session in left.waiting {
        app.registry.ring(app, session, Input::GoOn).await;
    }
    Ok(())
}

struct Left {
    interrupted: usize,
    /// Sessions that hold messages no turn took.
    waiting: Vec<SessionId>,
}

fn close_what_is_left(tx: &Tx<'_>, app: &App, now: Timestamp) -> store::Result<Left> {
    audit::version(tx, now)?;
    for approval in approvals::all_open(tx)?.iter().filter(|a| a.request.is_some()) {
        let scene = Scene::of(app, approval.session);
        scene.close_approval(tx, approval, &Decision::Withdrawn, None, now)?;
    }
    let turns = turns::left_open(tx)?;
    let interrupted = turns.len();
    for (turn, session, started) in turns {
        interrupt(tx, &Scene::of(app, session), turn, session, started, now)?;
        crate::may_die!("launch-in-the-middle");
    }
    Ok(Left { interrupted, waiting: inbox::sessions_waiting(tx)? })
}

/// A row that is missing or cannot be read is damage, though SQLite finds none.
fn refused(app: &App, e: &store::Error) -> Problem {
    tracing::error!(error = ?e, "what the last run left could not be taken up");
    let code = match e {
        store::Error::Missing | store::Error::Value(_) => Code::DatabaseDamaged,
        e => e.code(),
    };
    database_problem(code, &app.paths)
}

/// Closes a turn that a crash cut off. If somebody asked for it, it is offered again; it never runs again by itself.
fn interrupt(
    tx: &Tx<'_>,
    scene: &Scene,
    turn: TurnId,
    session: SessionId,
    started: Timestamp,
    now: Timestamp,
) -> store::Result<()> {
    let duration_ms = now.since(started).as_millis() as u64;
    turns::end(tx, turn, Outcome::Interrupted, duration_ms, now)?;
    let cost = usage::of_turn(tx, turn)?.cost;
    let ended = Event::TurnEnded { turn, outcome: Outcome::Interrupted, tokens: Tokens::default(), cost, duration_ms };
    events::append(tx, session, &ended, now)?;
    let words: Vec<String> = inbox::of_turn(tx, turn)?.into_iter().map(|m| m.text).collect();
    if words.is_empty() {
        return Ok(());
    }
    scene.ask(tx, None, Subject::Rerun { turn, words: words.join("\n") }, Some(turn), now)
}
