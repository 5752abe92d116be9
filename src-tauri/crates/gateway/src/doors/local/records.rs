//! What was kept: usage, activity, and history that can be brought in.

use crate::{
    clock,
    doors::{
        owners::owners,
        reply::{Refusal, json_lines},
    },
    gateway::App,
    records::{activity, import, usage},
    wire::desk::{Activity, ImportFound, ImportWish, Usage},
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use domain::{Code, Problem};

owners! {
    get "/usage" => spent,
    get "/activity" => happened,
    get "/import" => found,
    post "/import" => bring,
    post "/import/stop" => stop_import,
}

/// What is asked in an address, or why it cannot be read.
type Asked<T> = Result<Query<T>, QueryRejection>;

fn read<T>(asked: Asked<T>) -> Result<T, Refusal> {
    let wish = asked.map_err(|e| Problem::with_detail(Code::BadRequest, e.body_text()))?;
    Ok(wish.0)
}

async fn spent(State(app): State<App>, asked: Asked<usage::Wish>) -> Result<Json<Usage>, Refusal> {
    let wish = read(asked)?;
    let span = wish.span(clock::now())?;
    Ok(Json(app.store.read(move |r| usage::read(r, wish.by, &span)).await?))
}

async fn happened(State(app): State<App>, asked: Asked<activity::Wish>) -> Result<Json<Activity>, Refusal> {
    let Some((wanted, limit)) = read(asked)?.read()? else {
        return Ok(Json(Activity { items: Vec::new(), next: None }));
    };
    Ok(Json(app.store.read(move |r| activity::page(r, &wanted, limit)).await?))
}

async fn found(State(app): State<App>) -> Result<Json<Vec<ImportFound>>, Refusal> {
    Ok(Json(import::found(&app).await?))
}

/// After the conversation that is taken in now. What was taken in is told by the import's own last line.
async fn stop_import(State(app): State<App>) -> StatusCode {
    app.importing.stop();
    StatusCode::NO_CONTENT
}

/// JSON lines until it is done. Who stops listening stops it after the conversation it is at.
async fn bring(State(app): State<App>, Json(wish): Json<ImportWish>) -> Response {
    json_lines(import::bring(&app, wish.paths))
}
