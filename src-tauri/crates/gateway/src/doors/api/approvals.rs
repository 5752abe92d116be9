//! Questions that only the owner may answer.

use super::{
    Approve, PairedPhone, Read,
    no::{Body, No, Of, Refusals},
};
use crate::{
    gateway::App,
    stream::view,
    talk,
    wire::{ApprovalShown, Approvals, Decide},
};
use axum::{Json, extract::State};
use domain::ApprovalId;

/// What waits for an answer, by number.
#[utoipa::path(get, path = "/api/permissions", tag = "approvals", responses((status = 200, body = Approvals), Refusals))]
pub async fn open(State(app): State<App>, _phone: PairedPhone<Read>) -> Result<Json<Approvals>, No> {
    let permissions = app.store.read(|r| view::open_approvals(r)).await?;
    Ok(Json(Approvals { permissions }))
}

/// Answers one. The first answer wins; it must name, by its hash, exactly what is asked.
#[utoipa::path(post, path = "/api/permission/{id}", tag = "approvals", params(("id" = uuid::Uuid, Path)),
    request_body = Decide, responses((status = 200, body = ApprovalShown), Refusals))]
pub async fn decide(
    State(app): State<App>,
    phone: PairedPhone<Approve>,
    Of(id): Of<ApprovalId>,
    Body(decide): Body<Decide>,
) -> Result<Json<ApprovalShown>, No> {
    let closed = talk::decide(&app, &phone.0, id, decide).await?;
    Ok(Json(app.store.read(move |r| view::approval(r, &closed)).await?))
}
