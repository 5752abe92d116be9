//! What agents may do without asking again, and the PIN that a phone's yes may need.

use crate::{
    clock,
    doors::{
        api::no::{Body, No},
        owners::owners,
    },
    gateway::App,
    wire::desk::{PinShown, PinWish, RuleGone, RuleMade, RulesMade},
};
use axum::{Json, extract::State};
use domain::{Code, Problem, session::Input, shown::shown};
use store::{rules, sessions};

owners! {
    get "/rules" => all,
    post "/rules/forget" => forget,
    get "/pin" => pin,
    post "/pin" => set_pin,
    post "/pin/remove" => remove_pin,
}

async fn all(State(app): State<App>) -> Result<Json<RulesMade>, No> {
    let all = app.store.read(|r| {
        let made = |kept: rules::Kept| {
            let (exact, number) = (kept.rule.as_flag(), sessions::get(r, kept.session)?.map_or(0, |s| s.number));
            Ok(RuleMade { rule: shown(&exact), session: number, at: kept.made_at.0, exact })
        };
        rules::all(r)?.into_iter().map(made).collect::<store::Result<_>>()
    });
    Ok(Json(RulesMade { rules: all.await? }))
}

async fn forget(State(app): State<App>, Body(gone): Body<RuleGone>) -> Result<Json<RulesMade>, No> {
    let (number, exact, now) = (gone.session, gone.exact, clock::now());
    let taken = app.store.write(move |tx| {
        let Some(session) = sessions::numbered(tx, number)? else { return Ok(None) };
        Ok(rules::take_back(tx, session.id, &exact, now)?.then_some(session.id))
    });
    let gone = || {
        Problem::with_detail(Code::NotFound, "No such rule stands.").suggest("Look at those there are: lanyard rules")
    };
    let session = taken.await?.ok_or_else(gone)?;
    app.registry.ring(&app, session, Input::Anew).await;
    all(State(app)).await
}

async fn pin(State(app): State<App>) -> Result<Json<PinShown>, No> {
    Ok(Json(app.pin.shown(&app).await?))
}

async fn set_pin(State(app): State<App>, Body(wish): Body<PinWish>) -> Result<Json<PinShown>, No> {
    app.pin.set(&app, &wish.pin).await?;
    pin(State(app)).await
}

async fn remove_pin(State(app): State<App>) -> Result<Json<PinShown>, No> {
    app.pin.remove(&app).await?;
    pin(State(app)).await
}
