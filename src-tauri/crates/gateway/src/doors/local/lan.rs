//! The switch of the door on the local network, how it stands, and what makes phones trust it.

use crate::{
    doors::{owners::owners, reply::Refusal},
    gateway::App,
    lan::{CERTIFICATE_PATH, State as Door},
};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

owners! {
    get "/lan" => show,
    post "/lan" => switch,
}

/// Its state, one line for a person, and where a phone gets the certificate.
pub fn shown(app: &App) -> Value {
    let state = app.lan.state().borrow().clone();
    let certificate = app.lan.certificate().filter(|_| matches!(state, Door::Open { .. }));
    let at = app.address.url().into_iter().chain(app.lan.urls()).next();
    let certificate = certificate.zip(at).map(|(known, at)| {
        json!({ "url": format!("{at}{CERTIFICATE_PATH}"), "fingerprint": known.fingerprint, "pem": known.pem })
    });
    json!({ "words": state.in_words(), "status": state, "certificate": certificate })
}

async fn show(State(app): State<App>) -> Json<Value> {
    Json(shown(&app))
}

#[derive(Deserialize)]
struct Switch {
    on: bool,
}

async fn switch(State(app): State<App>, Json(Switch { on }): Json<Switch>) -> Result<Json<Value>, Refusal> {
    app.lan.switch.keep(&app.store, on).await?;
    Ok(Json(shown(&app)))
}
