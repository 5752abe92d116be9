//! Setting up, step by step.

use crate::{
    doors::{
        api::no::{Body, Maybe, No, Of},
        owners::owners,
    },
    gateway::App,
    setup::{self, hello, tunnel, twilio},
    wire::desk::{
        HelloAsk, HelloSent, HelloShown, SetupStep, Skip, StepId, TunnelSetup, TunnelSetupShown, TwilioAccountShown,
        TwilioAccountWish, TwilioAllow, TwilioNumber, TwilioNumberWish, TwilioSaved, WebhookShown,
    },
};
use axum::{Json, extract::State};
use domain::Code;

owners! {
    post "/setup/{id}/skip" => skip,
    post "/tunnel/setup" => set_tunnel_up,
    post "/twilio/account" => account,
    get "/twilio/numbers" => numbers,
    post "/twilio/number" => choose,
    post "/twilio/allow" => allow,
    post "/twilio/webhook" => webhook,
    post "/twilio/hello" => say_hello,
    get "/twilio/hello" => hello_shown,
}

async fn skip(State(app): State<App>, Of(id): Of<String>, Body(wish): Body<Skip>) -> Result<Json<SetupStep>, No> {
    let id = StepId::named(&id).ok_or(Code::NotFound)?;
    Ok(Json(setup::skip(&app, id, wish.skip).await?))
}

async fn set_tunnel_up(State(app): State<App>, Maybe(wish): Maybe<TunnelSetup>) -> Result<Json<TunnelSetupShown>, No> {
    Ok(Json(tunnel::set_up(&app, wish).await?))
}

async fn account(State(app): State<App>, Body(wish): Body<TwilioAccountWish>) -> Result<Json<TwilioAccountShown>, No> {
    Ok(Json(twilio::account(&app, &wish).await?))
}

async fn numbers(State(app): State<App>) -> Result<Json<Vec<TwilioNumber>>, No> {
    Ok(Json(twilio::numbers(&app).await?))
}

async fn choose(State(app): State<App>, Body(wish): Body<TwilioNumberWish>) -> Result<Json<TwilioSaved>, No> {
    Ok(Json(twilio::choose(&app, &wish.number).await?))
}

async fn allow(State(app): State<App>, Body(wish): Body<TwilioAllow>) -> Result<Json<TwilioSaved>, No> {
    Ok(Json(twilio::allow(&app, &wish.numbers).await?))
}

async fn webhook(State(app): State<App>) -> Result<Json<WebhookShown>, No> {
    Ok(Json(twilio::webhook(&app).await?))
}

async fn say_hello(State(app): State<App>, Body(wish): Body<HelloAsk>) -> Result<Json<HelloSent>, No> {
    Ok(Json(hello::send(&app, &wish.to).await?))
}

async fn hello_shown(State(app): State<App>) -> Result<Json<HelloShown>, No> {
    Ok(Json(hello::shown(&app).await?))
}
