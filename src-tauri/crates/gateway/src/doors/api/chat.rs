//! One-time asks and streams.

use super::{
    Chat, PairedPhone,
    no::{Body, No, Of, Refusals},
};
use crate::{
    gateway::App,
    talk,
    wire::{Answer, Ask, Said, Say, Start, Started},
};
use axum::{Json, extract::State, http::StatusCode};
use domain::SessionId;

/// Asks and waits for the whole answer, in a session of its own.
#[utoipa::path(post, path = "/api/ask", tag = "chat", request_body = Ask, responses((status = 200, body = Answer), Refusals))]
pub async fn ask(State(app): State<App>, phone: PairedPhone<Chat>, Body(ask): Body<Ask>) -> Result<Json<Answer>, No> {
    Ok(Json(talk::ask(&app, &phone.0, ask).await?))
}

/// Opens a session, or takes one up again.
#[utoipa::path(post, path = "/api/stream/start", tag = "chat", request_body = Start, responses((status = 200, body = Started), Refusals))]
pub async fn start(
    State(app): State<App>,
    phone: PairedPhone<Chat>,
    Body(start): Body<Start>,
) -> Result<Json<Started>, No> {
    Ok(Json(talk::start(&app, &phone.0, start).await?))
}

/// Says something in a session. It is on disk when this answers.
#[utoipa::path(post, path = "/api/stream/{id}", tag = "chat", params(("id" = uuid::Uuid, Path)), request_body = Say,
    responses((status = 202, body = Said), Refusals))]
pub async fn say(
    State(app): State<App>,
    phone: PairedPhone<Chat>,
    Of(id): Of<SessionId>,
    Body(say): Body<Say>,
) -> Result<(StatusCode, Json<Said>), No> {
    Ok((StatusCode::ACCEPTED, Json(talk::say(&app, &phone.0, id, say).await?)))
}

/// Ends the running turn, or takes back the words that would start the next.
#[utoipa::path(post, path = "/api/stream/{id}/interrupt", tag = "chat", params(("id" = uuid::Uuid, Path)),
    responses((status = 204), Refusals))]
pub async fn interrupt(
    State(app): State<App>,
    _phone: PairedPhone<Chat>,
    Of(id): Of<SessionId>,
) -> Result<StatusCode, No> {
    talk::interrupt(&app, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Closes a session: its process ends, its history stays.
#[utoipa::path(delete, path = "/api/stream/{id}", tag = "chat", params(("id" = uuid::Uuid, Path)),
    responses((status = 204), Refusals))]
pub async fn close(State(app): State<App>, _phone: PairedPhone<Chat>, Of(id): Of<SessionId>) -> Result<StatusCode, No> {
    talk::close(&app, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
