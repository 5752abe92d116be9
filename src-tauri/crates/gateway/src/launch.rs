//! What the last run left: turns it did not end are closed as interrupted and offered again, questions nobody can answer any
//! more are withdrawn, and sessions that hold messages go on.

use crate::{clock, gateway::App, sessions::Scene};
use domain::{
    SessionId, Timestamp, TurnId,
    approval::{Decision, Subject},
    event::{Event, Outcome},
    session::Input,
    usage::Tokens,
};
use std::collections::HashMap;
use store::{Tx, approvals, events, inbox, turns, usage};

/// Takes it up, in one transaction, before any door opens.
pub async fn take_up(app: &App) -> store::Result<()> {
    let now = clock::now();
    let left =
        app.store.read(|r| Ok((turns::left_open(r)?, approvals::all_open(r)?, inbox::sessions_waiting(r)?))).await?;
    let (turns, open, waiting) = left;
    let sessions = turns.iter().map(|(_, session, _)| *session).chain(open.iter().map(|a| a.session));
    let scenes: HashMap<SessionId, Scene> = sessions.map(|id| (id, Scene::of(app, id))).collect();
    let interrupted = turns.len();
    app.store
        .write(move |tx| {
            for approval in open.iter().filter(|a| a.request.is_some()) {
                let scene = scenes.get(&approval.session).ok_or(store::Error::Missing)?;
                scene.close_approval(tx, approval, &Decision::Withdrawn, None, None, now)?;
            }
            for (turn, session, started) in turns {
                let scene = scenes.get(&session).ok_or(store::Error::Missing)?;
                interrupt(tx, scene, turn, session, started, now)?;
            }
            Ok(())
        })
        .await?;
    if interrupted > 0 {
        tracing::warn!(turns = interrupted, "turns that were interrupted are offered again");
    }
    for session in waiting {
        app.registry.ring(app, session, Input::GoOn).await;
    }
    Ok(())
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
