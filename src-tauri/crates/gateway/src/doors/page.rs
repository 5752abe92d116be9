//! What the holder of a link sees: a whole answer, or what an approval would run. The page comes from the built UI; what it
//! shows comes from `/api/link/{name}`.

use super::reply::Refusal;
use crate::{
    approvals::{self, Answer},
    clock,
    gateway::App,
    links::{self, Found, Target},
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{
    Code, TurnId,
    approval::{Approval, Decision, Subject},
    event::{Channel, Event},
};
use rust_embed::RustEmbed;
use serde_json::{Value, json};

#[derive(RustEmbed)]
#[folder = "../../../ui/dist"]
struct Ui;

/// The page itself, the same for every link.
pub async fn phone() -> Result<Response, Refusal> {
    file("phone.html", "no-store")
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

/// What a link shows, as JSON.
pub async fn link(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    match find(&app, name).await? {
        Target::Answer(turn) => Ok(Json(whole_answer(&app, turn).await?)),
        Target::Approval(id) => {
            let approval = app.store.read(move |r| store::approvals::expect(r, id)).await?;
            Ok(Json(whole_approval(&approval)))
        }
        Target::Media(_) => Err(Code::NotFound.into()),
    }
}

/// The holder of a link may refuse what it shows; granting needs more than a link.
pub async fn deny(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    let Target::Approval(id) = find(&app, name).await? else { return Err(Code::NotFound.into()) };
    let approval = app.store.read(move |r| store::approvals::expect(r, id)).await?;
    let answer = Answer {
        approval: id,
        hash: approval.hash.clone(),
        decision: Decision::Denied { message: None },
        channel: Channel::Phone,
        by: Some("link".into()),
        letter: None,
        message: None,
    };
    Ok(Json(whole_approval(&approvals::answer(&app, answer).await?)))
}

async fn find(app: &App, name: String) -> Result<Target, Refusal> {
    let (now, key) = (clock::now(), app.link_key().await.clone());
    match app.store.read(move |r| key.find(r, &name, now)).await? {
        Found::Shows(target) => Ok(target),
        Found::RanOut => Err(Code::LinkExpired.into()),
        Found::Nothing => Err(Code::NotFound.into()),
    }
}

/// The agent's words of a turn, whole, with what it made.
async fn whole_answer(app: &App, turn: TurnId) -> Result<Value, Refusal> {
    let (key, life, now) = (app.link_key().await.clone(), app.config.sms.picture_life, clock::now());
    let shown = app
        .store
        .write(move |tx| {
            let events = store::events::of_turn(tx, turn)?;
            let session = events.first().map(|e| e.session).ok_or(store::Error::Missing)?;
            let title = store::sessions::get(tx, session)?.map(|s| s.title).unwrap_or_default();
            let at = events.last().map(|e| e.at);
            let words: Vec<String> = events.into_iter().filter_map(|e| words(e.event)).collect();
            let mut artifacts = Vec::new();
            for (id, media_type, caption) in store::artifacts::of_turn(tx, turn)? {
                let link = links::make(tx, Target::Media(id), life, now)?;
                artifacts.push(
                    json!({ "url": key.path(&link).unwrap_or_default(), "media_type": media_type, "caption": caption }),
                );
            }
            Ok(json!({
                "kind": "answer",
                "session": { "title": title },
                "at": at,
                "markdown": words.join("\n\n"),
                "artifacts": artifacts,
            }))
        })
        .await?;
    Ok(shown)
}

fn words(event: Event) -> Option<String> {
    match event {
        Event::Answered { text, .. } => Some(text),
        _ => None,
    }
}

fn whole_approval(a: &Approval) -> Value {
    let (tool, input) = match &a.subject {
        Subject::Tool { tool, input, .. } => (tool.as_str(), input.clone()),
        Subject::Question { input, .. } => ("question", input.clone()),
        Subject::Plan { .. } => ("plan", Value::Null),
        Subject::Rerun { .. } => ("rerun", Value::Null),
    };
    json!({
        "kind": "approval",
        "id": a.id,
        "now": clock::now(),
        "number": a.number,
        "tool": tool,
        "input": input,
        "target": a.subject.really(),
        "shown": a.subject.in_full(),
        "risk": a.risk,
        "state": a.decision.as_ref().map_or("open", Decision::as_str),
        "asked_at": a.asked_at,
        "expires_at": a.expires_at,
    })
}
