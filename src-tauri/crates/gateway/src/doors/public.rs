//! The public door: the only router ever given to a tunnel or a listening port. It holds what Twilio and the holder of a link
//! need; settings, secrets and approvals that grant are not in it.

use super::{page, reply::Refusal};
use crate::{
    clock,
    gateway::App,
    links::{Found, Target},
    sms::webhook,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use domain::Code;
use serde_json::json;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer};

/// No request to this door is larger.
const LARGEST: usize = 1_000_000;
/// Twilio waits 15 s in all; anything that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(14);

/// Serves until Lanyard stops; answers in flight are finished.
pub async fn serve(app: App, listener: TcpListener) {
    let stop = app.stop.clone();
    let listener = listener.tap_io(|connection| {
        let _keeps_its_delay = connection.set_nodelay(true);
    });
    let serving = axum::serve(listener, router(app)).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(e) = serving.await {
        tracing::error!(error = ?e, "the public door closed");
    }
}

pub fn router(app: App) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/sms", post(webhook::receive))
        .route("/sms/status", post(webhook::status))
        .route("/m/{name}", get(media))
        .route("/a/{name}", get(page::phone))
        .route("/p/{name}", get(page::phone))
        .route("/assets/{*path}", get(page::asset))
        .route("/api/link/{name}", get(page::link))
        .route("/api/link/{name}/deny", post(page::deny))
        .fallback(|| async { Refusal::from(Code::NotFound) })
        .layer(middleware::from_fn_with_state(app.clone(), guard))
        .layer(RequestBodyLimitLayer::new(LARGEST))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::GATEWAY_TIMEOUT, PATIENCE))
        .layer(CatchPanicLayer::new())
        .with_state(app)
}

/// Without a token only this much: a stranger learns that something answers.
async fn health() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// Refuses names that are not ours (a page elsewhere cannot point one of its own at this door), and says to browsers what
/// a page of ours may do.
async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    if !is_ours(&app, host) {
        return Refusal::from(Code::WrongHost).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Nothing inline, nothing from elsewhere.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn is_ours(app: &App, host: &str) -> bool {
    let public = app.config.public_url.as_deref().and_then(|url| url.split_once("://")).map(|(_, host)| host);
    let port = app.public_addr.port();
    public == Some(host)
        || host == app.public_addr.to_string()
        || host.strip_prefix("localhost:").is_some_and(|p| p.parse() == Ok(port))
        || host.strip_prefix("127.0.0.1:").is_some_and(|p| p.parse() == Ok(port))
}

/// A picture, for Twilio's HEAD and GET and for the page that shows an answer.
async fn media(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let (now, key) = (clock::now(), app.link_key().await.clone());
    let found = app
        .store
        .read(move |r| match key.find(r, &name, now)? {
            Found::Shows(Target::Media(id)) => Ok(store::artifacts::get(r, id)?.ok_or(Code::NotFound)),
            Found::RanOut => Ok(Err(Code::LinkExpired)),
            Found::Shows(_) | Found::Nothing => Ok(Err(Code::NotFound)),
        })
        .await?;
    let artifact = found?;
    let content_type = HeaderValue::from_str(&artifact.media_type).unwrap_or(HeaderValue::from_static("image/jpeg"));
    Ok(([(header::CONTENT_TYPE, content_type)], Body::from(artifact.bytes)).into_response())
}
