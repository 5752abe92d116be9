//! The local door: everything the owner may do at the desk. Bound to a socket file that only this user can open, and to no
//! port: no request from a network can reach it.

mod accounts;
mod approvals;
mod audit;
mod hosts;
mod house;
mod image;
mod lan;
mod records;
mod rules;
mod settings;
mod setup;
mod tunnel;

pub use approvals::{Choice, Decide};

use super::{
    api,
    owners::{Route, owners},
    page, phones,
    reply::Refusal,
};
use crate::{
    clock, doctor,
    gateway::App,
    home,
    live::Partial,
    secrets,
    sessions::{Opening, Saying, open_session, say},
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    response::Response,
};
use domain::{
    Code, PermissionMode, Problem, SessionId,
    event::{Channel, When},
    session::Input,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::HashMap, convert::Infallible, os::unix::fs::PermissionsExt, path::Path as FilePath};
use store::{
    events,
    inbox::{self, Arrival},
    outbox, push_letters, sessions, usage,
};
use tokio::{net::UnixListener, sync::mpsc};

/// Binds the socket file, in place of one that a crash left.
pub fn bind(path: &FilePath) -> Result<UnixListener, Problem> {
    let problem = |e: std::io::Error| {
        Problem::with_detail(Code::PortTaken, format!("{}: {e}.", path.display()))
            .suggest("Choose a shorter LANYARD_HOME: a socket's path has at most 107 bytes.")
    };
    let _was_not_there = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).map_err(problem)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(problem)?;
    Ok(listener)
}

/// Serves until Lanyard stops.
pub async fn serve(app: App, listener: UnixListener) {
    let stop = app.stop.clone();
    let serving = axum::serve(listener, router(app)).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(e) = serving.await {
        tracing::error!(error = ?e, "the local door closed");
    }
}

pub fn router(app: App) -> Router {
    routes()
        .merge(phones::routes())
        .merge(tunnel::routes())
        .merge(lan::routes())
        .merge(hosts::routes())
        .merge(rules::routes())
        .merge(audit::routes())
        .merge(house::routes())
        .merge(image::routes())
        .merge(settings::routes())
        .merge(accounts::routes())
        .merge(setup::routes())
        .merge(page::window())
        .merge(records::routes())
        .merge(api::local(&app))
        .fallback(|| async { Refusal::from(Code::NotFound) })
        .with_state(app)
}

/// Every route of this door but the API's.
pub const OWNERS: &[&[Route]] = &[
    ROUTES,
    phones::ROUTES,
    tunnel::ROUTES,
    lan::ROUTES,
    hosts::ROUTES,
    rules::ROUTES,
    audit::ROUTES,
    house::ROUTES,
    image::ROUTES,
    settings::ROUTES,
    accounts::ROUTES,
    setup::ROUTES,
    records::ROUTES,
];

owners! {
    get "/status" => status,
    get "/doctor" => examine,
    get "/sessions" => list_sessions,
    post "/sessions/{number}/halt" => halt,
    post "/sessions/{number}/close" => close,
    post "/send" => send,
    get "/stream" => stream,
    get "/last" => last,
    post "/mode" => mode,
    get "/approvals" => approvals::list,
    post "/approvals/{id}" => approvals::answer,
    get "/letters" => letters,
    get "/reached" => reached,
    post "/sandbox/pause" => pause,
    post "/sandbox/resume" => resume,
    post "/sandbox/remove" => remove,
    post "/secrets/forget" => forget_secrets,
    post "/stop" => stop,
}

async fn status(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let (open, spent, opted_out, refused) = app
        .store
        .read(|r| {
            let refused = store::facts::get(r, store::facts::BAD_SIGNATURES)?;
            let opted_out = store::numbers::all_opted_out(r)?;
            Ok((store::approvals::all_open(r)?.len(), usage::since(r, clock::midnight())?, opted_out, refused))
        })
        .await?;
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_ms": clock::now().since(app.started).as_millis() as u64,
        "address": app.public_addr.to_string(),
        "public_url": app.address.url(),
        "tunnel": tunnel::shown(&app),
        "lan": lan::shown(&app),
        "sandbox": app.workshop.state().await,
        "texting": app.texting.now().is_some(),
        "open_approvals": open,
        "today": { "dollars": spent.cost.dollars(), "responses": spent.responses, "tokens": spent.tokens, "windows": home::windows(&app) },
        "opted_out": opted_out.iter().map(|(address, since)| json!({ "number": address, "since": since })).collect::<Vec<_>>(),
        "refused_signatures": refused.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) + app.refusals.unwritten(),
    })))
}

async fn examine(State(app): State<App>) -> Json<Vec<doctor::Finding>> {
    Json(doctor::examine(&app).await)
}

