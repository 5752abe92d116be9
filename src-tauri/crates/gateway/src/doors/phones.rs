//! The owner's phones and tokens, on the local door.

use super::{owners::owners, reply::Refusal};
use crate::{
    gateway::App,
    pairing,
    wire::{ApiTokenMade, ApiTokens, MakeApiToken, PairingShown, PhoneChange, PhoneShown, Phones},
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, State},
    response::Response,
};
use domain::{ApiTokenId, PhoneId};
use serde_json::{Value, json};
use std::convert::Infallible;

owners! {
    get "/pairing" => shown,
    post "/pairing" => fresh,
    get "/phones" => phones,
    get "/phones/changes" => changes,
    post "/phones/{id}" => change,
    post "/phones/{id}/revoke" => revoke,
    post "/phones/{id}/not-me" => not_me,
    get "/tokens" => tokens,
    post "/tokens" => make_token,
    post "/tokens/{id}/revoke" => revoke_token,
}

/// The code that is shown now; a new one if the last was used or has run out.
async fn shown(State(app): State<App>) -> Result<Json<PairingShown>, Refusal> {
    app.lock.check()?;
    Ok(Json(pairing::offer(&app, false)))
}

async fn fresh(State(app): State<App>) -> Result<Json<PairingShown>, Refusal> {
    app.lock.check()?;
    Ok(Json(pairing::offer(&app, true)))
}

async fn phones(State(app): State<App>) -> Result<Json<Phones>, Refusal> {
    Ok(Json(pairing::phones_shown(&app).await?))
}

/// All phones, a JSON line now and one at every change: who just paired shows at once.
async fn changes(State(app): State<App>) -> Response {
    let bell = app.callers.changes();
    let lines = futures::stream::unfold((app, bell, true), |(app, mut bell, first)| async move {
        if !first {
            tokio::select! {
                () = app.stop.cancelled() => return None,
                changed = bell.changed() => changed.ok()?,
            }
        }
        bell.mark_unchanged();
        let phones = pairing::phones_shown(&app).await.ok()?;
        let line = serde_json::to_string(&phones).ok()? + "\n";
        Some((Ok::<_, Infallible>(Bytes::from(line)), (app, bell, false)))
    });
    Response::new(Body::from_stream(lines))
}

async fn change(
    State(app): State<App>,
    Path(id): Path<PhoneId>,
    Json(change): Json<PhoneChange>,
) -> Result<Json<PhoneShown>, Refusal> {
    Ok(Json(pairing::change(&app, id, change).await?))
}

async fn revoke(State(app): State<App>, Path(id): Path<PhoneId>) -> Result<Json<PhoneShown>, Refusal> {
    Ok(Json(pairing::revoke(&app, id).await?))
}

async fn not_me(State(app): State<App>, Path(id): Path<PhoneId>) -> Result<Json<PhoneShown>, Refusal> {
    Ok(Json(pairing::not_me(&app, id).await?))
}

async fn tokens(State(app): State<App>) -> Result<Json<ApiTokens>, Refusal> {
    Ok(Json(pairing::tokens_shown(&app).await?))
}

async fn make_token(State(app): State<App>, Json(make): Json<MakeApiToken>) -> Result<Json<ApiTokenMade>, Refusal> {
    Ok(Json(pairing::make_token(&app, make).await?))
}

async fn revoke_token(State(app): State<App>, Path(id): Path<ApiTokenId>) -> Result<Json<Value>, Refusal> {
    pairing::revoke_token(&app, id).await?;
    Ok(Json(json!({})))
}
