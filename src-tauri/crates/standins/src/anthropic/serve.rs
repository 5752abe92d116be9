//! The routes, and what is remembered between requests.

use super::{
    Fault, KEY, Pace, Script, Seen,
    answer::{Tries, answer},
    cache::{PromptCache, tokens},
    fault::refuse,
    request::Asked,
    stream::Message,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{self, DefaultBodyLimit, Request},
    http::{HeaderMap, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

/// Requests kept for [`super::Anthropic::requests`]: enough for a test, bounded for a bench of thousands of turns.
const KEPT: usize = 256;
/// The API's own limit for a request, in bytes (docs: "Request size limits", 32 MB).
const BODY_LIMIT: usize = 32 * 1024 * 1024;

pub(crate) struct State {
    inner: Mutex<Inner>,
    released: watch::Sender<u64>,
}

struct Inner {
    scripts: Vec<Script>,
    keys: Vec<String>,
    pace: Pace,
    seen: VecDeque<Seen>,
    count: u64,
    tries: Tries,
    cache: PromptCache,
}

impl State {
    pub fn new(scripts: Vec<Script>) -> Self {
        let inner = Inner {
            scripts,
            keys: vec![KEY.to_owned()],
            pace: Pace::default(),
            seen: VecDeque::new(),
            count: 0,
            tries: Tries::default(),
            cache: PromptCache::default(),
        };
        Self { inner: Mutex::new(inner), released: watch::channel(0).0 }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.iter().cloned().collect()
    }

    pub fn count(&self) -> u64 {
        self.lock().count
    }

    pub fn set_pace(&self, pace: Pace) {
        self.lock().pace = pace;
    }

    pub fn set_scripts(&self, scripts: Vec<Script>) {
        self.lock().scripts = scripts;
    }

    pub fn set_keys(&self, keys: Vec<String>) {
        self.lock().keys = keys;
    }

    pub fn release(&self) {
        self.released.send_modify(|n| *n += 1);
    }
}

pub(crate) async fn run(listener: TcpListener, state: Arc<State>, stop: CancellationToken) {
    let app = router(state);
    // Else each small event of a stream waits up to 40 ms for the last one's acknowledgement.
    let listener = axum::serve::ListenerExt::tap_io(listener, |connection| {
        let _keeps_its_delay = connection.set_nodelay(true);
    });
    let serve = axum::serve(listener, app).into_future();
    tokio::select! {
        () = stop.cancelled() => {}
        ended = serve => if let Err(error) = ended { tracing::warn!(%error, "the stand-in stopped listening") },
    }
}

fn router(state: Arc<State>) -> Router {
    let api = Router::new()
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/models", get(models))
        .route_layer(from_fn_with_state(state.clone(), checked));
    Router::new()
        .merge(api)
        .route("/", get(|| async { "" }))
        .fallback(|| async { refuse(404, "not_found_error", "Not Found", &request_id()) })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(state)
}

fn request_id() -> String {
    format!("req_{}", &uuid::Uuid::new_v4().simple().to_string()[..24])
}

/// Key and version, before anything is read.
async fn checked(extract::State(state): extract::State<Arc<State>>, request: Request, next: Next) -> Response {
    let id = request_id();
    let refused = |status, kind, message| refuse(status, kind, message, &id);
    match key_of(request.headers()) {
        None => return refused(401, "authentication_error", "x-api-key header is required"),
        Some((how, key)) if !state.lock().keys.contains(&key) => {
            return refused(401, "authentication_error", &format!("invalid {how}"));
        }
        Some((how, key)) if key.starts_with("sk-ant-oat") => {
            if how == "x-api-key" {
                return refused(401, "authentication_error", "invalid x-api-key");
            }
            if !beta(request.headers(), "oauth-2025-04-20") {
                return refused(401, "authentication_error", "OAuth authentication is currently not supported.");
            }
        }
        Some(_) => {}
    }
    if !request.headers().contains_key("anthropic-version") {
        return refused(400, "invalid_request_error", "anthropic-version: header is required");
    }
    next.run(request).await
}

/// Whether a request asks for this beta, in any of its headers.
fn beta(headers: &HeaderMap, wanted: &str) -> bool {
    let lists = headers.get_all("anthropic-beta").into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|beta| beta.trim() == wanted)
}

fn key_of(headers: &HeaderMap) -> Option<(&'static str, String)> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let bearer = || text("authorization").and_then(|v| v.strip_prefix("Bearer "));
    let key = text("x-api-key").map(|k| ("x-api-key", k));
    key.or_else(|| bearer().map(|k| ("bearer token", k))).map(|(how, k)| (how, k.to_owned()))
}

async fn messages(extract::State(state): extract::State<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let id = request_id();
    let read = serde_json::from_slice::<Value>(&body).map_err(|e| format!("The request body is not valid JSON: {e}"));
    let (body, asked) = match read.and_then(|body| Asked::read(&body).map(|asked| (body, asked))) {
        Ok(read) => read,
        Err(message) => return refuse(400, "invalid_request_error", &message, &id),
    };
    let stream = asked.stream;
    let (message, pace) = next_message(&state, &headers, body, asked);
    if let Some(refused) = message.step.fault.as_ref().and_then(|f| f.response(&id, &message.model)) {
        return refused;
    }
    let pace = message.step.pace.unwrap_or(pace);
    let mut response = match stream {
        true => streamed(message, pace, state.released.subscribe()),
        false => whole(message, pace, &id).await,
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("request-id", id);
    }
    response
}

fn next_message(state: &State, headers: &HeaderMap, body: Value, asked: Asked) -> (Message, Pace) {
    let inner = &mut *state.lock();
    let step = answer(&inner.scripts, &asked, &mut inner.tries);
    let prompt = inner.cache.account(&body);
    inner.count += 1;
    if inner.seen.len() == KEPT {
        inner.seen.pop_front();
    }
    let id = format!("msg_{}", &uuid::Uuid::new_v4().simple().to_string()[..24]);
    let message = Message { id, model: asked.model.clone(), step, prompt };
    inner.seen.push_back(seen(headers, body, asked));
    (message, inner.pace)
}

fn seen(headers: &HeaderMap, body: Value, asked: Asked) -> Seen {
    let secret = |name: &str| matches!(name, "x-api-key" | "authorization");
    Seen {
        purpose: asked.purpose,
        model: asked.model,
        text: asked.text,
        step: asked.step,
        headers: headers
            .iter()
            .filter(|(name, _)| !secret(name.as_str()))
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        key: key_of(headers).map(|(_, key)| key).unwrap_or_default(),
        body: Arc::new(body),
    }
}

fn streamed(message: Message, pace: Pace, released: watch::Receiver<u64>) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(message.stream(pace, released))).into_response()
}

/// An answer in one piece. What breaks a stream breaks it too: Claude Code falls back to this way of asking.
async fn whole(message: Message, pace: Pace, id: &str) -> Response {
    tokio::time::sleep(pace.first()).await;
    match message.step.fault {
        Some(Fault::Cut) => {
            let cut =
                [Ok(Bytes::from_static(b"{\"id\":")), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
            ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(futures::stream::iter(cut)))
                .into_response()
        }
        Some(_) => refuse(529, "overloaded_error", "Overloaded", id),
        None => Json(message.json()).into_response(),
    }
}

async fn count_tokens(Json(body): Json<Value>) -> Json<Value> {
    let length = ["system", "tools", "messages"].iter().map(|part| body[part].to_string().len()).sum();
    Json(json!({ "input_tokens": tokens(length) }))
}

async fn models() -> Json<Value> {
    let model = |id: &str, name: &str| json!({ "type": "model", "id": id, "display_name": name, "created_at": "2026-01-01T00:00:00Z" });
    let data = [model("claude-opus-5-5", "Claude Opus 5.5"), model("claude-sonnet-4-5", "Claude Sonnet 4.5")];
    Json(json!({ "data": data, "has_more": false, "first_id": data[0]["id"], "last_id": data[1]["id"] }))
}