async fn list_sessions(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let rows = app.store.read(|r| sessions::latest(r, 50)).await?;
    let shown: Vec<Value> = rows
        .iter()
        .map(|s| {
            let glance = app.registry.glance(s.id).unwrap_or_default();
            json!({ "number": s.number, "id": s.id, "title": s.title, "agent": s.agent, "mode": s.mode, "open": s.open,
                    "state": if glance.state.is_empty() { "cold" } else { glance.state }, "doing": glance.doing,
                    "waiting": glance.waiting, "last_at": s.last_at })
        })
        .collect();
    Ok(Json(json!(shown)))
}

async fn numbered(app: &App, number: u32) -> Result<sessions::SessionRow, Refusal> {
    Ok(app.store.read(move |r| sessions::numbered(r, number)).await?.ok_or(Code::UnknownSession)?)
}

async fn halt(State(app): State<App>, Path(number): Path<u32>) -> Result<Json<Value>, Refusal> {
    let session = numbered(&app, number).await?;
    app.registry.ring(&app, session.id, Input::Halt).await;
    Ok(Json(json!({})))
}

async fn close(State(app): State<App>, Path(number): Path<u32>) -> Result<Json<Value>, Refusal> {
    let session = numbered(&app, number).await?;
    app.registry.ring(&app, session.id, Input::Close).await;
    Ok(Json(json!({})))
}

/// How much a session's agent may do without asking, from now on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Mode {
    pub mode: PermissionMode,
    /// The session's number; none means the one used last.
    pub session: Option<u32>,
}

/// At the desk; a phone may as well if it may answer questions, a text cannot.
async fn mode(State(app): State<App>, Json(wish): Json<Mode>) -> Result<Json<Value>, Refusal> {
    let session = match wish.session {
        Some(number) => numbered(&app, number).await?,
        None => app.store.read(|r| sessions::latest(r, 1)).await?.pop().ok_or(Code::UnknownSession)?,
    };
    app.registry.ring(&app, session.id, Input::SetMode(wish.mode)).await;
    Ok(Json(json!({ "session": session.number, "mode": wish.mode })))
}

/// Something said at the desk.
#[derive(Debug, Serialize, Deserialize)]
pub struct Send {
    pub text: String,
    /// The session's number; none starts a new one.
    pub session: Option<u32>,
    /// The same id again is the same message.
    pub client_id: String,
    #[serde(default)]
    pub when: When,
}

async fn send(State(app): State<App>, Json(send): Json<Send>) -> Result<Json<Value>, Refusal> {
    let opening = Opening::usual(&app);
    let (now, waiting, registry) = (clock::now(), app.config.patience.waiting, app.registry.clone());
    let said = app
        .store
        .write(move |tx| {
            let arrival = Arrival {
                channel: Channel::Cli,
                external: send.client_id,
                sender: None,
                receiver: None,
                text: send.text.clone(),
                media: Vec::new(),
            };
            let received = inbox::receive(tx, &arrival, now)?;
            if !received.fresh {
                let known = inbox::get(tx, received.message)?;
                return Ok((known.session, known.message, None, 0, None));
            }
            let session = match send.session {
                None => SessionId::new(),
                Some(number) => match sessions::numbered(tx, number)? {
                    Some(row) if inbox::waiting(tx, row.id)?.len() >= waiting => {
                        return Err(store::Error::Refused(Code::Busy));
                    }
                    Some(row) => row.id,
                    None => return Err(store::Error::Refused(Code::UnknownSession)),
                },
            };
            let place = registry.admit(session).map_err(store::Error::Refused)?;
            if send.session.is_none() {
                open_session(tx, session, &opening, now)?;
            }
            let saying = Saying {
                message: received.message,
                place: &place,
                channel: Channel::Cli,
                text: &send.text,
                pictures: &[],
                when: send.when,
            };
            let seq = say(tx, &saying, now)?;
            let said = inbox::get(tx, received.message)?.said();
            Ok((Some(session), received.message, Some(said), seq, Some(place)))
        })
        .await?;
    let (session, message, said, seq, _place) = said;
    let session = session.ok_or(Code::UnknownSession)?;
    // Sent once before: its session has it, whatever became of it.
    app.registry.ring(&app, session, said.map_or(Input::GoOn, Input::Said)).await;
    let row = app.store.read(move |r| sessions::get(r, session)).await?.ok_or(Code::UnknownSession)?;
    Ok(Json(json!({ "message": message, "session": row.number, "session_id": session, "seq": seq })))
}

