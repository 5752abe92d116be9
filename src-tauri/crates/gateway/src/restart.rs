//! Starting again in the same process, from the config file as it is now. Sessions go on when they are spoken to next, as
//! after any stop.

use crate::{gateway::App, settings, wire::desk::Restarting};
use domain::{Code, Problem};
use tokio::net::TcpListener;

/// Stops this run; whoever runs it builds the next. Answers in flight arrive.
///
/// # Errors
/// `TURN_RUNNING` while an agent is at work, unless it is forced; `CONFIG_INVALID` or `PORT_TAKEN` where the next run could
/// not be built: this one goes on then.
pub async fn begin(app: &App, force: bool) -> Result<Restarting, Problem> {
    let at_work = working(app);
    if at_work > 0 && !force {
        return Err(Problem::with_detail(Code::TurnRunning, format!("Sessions at work: {at_work}.")));
    }
    let next = settings::file(app)?;
    if next.listen != app.config.listen {
        // Free again as soon as it was tried.
        let tried = TcpListener::bind(next.listen).await;
        tried.map_err(|e| Problem::with_detail(Code::PortTaken, format!("{}: {e}.", next.listen)))?;
    }
    tracing::info!(at_work, "Lanyard is to start again");
    app.restart();
    Ok(Restarting { started_at: app.started.0 })
}

/// Sessions whose turn a stop would cut off.
pub fn working(app: &App) -> usize {
    app.registry.glances().values().filter(|glance| matches!(glance.state, "working" | "starting")).count()
}
