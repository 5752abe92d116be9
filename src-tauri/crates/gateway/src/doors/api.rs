//! The companion API, for phones, scripts and the window. Mounted twice: on the public door, where every caller brings a
//! token or a link's proof, and on the local door, where the caller is the owner. What changes settings, secrets or phones is in neither.

mod approvals;
mod auth;
mod chat;
mod docs;
mod export;
mod guard;
mod history;
mod house;
mod links;
mod lock;
pub(in crate::doors) mod no;
mod pairing;
mod push;
mod sessions;
mod socket;
mod tasks;

pub use auth::{Approve, Chat, Needs, PairedPhone, Read, Tasks};
pub use docs::openapi;
pub use guard::is_ours;
pub use history::artifact_bytes;
pub use links::find as find_link;
pub use no::No;

use crate::{gateway::App, pairing::Caller};
use axum::{
    Extension, Router, extract::DefaultBodyLimit, http::StatusCode, middleware::from_fn_with_state, routing::get,
};
use std::time::Duration;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A request without pictures is no larger.
const BODY: usize = 1_000_000;
/// Four pictures of 5 MB in Base64, and words.
const BODY_WITH_PICTURES: usize = 28_000_000;
/// Anything but an ask that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// For the public door.
pub fn public(app: &App) -> Router<App> {
    mounted(app)
        .layer(from_fn_with_state(app.clone(), guard::addresses))
        .layer(guard::cors(app))
        .layer(axum::middleware::from_fn(guard::no_method))
}

/// For the local door: the caller is the person at the desk. With a page to try the API.
pub fn local(app: &App) -> Router<App> {
    mounted(app).merge(docs::page()).layer(Extension(Caller::owner()))
}

fn mounted(app: &App) -> Router<App> {
    let (router, _described) = described().split_for_parts();
    router.route("/api/openapi.json", get(docs::json)).layer(from_fn_with_state(app.clone(), guard::requests))
}

/// Every route with its description: a route cannot be mounted without one.
fn described() -> OpenApiRouter<App> {
    let patient = OpenApiRouter::new()
        .routes(routes!(chat::ask))
        .routes(routes!(house::claude_test))
        .layer(DefaultBodyLimit::max(BODY_WITH_PICTURES));
    let prompt = OpenApiRouter::new()
        .routes(routes!(chat::say, chat::close))
        .layer(DefaultBodyLimit::max(BODY_WITH_PICTURES))
        .merge(small())
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, PATIENCE));
    OpenApiRouter::with_openapi(docs::head())
        .merge(patient)
        .merge(prompt)
        .merge(OpenApiRouter::new().routes(routes!(socket::open)))
}

fn small() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(house::health))
        .routes(routes!(house::info))
        .routes(routes!(house::metrics))
        .routes(routes!(house::claude_status))
        .routes(routes!(pairing::pair))
        .routes(routes!(pairing::refresh))
        .routes(routes!(pairing::ticket))
        .routes(routes!(chat::start))
        .routes(routes!(chat::interrupt))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::one, sessions::change))
        .routes(routes!(history::events))
        .routes(routes!(history::artifacts))
        .routes(routes!(history::artifact))
        .routes(routes!(history::search))
        .routes(routes!(export::export))
        .routes(routes!(approvals::open))
        .routes(routes!(approvals::decide))
        .routes(routes!(tasks::list, tasks::make))
        .routes(routes!(tasks::one, tasks::cancel))
        .routes(routes!(tasks::retry))
        .routes(routes!(tasks::schedules, tasks::plan))
        .routes(routes!(tasks::unplan))
        .routes(routes!(tasks::repositories))
        .routes(routes!(tasks::branches))
        .routes(routes!(lock::lock))
        .routes(routes!(push::key, push::subscribe, push::unsubscribe))
        .routes(routes!(push::shown))
        .routes(routes!(links::link))
        .routes(routes!(links::deny))
        .layer(DefaultBodyLimit::max(BODY))
}
