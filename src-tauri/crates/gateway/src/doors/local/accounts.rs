//! The owner's accounts: a secret goes in here, and none comes out.

use crate::{
    doors::{
        api::no::{Body, No, Of},
        owners::owners,
    },
    gateway::App,
    secrets::accounts,
    wire::desk::{AccountChecked, AccountShown, KeepSecret},
};
use axum::{Json, extract::State};

owners! {
    get "/accounts" => all,
    put "/accounts/{account}" => keep,
    delete "/accounts/{account}" => remove,
    post "/accounts/{account}/check" => check,
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
