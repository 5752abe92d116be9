//! Where pushes to a phone's browser go, and what it showed of them.

use super::{
    PairedPhone, Read,
    no::{Body, No, Refusals, bad},
};
use crate::{
    gateway::App,
    push,
    wire::{PushEndpoint, PushKey, PushShown, PushSubscription},
};
use axum::{Json, extract::State, http::StatusCode};
use domain::Code;

/// No browser's endpoint is longer; the description says so.
const ENDPOINT: usize = 1000;

/// The key that a browser subscribes with.
#[utoipa::path(get, path = "/api/push", tag = "push", responses((status = 200, body = PushKey), Refusals))]
pub async fn key(State(app): State<App>, _phone: PairedPhone<Read>) -> Result<Json<PushKey>, No> {
    let key = app.vapid_key().await.map_err(|_| Code::Internal)?;
    Ok(Json(PushKey { public_key: key.public() }))
}

/// From now on this browser is told while no page is looked at. For paired phones.
#[utoipa::path(post, path = "/api/push", tag = "push", request_body = PushSubscription,
    responses((status = 204), Refusals))]
pub async fn subscribe(
    State(app): State<App>,
    phone: PairedPhone<Read>,
    Body(subscription): Body<PushSubscription>,
) -> Result<StatusCode, No> {
    push::subscribe(&app, &phone.0, subscription).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// This browser is told no more.
#[utoipa::path(delete, path = "/api/push", tag = "push", request_body = PushEndpoint,
    responses((status = 204), Refusals))]
pub async fn unsubscribe(
    State(app): State<App>,
    phone: PairedPhone<Read>,
    Body(gone): Body<PushEndpoint>,
) -> Result<StatusCode, No> {
    if gone.endpoint.chars().count() > ENDPOINT {
        return Err(bad(format!("endpoint has at most {ENDPOINT} characters")));
    }
    push::unsubscribe(&app, &phone.0, gone.endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// It was shown: no text goes about the same. Saying so again is fine.
#[utoipa::path(post, path = "/api/push/shown", tag = "push", request_body = PushShown,
    responses((status = 204), Refusals))]
pub async fn shown(
    State(app): State<App>,
    phone: PairedPhone<Read>,
    Body(shown): Body<PushShown>,
) -> Result<StatusCode, No> {
    push::shown(&app, &phone.0, shown.letter).await?;
    Ok(StatusCode::NO_CONTENT)
}
