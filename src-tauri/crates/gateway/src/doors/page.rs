//! The pages, from the built UI: the phone's, the one behind a link in a text, and the window's. What they show comes from the API.

use super::reply::Refusal;
use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::Code;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../../ui/dist"]
struct Ui;

/// The page itself, the same for every link.
pub async fn phone() -> Result<Response, Refusal> {
    file("phone.html", "no-store")
}

/// What the window's page may do: everything comes from the door it came from. `ipc:` is how it speaks to the app around it.
const WINDOW: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self' ipc: http://ipc.localhost; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The window's page, for the local door alone.
pub fn window<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/", get(index)).route("/assets/{*path}", get(asset)).route("/icons/{name}", get(icon))
}

async fn index() -> Result<Response, Refusal> {
    let mut page = file("index.html", "no-store")?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, WINDOW);
    page.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(page)
}

/// A file of the page. Names carry a hash of what is in them, so they may be kept for ever.
pub async fn asset(Path(path): Path<String>) -> Result<Response, Refusal> {
    file(&format!("assets/{path}"), "public, max-age=31536000, immutable")
}

/// What the service worker may do: a browser holds it to the policy it was fetched with, so it may speak to addresses that the
/// gateway gets later. What it speaks to is what the gateway told the page.
const WORKER: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self' https:; base-uri 'none'; frame-ancestors 'none'",
);

/// The service worker. A browser asks for it anew each time, which is how it learns of a newer page.
pub async fn worker() -> Result<Response, Refusal> {
    let mut worker = file("sw.js", "no-cache")?;
    worker.headers_mut().insert(header::CONTENT_SECURITY_POLICY, WORKER);
    Ok(worker)
}

/// What makes the page one that can be installed.
pub async fn manifest() -> Result<Response, Refusal> {
    file("manifest.webmanifest", "no-cache")
}

pub async fn icon(Path(name): Path<String>) -> Result<Response, Refusal> {
    file(&format!("icons/{name}"), "no-cache")
}

fn file(path: &str, cache: &'static str) -> Result<Response, Refusal> {
    // A debug build reads the folder itself, where a name could lead elsewhere.
    let file = Ui::get(path).filter(|_| !path.contains("..")).ok_or(Code::NotFound)?;
    let content_type =
        HeaderValue::from_str(file.metadata.mimetype()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, HeaderValue::from_static(cache))];
    Ok((headers, Body::from(file.data.into_owned())).into_response())
}
