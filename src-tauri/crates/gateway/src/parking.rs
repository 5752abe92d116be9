//! Sessions that met the provider's limit: told of it once, and let go on by themselves when it is over, also over restarts.

use crate::{
    clock,
    gateway::App,
    sessions::{Scene, say_again},
};
use domain::{SessionId, Timestamp, event::Outcome, phrases};
use egress::Payer;
use std::time::Duration;
use store::{
    Tx,
    parked::{self, Parked},
    turns,
};

/// The provider's clock is not this one, and it may give the limit back a little late.
const GRACE_MS: i64 = 60_000;
/// A computer that sleeps stops timers: the clock is looked at this often.
const LOOK: Duration = Duration::from_secs(30);

/// The turn will fail of a limit that holds until then.
///
/// # Errors
/// As the store's.
pub async fn park(app: &App, payer: Payer, until: Timestamp) -> store::Result<()> {
    let Some((session, turn)) = payer.session.zip(payer.turn) else { return Ok(()) };
    let (scene, now) = (Scene::of(app, session), clock::now());
    let words = phrases::parked(&clock::told(until));
    let parking = move |tx: &Tx<'_>| match parked::park(tx, &Parked { session, turn, until })? {
        true => scene.notice(tx, Some(turn), &words, now),
        false => Ok(()),
    };
    app.store.write(parking).await
}

/// Lets go on what is due. Runs until Lanyard stops.
pub async fn run(app: App) {
    while app.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        go_on(&app, clock::now()).await;
    }
}

/// All that is due now.
pub async fn go_on(app: &App, now: Timestamp) {
    let due = match app.store.read(|r| parked::all(r)).await {
        Ok(all) => all.into_iter().filter(|one| one.until.0 + GRACE_MS <= now.0),
        Err(e) => return tracing::error!(error = ?e, "what waits for a limit could not be read"),
    };
    for parked in due {
        if let Err(e) = goes_on(app, parked, now).await {
            tracing::error!(error = ?e, "a session could not go on after a limit");
        }
    }
}

/// Where no further session may work, or the turn still runs, it waits for the next look.
async fn goes_on(app: &App, parked: Parked, now: Timestamp) -> store::Result<()> {
    let Ok(place) = app.registry.admit(parked.session) else { return Ok(()) };
    let saying = move |tx: &Tx<'_>| {
        let Some(outcome) = turns::outcome(tx, parked.turn)? else { return Ok(None) };
        let taken = parked::take(tx, parked.session)?;
        let went_on = turns::newest(tx, parked.session)? != Some(parked.turn);
        if !taken || went_on || outcome != Outcome::Failed {
            return Ok(None);
        }
        let input = say_again(tx, parked.turn, &place, format!("limit:{}", parked.turn), GO_ON, now)?;
        Ok(input.map(|input| (input, place)))
    };
    if let Some((input, _place)) = app.store.write(saying).await? {
        app.registry.ring(app, parked.session, input).await;
    }
    Ok(())
}

const GO_ON: &str = "The limit is over. Go on where you stopped.";

/// The owner stopped it: it does not go on by itself.
pub async fn forget(app: &App, session: SessionId) {
    if let Err(e) = app.store.write(move |tx| parked::take(tx, session)).await {
        tracing::error!(error = ?e, "a session that was stopped still waits for a limit");
    }
}
