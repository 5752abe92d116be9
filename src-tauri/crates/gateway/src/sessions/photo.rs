//! The agent's `send_photo`: a file of the sandbox as a picture for the owner.

use super::{driver::READS_WITHIN, workshop::Workshop, writes::Scene};
use crate::{
    clock,
    gateway::App,
    pictures::{self, Of},
};
use domain::{
    SessionId, TurnId,
    agent::{AgentCommand, GatewayCall, GatewayTool},
    event::Event,
    shown::shown_line,
};
use store::events;
use tokio::sync::mpsc;

/// A file larger than this is refused before it is read.
const LARGEST: usize = 20_000_000;

/// Reads the picture, keeps it, sends it to whoever asked, and tells the agent how it went.
pub async fn send(
    app: App,
    workshop: Workshop,
    session: SessionId,
    turn: Option<TurnId>,
    call: GatewayCall,
    agent: mpsc::Sender<AgentCommand>,
) {
    let GatewayTool::SendPhoto { path, caption } = call.tool;
    let result = send_file(&app, &workshop, session, turn, &path, caption).await;
    if let Err(why) = &result {
        tracing::info!(session.id = %session, why, "a picture was not sent");
    }
    let result = result.map(str::to_owned);
    let answer = AgentCommand::ToolAnswered { call: call.call, result };
    let _it_has_gone_or_does_not_read = agent.send_timeout(answer, READS_WITHIN).await;
}

async fn send_file(
    app: &App,
    workshop: &Workshop,
    session: SessionId,
    turn: Option<TurnId>,
    path: &str,
    caption: Option<String>,
) -> Result<&'static str, String> {
    let bytes = workshop.read_file(path, LARGEST).await.map_err(|e| e.message)?;
    let fitting = tokio::task::spawn_blocking(move || pictures::for_mms(bytes)).await;
    let (media_type, bytes) = fitting.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    let caption = caption.map(|c| shown_line(&c, 300));
    let now = clock::now();
    let scene = Scene::of(app, session);
    let kept = app.store.write(move |tx| {
        let of = Of { session: Some(session), turn, caption: caption.clone() };
        let id = pictures::keep(tx, of, media_type, bytes, now)?;
        let made =
            Event::ArtifactMade { turn, artifact: id, media_type: media_type.to_owned(), caption: caption.clone() };
        events::append(tx, session, &made, now)?;
        scene.picture(tx, turn, caption.as_deref().unwrap_or(""), id, now)
    });
    match kept.await.map_err(|e| e.to_string())? {
        true => Ok("The picture was sent to the owner."),
        false => {
            Ok("The picture was kept for the owner to look at later; too many were sent within the hour to text it.")
        }
    }
}
