//! Around every request: its address's limit, which pages may call, its id, its line in the log and in the metrics.

use super::no::No;
use crate::{
    doors::{
        Way,
        reply::{REQUEST_ID, new_id},
    },
    gateway::App,
};
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::Code;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tower_http::cors::{AllowOrigin, AllowPrivateNetwork, CorsLayer};

/// A page that was loaded from another address of ours says it to the tunnel, or ngrok's own page would answer.
const SKIP_NGROKS_PAGE: HeaderName = HeaderName::from_static("ngrok-skip-browser-warning");
/// How long a browser may remember what a page elsewhere is allowed.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Refuses an address that asks too often.
pub async fn addresses(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.limits.address(address(request.extensions())) {
        Ok(()) => next.run(request).await,
        Err(wait) => No::wait(wait).into_response(),
    }
}

/// Where the request comes from, as the listener saw it, or the owner's own proxy. Other headers that claim one are not believed.
pub fn address(extensions: &axum::http::Extensions) -> IpAddr {
    extensions.get::<ConnectInfo<SocketAddr>>().map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(a)| a.ip())
}

/// Gives every answer an id and every request a line in the log, and counts it.
pub async fn requests(State(app): State<App>, request: Request, next: Next) -> Response {
    let (method, began) = (request.method().clone(), Instant::now());
    let route = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned()).unwrap_or_default();
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    let id = match response.headers().get(&REQUEST_ID) {
        Some(id) => id.to_str().unwrap_or_default().to_owned(),
        None => new_id(),
    };
    tracing::debug!(request.id = id, %method, route, status, elapsed_ms = took.as_secs_f64() * 1000.0, "answered");
    app.metrics.request(method.as_str(), &route, status, took);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// A method that an address does not take is refused in words; `Allow` stays.
pub async fn no_method(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut refusal = No::from(Code::WrongMethod).into_response();
    if let Some(allow) = allow {
        refusal.headers_mut().insert(header::ALLOW, allow);
    }
    refusal
}

/// The page's own origins and those in the config. A browser asks more before a page of the internet may reach a private
/// address (Private Network Access).
pub fn cors(app: &App) -> CorsLayer {
    let app = app.clone();
    let allowed = move |origin: &HeaderValue, _: &Parts| origin.to_str().is_ok_and(|origin| may_call(&app, origin));
    CorsLayer::new()
        .allow_private_network(AllowPrivateNetwork::predicate(allowed.clone()))
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, SKIP_NGROKS_PAGE])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER, HeaderName::from_static("content-disposition")])
        .max_age(REMEMBERED)
}

/// Whether a page from `origin` may call.
pub fn may_call(app: &App, origin: &str) -> bool {
    let named = app.config.written.api.origins.iter().any(|known| known.trim_end_matches('/') == origin);
    named || app.lan.is_at(origin) || origin.split_once("://").is_some_and(|(_, host)| is_public(app, host))
}

/// Whether a host (with its port) is a name of this gateway for those who come this way.
pub fn is_ours(app: &App, way: Way, host: &str) -> bool {
    match way {
        Way::Port => is_public(app, host),
        Way::Tunnel => is_named(app, host),
        Way::Lan => app.lan.is_at(&format!("https://{host}")),
    }
}

/// The public address, and the owner's own names for it.
fn is_named(app: &App, host: &str) -> bool {
    let named = app.config.written.api.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    named || app.address.host().is_some_and(|public| public.eq_ignore_ascii_case(host))
}

/// These, and those of the listening port.
fn is_public(app: &App, host: &str) -> bool {
    let port = app.public_addr.port();
    is_named(app, host)
        || host == app.public_addr.to_string()
        || host.strip_prefix("localhost:").is_some_and(|p| p.parse() == Ok(port))
        || host.strip_prefix("127.0.0.1:").is_some_and(|p| p.parse() == Ok(port))
}
