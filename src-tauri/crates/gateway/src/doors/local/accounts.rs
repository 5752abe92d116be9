//! The owner's accounts: a secret goes in here, and none comes out.

use crate::{
    doors::{
        api::no::{Body, No, Of},
        owners::owners,
        reply::json_lines,
    },
    gateway::App,
    secrets::{accounts, device},
    wire::desk::{AccountChecked, AccountShown, KeepSecret},
};
use ::accounts::keychain::Account;
use axum::{Json, extract::State, response::Response};
use domain::{Code, Problem};

owners! {
    get "/accounts" => all,
    put "/accounts/{account}" => keep,
    delete "/accounts/{account}" => remove,
    post "/accounts/{account}/check" => check,
    post "/accounts/{account}/sign-in" => sign_in,
}

async fn all(State(app): State<App>) -> Json<Vec<AccountShown>> {
    Json(accounts::all(&app).await)
}

async fn keep(
    State(app): State<App>,
    Of(account): Of<String>,
    Body(wish): Body<KeepSecret>,
) -> Result<Json<AccountChecked>, No> {
    Ok(Json(accounts::keep(&app, accounts::named(&account)?, &wish.secret, wish.check).await?))
}

async fn remove(State(app): State<App>, Of(account): Of<String>) -> Result<Json<AccountShown>, No> {
    Ok(Json(accounts::remove(&app, accounts::named(&account)?).await?))
}

async fn check(State(app): State<App>, Of(account): Of<String>) -> Result<Json<AccountChecked>, No> {
    Ok(Json(accounts::check(&app, accounts::named(&account)?).await?))
}

/// JSON lines until it is done. Who stops listening stops it.
async fn sign_in(State(app): State<App>, Of(account): Of<String>) -> Result<Response, No> {
    if accounts::named(&account)? != Account::Github {
        return Err(Problem::with_detail(Code::NotFound, "There is no such sign-in.").into());
    }
    Ok(json_lines(device::sign_in(&app).await?))
}
