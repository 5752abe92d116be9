//! The switch of the tunnel, and how it fares.

use crate::{
    doors::{owners::owners, reply::Refusal},
    gateway::App,
};
use axum::{Json, extract::State};
use domain::{Code, Problem};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::SystemTime;

owners! {
    get "/tunnel" => show,
    post "/tunnel" => switch,
}

/// Its state, one line for a person, and what became of Twilio's number.
pub fn shown(app: &App) -> Value {
    let status = app.address.status().borrow().clone();
    let page = app.address.page_in_the_way().then(|| Problem::from(Code::TunnelPageInTheWay));
    json!({ "status": status, "words": status.in_words(SystemTime::now()), "number": app.address.number(), "page_in_the_way": page })
}

async fn show(State(app): State<App>) -> Json<Value> {
    Json(shown(&app))
}

#[derive(Deserialize)]
struct Switch {
    on: bool,
}

async fn switch(State(app): State<App>, Json(Switch { on }): Json<Switch>) -> Result<Json<Value>, Refusal> {
    app.address.switch.keep(&app.store, on).await?;
    Ok(Json(shown(&app)))
}
