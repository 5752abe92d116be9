//! A phone was lost: another one shuts everything.

use super::{Chat, PairedPhone, no::Refusals};
use crate::{
    gateway::App,
    lock::{self, Wish},
    wire::desk::LockShown,
};
use axum::{Json, extract::State};

/// Shuts out every phone and token, this one too, refuses what is asked and pauses the sandbox. Only the desk opens it again.
#[utoipa::path(post, path = "/api/lock", tag = "house", responses((status = 200, body = LockShown), Refusals))]
pub async fn lock(State(app): State<App>, phone: PairedPhone<Chat>) -> Json<LockShown> {
    Json(lock::shut(&app, &Wish::Phone(phone.0.name.to_string())).await)
}
