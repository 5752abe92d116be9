//! How everything stands, mending it, starting again, and shutting everybody out.

use crate::{
    doctor::{self, Finding, Fix},
    doors::{
        api::no::{Maybe, No, Of},
        owners::owners,
    },
    gateway::App,
    home,
    lock::{self, Wish},
    restart,
    wire::desk::{Home, LockShown, Restart, Restarting},
};
use axum::{Json, extract::State, http::StatusCode};

owners! {
    get "/home" => shown,
    post "/mend/{fix}" => mend,
    post "/restart" => again,
    post "/lock" => shut,
    post "/unlock" => unlock,
}

async fn shown(State(app): State<App>) -> Result<Json<Home>, No> {
    Ok(Json(home::shown(&app).await?))
}

async fn mend(State(app): State<App>, Of(fix): Of<String>) -> Result<Json<Finding>, No> {
    let found = doctor::mend(&app, Fix::named(&fix)?).await?;
    app.looks.forget();
    Ok(Json(found))
}

async fn again(State(app): State<App>, Maybe(wish): Maybe<Restart>) -> Result<(StatusCode, Json<Restarting>), No> {
    Ok((StatusCode::ACCEPTED, Json(restart::begin(&app, wish.force).await?)))
}

async fn shut(State(app): State<App>) -> Json<LockShown> {
    Json(lock::shut(&app, &Wish::Desk).await)
}

async fn unlock(State(app): State<App>) -> Result<Json<Home>, No> {
    lock::open(&app).await?;
    Ok(Json(home::shown(&app).await?))
}
