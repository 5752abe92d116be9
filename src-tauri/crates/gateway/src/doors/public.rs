//! The public door: the only router ever given to a tunnel or a listening port. It holds what Twilio, paired phones and the
//! holder of a link need; settings, secrets and phones are not in it.

use super::{Way, api, page, proxied, reply::Refusal, serving};
use crate::{gateway::App, lan::CERTIFICATE_PATH, links::Target, sms::webhook};
use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use domain::Code;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer,
};

/// No request of Twilio is larger.
const LARGEST: usize = 1_000_000;
/// Twilio waits 15 s in all; anything that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(14);

/// Serves until Lanyard stops; answers in flight are finished.
pub async fn serve(app: App, listener: TcpListener) {
    let stop = app.stop.clone();
    let listener = listener.tap_io(|connection| {
        let _keeps_its_delay = connection.set_nodelay(true);
    });
    serving::serve(listener, router(app, Way::Port), stop).await;
}

pub fn router(app: App, way: Way) -> Router {
    let page = Router::new()
        .route("/a/{name}", get(page::phone))
        .route("/p/{name}", get(page::phone))
        .route("/assets/{*path}", get(page::asset))
        .route("/", get(page::phone))
        .route("/pair", get(page::phone))
        .route("/sw.js", get(page::worker))
        .route("/manifest.webmanifest", get(page::manifest))
        .route("/icons/{name}", get(page::icon))
        .route(CERTIFICATE_PATH, get(certificate))
        .layer(CompressionLayer::new());
    let posted = Router::new()
        .route("/sms", post(webhook::receive))
        .route("/sms/status", post(webhook::status))
        .route("/m/{name}", get(media))
        .merge(page)
        .layer(RequestBodyLimitLayer::new(LARGEST))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::GATEWAY_TIMEOUT, PATIENCE));
    // The API has limits of its own: an ask takes as long as its turn, a picture more room than a text.
    posted
        .merge(api::public(&app).layer(CompressionLayer::new()))
        .fallback(|| async { Refusal::from(Code::NotFound) })
        .layer(middleware::from_fn_with_state((app.clone(), way), guard))
        .layer(CatchPanicLayer::new())
        .with_state(app)
}

/// Refuses names that are not ours (a page elsewhere cannot point one of its own at this door), and says to browsers what
/// a page of ours may do.
async fn guard(State((app, way)): State<(App, Way)>, mut request: Request, next: Next) -> Response {
    if way == Way::Port {
        proxied::unveil(&mut request, &app.config.api.proxies);
    }
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    if !api::is_ours(&app, way, host) {
        return Refusal::from(Code::WrongHost).into_response();
    }
    let mut response = match app.lock.check() {
        Err(locked) if !is_twilios(request.uri().path()) => Refusal::from(locked).into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(content_policy(&app)) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What stays open when everything is locked: signed requests, and pictures that were sent.
fn is_twilios(path: &str) -> bool {
    matches!(path, "/sms" | "/sms/status") || path.starts_with("/m/")
}

/// Nothing inline, and nothing from elsewhere but what this very gateway says at its other addresses.
fn content_policy(app: &App) -> String {
    let ours: Vec<String> = app.address.url().into_iter().chain(app.lan.urls()).collect();
    let pictures: String = ours.iter().map(|url| format!(" {url}")).collect();
    let lines: String = ours.iter().map(|url| format!(" {url} {}", url.replacen("http", "ws", 1))).collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{pictures}; font-src 'self'; \
         connect-src 'self'{lines}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// What a phone installs to trust the door on the local network. Nothing secret is in it.
async fn certificate(State(app): State<App>) -> Result<Response, Refusal> {
    let certificate = app.lan.certificate().ok_or(Code::NotFound)?;
    let kind = HeaderValue::from_static("application/x-x509-ca-cert");
    Ok(([(header::CONTENT_TYPE, kind)], certificate.der).into_response())
}

/// A picture, for Twilio's HEAD and GET and for the page that shows an answer.
async fn media(State(app): State<App>, Path(name): Path<String>) -> Result<Response, api::No> {
    let Target::Media(id) = api::find_link(&app, name).await? else { return Err(Code::NotFound.into()) };
    api::artifact_bytes(&app, id, "no-store").await
}
