//! GitHub's sign-in by device flow. Nobody shows a token here, and refusals come with status 200.

use super::{
    answer::{Answer, Asked, Refusal, Shared},
    world::World,
};
use axum::{Form, Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use std::sync::Arc;

/// The one app that may sign in.
pub const CLIENT: &str = "Iv23standinstandinst";

/// A sign-in that has begun.
pub(super) struct SignIn {
    code: String,
    pub said: Said,
}

/// What the owner has said.
pub(super) enum Said {
    Nothing,
    Yes,
    No,
}

pub(super) fn router(world: &Arc<World>) -> Router {
    Router::new()
        .route("/login/device/code", post(begin))
        .route("/login/oauth/access_token", post(look))
        .with_state(world.clone())
}

fn is(form: &Asked, name: &str, value: &str) -> bool {
    form.get(name).is_some_and(|given| given == value)
}

async fn begin(State(world): Shared, Form(form): Form<Asked>) -> Answer {
    if !is(&form, "client_id", CLIENT) {
        return Err(Refusal::new(404, json!({ "error": "Not Found" })));
    }
    let code = uuid::Uuid::new_v4().simple().to_string();
    let begun = json!({
        "device_code": code,
        "user_code": "WDJB-MJHT",
        "verification_uri": format!("{}/login/device", world.url),
        "expires_in": 900,
        "interval": 1,
    });
    world.change(|state| state.sign_in = Some(SignIn { code, said: Said::Nothing }));
    Ok(Json(begun))
}

async fn look(State(world): Shared, Form(form): Form<Asked>) -> Json<Value> {
    let no = |error: &str, description: &str| json!({ "error": error, "error_description": description });
    if !is(&form, "client_id", CLIENT) {
        return Json(no("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."));
    }
    if !is(&form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code") {
        return Json(no("unsupported_grant_type", "The grant_type is not supported."));
    }
    Json(world.read(|state| match &state.sign_in {
        Some(sign_in) if is(&form, "device_code", &sign_in.code) => match sign_in.said {
            Said::Nothing => no("authorization_pending", "The authorization request is still pending."),
            Said::Yes => json!({ "access_token": world.token(), "token_type": "bearer", "scope": "" }),
            Said::No => no("access_denied", "The authorization request was denied."),
        },
        _ => no("incorrect_device_code", "The device_code provided is not valid."),
    }))
}