async fn letters(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let fates = app.store.read(|r| outbox::latest(r, 50)).await?;
    let shown = |f: &outbox::Fate| {
        json!({ "id": f.id, "to": f.address, "state": f.state, "status": f.status, "error": f.error, "why": f.why,
                "attempts": f.attempts, "created_at": f.created_at })
    };
    let pushes = app.store.read(|r| push_letters::latest(r, 50)).await?;
    let pushed = |f: &push_letters::Fate| {
        json!({ "push": f.id, "to": f.phone, "state": f.state, "why": f.why, "attempts": f.attempts,
                "created_at": f.created_at })
    };
    let mut all: Vec<Value> = fates.iter().map(shown).chain(pushes.iter().map(pushed)).collect();
    all.sort_by_key(|l| std::cmp::Reverse(l["created_at"].as_i64()));
    Ok(Json(all.into()))
}

async fn reached(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let rows = app.store.read(|r| store::reached::latest(r, 100)).await?;
    let shown = |(at, r): &(domain::Timestamp, store::reached::Reached)| {
        json!({ "at": at, "host": r.host, "port": r.port, "allowed": r.allowed, "why": r.why,
                "bytes_in": r.bytes_in, "bytes_out": r.bytes_out })
    };
    Ok(Json(rows.iter().map(shown).collect()))
}

async fn pause(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    crate::lock::pause_all(&app).await?;
    Ok(Json(json!({})))
}

async fn resume(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    crate::lock::resume_all(&app).await?;
    Ok(Json(json!({})))
}

async fn remove(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    app.workshop.remove().await?;
    Ok(Json(json!({})))
}

/// This secret was changed where it is kept: what runs uses it as it is now.
async fn forget_secrets(State(app): State<App>, Json(which): Json<Named>) -> Result<Json<Value>, Refusal> {
    let account = which.account.parse().map_err(|e| Problem::with_detail(Code::BadRequest, e))?;
    app.secrets.forget(account).await;
    crate::audit::note(&app, store::audit::Kind::SecretChanged, json!({ "account": which.account })).await;
    secrets::accounts::changed(&app, account).await;
    Ok(Json(json!({})))
}

#[derive(Debug, Deserialize)]
struct Named {
    account: String,
}

async fn stop(State(app): State<App>) -> Json<Value> {
    app.stop.cancel();
    Json(json!({}))
}

/// The newest event's number.
async fn last(State(app): State<App>) -> Json<Value> {
    Json(json!({ "seq": *app.store.bells().events.borrow() }))
}

#[derive(Debug, Deserialize)]
struct From {
    #[serde(default)]
    after: Option<i64>,
}

/// Stored events after the cursor, then live ones and partial words, a JSON line each. Without a cursor: from now on.
async fn stream(State(app): State<App>, Query(from): Query<From>) -> Response {
    let (lines, body) = mpsc::channel::<Result<Bytes, Infallible>>(64);
    let bell = *app.store.bells().events.borrow();
    app.tasks.spawn(tell(app.clone(), from.after.unwrap_or(bell).max(0), lines));
    Response::new(Body::from_stream(futures::stream::unfold(body, |mut body| async {
        body.recv().await.map(|line| (line, body))
    })))
}

async fn tell(app: App, mut cursor: i64, lines: mpsc::Sender<Result<Bytes, Infallible>>) {
    let mut bell = app.store.bells().events.subscribe();
    let mut live = app.live.watch();
    let mut numbers = HashMap::new();
    loop {
        bell.mark_unchanged();
        let Ok(events) = app.store.read(move |r| events::after(r, cursor, 500)).await else { return };
        let whole = events.len() < 500;
        for stored in events {
            cursor = stored.seq;
            let Ok(number) = number_of(&app, &mut numbers, stored.session).await else { return };
            let line = json!({ "type": "event", "seq": stored.seq, "session": stored.session, "number": number,
                               "at": stored.at, "event": stored.event });
            if send_line(&lines, &line).await.is_err() {
                return;
            }
        }
        if !whole {
            continue;
        }
        loop {
            tokio::select! {
                biased;
                () = app.stop.cancelled() => return,
                () = lines.closed() => return,
                partial = live.recv() => {
                    // A reader that lags misses some; the finished text is an event.
                    let Ok(partial) = partial else { continue };
                    if send_line(&lines, &partial_line(&partial)).await.is_err() {
                        return;
                    }
                }
                _ = bell.changed() => break,
            }
        }
    }
}

/// What a person calls the session; each is asked for once.
async fn number_of(app: &App, known: &mut HashMap<SessionId, u32>, session: SessionId) -> store::Result<u32> {
    if let Some(number) = known.get(&session) {
        return Ok(*number);
    }
    let row = app.store.read(move |r| sessions::get(r, session)).await?;
    let number = row.map_or(0, |row| row.number);
    known.insert(session, number);
    Ok(number)
}

fn partial_line(partial: &Partial) -> Value {
    json!({ "type": "partial", "data": partial })
}

async fn send_line(lines: &mpsc::Sender<Result<Bytes, Infallible>>, line: &Value) -> Result<(), ()> {
    lines.send(Ok(Bytes::from(format!("{line}\n")))).await.map_err(|_| ())
}
