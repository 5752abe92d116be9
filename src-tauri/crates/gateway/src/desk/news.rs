//! Turns that ended, for those who tell a person of it.

use crate::gateway::App;
use domain::{
    SessionId,
    event::{Event, Outcome},
};
use store::{events, inbox, sessions};
use tokio::sync::mpsc;

/// A turn that somebody asked for is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub session: SessionId,
    pub number: u32,
    pub title: String,
    pub outcome: Outcome,
    /// Of the event.
    pub seq: i64,
}

/// Waiting to be taken. Who does not take them misses later ones, never holds the gateway up.
const WAITING: usize = 16;
/// Read at once.
const BATCH: usize = 200;

pub(super) fn ended(app: &App) -> mpsc::Receiver<Ended> {
    let (tell, told) = mpsc::channel(WAITING);
    app.tasks.spawn(watch(app.clone(), tell));
    told
}

async fn watch(app: App, tell: mpsc::Sender<Ended>) {
    super::launched(&app).await;
    let mut bell = app.store.bells().events.subscribe();
    let mut cursor = *bell.borrow_and_update();
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tell.closed() => return,
            _ = bell.changed() => {}
        }
        let newest = *bell.borrow_and_update();
        while cursor < newest {
            let Ok(stored) = app.store.read(move |r| events::after(r, cursor, BATCH)).await else { break };
            let Some(last) = stored.last() else { break };
            cursor = last.seq;
            for event in stored {
                if let Some(ended) = of(&app, event).await {
                    let _nobody_takes_them = tell.try_send(ended);
                }
            }
        }
    }
}

async fn of(app: &App, stored: events::Stored) -> Option<Ended> {
    let Event::TurnEnded { turn, outcome, .. } = stored.event else { return None };
    let session = stored.session;
    let read = app.store.read(move |r| {
        let asked = !inbox::of_turn(r, turn)?.is_empty();
        Ok(if asked { sessions::get(r, session)? } else { None })
    });
    let row = read.await.ok()??;
    Some(Ended { session, number: row.number, title: row.title, outcome, seq: stored.seq })
}
