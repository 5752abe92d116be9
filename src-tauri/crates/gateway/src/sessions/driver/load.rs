//! A session as the store has it. Words wait there for it, so a store that fails is asked again for a while.

use crate::gateway::App;
use domain::{SessionId, session::Session, task::TaskId};
use std::time::Duration;
use store::{Error, inbox, sessions};

/// Until the first further try; doubled for each after it.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The last comes 4 minutes after the first. Then the next ring begins anew.
const TRIES: u32 = 11;

/// With the task it is of. `None` where it could not be had, or Lanyard stops.
pub async fn load(app: &App, id: SessionId) -> Option<(Session, Option<TaskId>)> {
    for attempt in 0..TRIES {
        match once(app, id).await {
            Ok(found) => return Some(found),
            Err(Error::Missing) => return None,
            Err(e) => tracing::error!(session.id = %id, attempt, error = ?e, "a session could not be loaded"),
        }
        let wait = tokio::time::sleep(FIRST_WAIT * (1 << attempt));
        app.stop.run_until_cancelled(wait).await?;
    }
    None
}

async fn once(app: &App, id: SessionId) -> store::Result<(Session, Option<TaskId>)> {
    let read = app.store.read(move |r| Ok((sessions::get(r, id)?.ok_or(Error::Missing)?, inbox::waiting(r, id)?)));
    let (row, waiting) = read.await?;
    let waiting = waiting.iter().map(inbox::Message::said).collect();
    Ok((Session::new(id, row.agent_session, waiting, app.config.patience), row.task))
}
