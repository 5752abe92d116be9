//! The settings as a form.

use crate::{
    doors::{
        api::no::{Body, No},
        owners::owners,
    },
    gateway::App,
    settings,
    wire::desk::Settings,
};
use axum::{Json, extract::State};
use serde_json::Value;

owners! {
    get "/settings" => shown,
    patch "/settings" => change,
}

async fn shown(State(app): State<App>) -> Result<Json<Settings>, No> {
    Ok(Json(settings::shown(&app)?))
}

async fn change(State(app): State<App>, Body(patch): Body<Value>) -> Result<Json<Settings>, No> {
    Ok(Json(settings::change(&app, &patch).await?))
}
