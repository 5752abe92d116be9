//! Sessions, their history, their files, and search over all of it.

use super::{
    Chat, PairedPhone, Read,
    no::{Asked, Body, No, Of, Refusals, bad},
};
use crate::{
    gateway::App,
    stream::{facts, view},
    wire::{Artifacts, Events, SearchHit, SearchHits, SessionChange, SessionPage, SessionShown, SessionState},
};
use axum::{
    Json,
    body::Body as Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{ArtifactId, Code, SessionId, Timestamp};
use serde::Deserialize;
use store::{
    events,
    listing::{self, Ids, Wanted},
    search as found, sessions,
};
use utoipa::{IntoParams, ToSchema};

const PAGE: u16 = 50;

/// Which sessions.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct Which {
    pub state: Option<SessionState>,
    pub agent: Option<String>,
    pub tag: Option<String>,
    /// Words in the title, or in what was said and done.
    #[param(max_length = 200)]
    pub text: Option<String>,
    /// `next` of the page before.
    #[param(pattern = r"^[0-9]{1,15}_[0-9]{1,9}$")]
    pub cursor: Option<String>,
    /// 1 to 200; 50 if not said.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

/// The one last used first.
#[utoipa::path(get, path = "/api/sessions", tag = "sessions", params(Which),
    responses((status = 200, body = SessionPage), Refusals))]
pub async fn list(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Asked(which): Asked<Which>,
) -> Result<Json<SessionPage>, No> {
    let limit = limit(which.limit, 200)?;
    let glances = app.registry.glances();
    let ids = |states: &[SessionState]| {
        let is = |glance: &crate::sessions::Glance| states.contains(&SessionState::of(true, Some(glance.state)));
        glances.iter().filter(|(_, glance)| is(glance)).map(|(id, _)| *id).collect::<Vec<_>>()
    };
    let busy = [SessionState::Starting, SessionState::Idle, SessionState::Working];
    let (open, ids) = match which.state {
        None => (None, None),
        Some(SessionState::Closed) => (Some(false), None),
        Some(SessionState::Cold) => (Some(true), Some((ids(&busy), Ids::AllBut))),
        Some(state) => (None, Some((ids(&[state]), Ids::Only))),
    };
    if which.text.as_ref().is_some_and(|text| text.chars().count() > 200) {
        return Err(bad("text has at most 200 characters"));
    }
    // Without a word in it nothing is looked for.
    let text = which.text.and_then(|text| found::query(&text).map(|query| (query, text.trim().to_owned())));
    let after = which.cursor.as_deref().map(read_cursor).transpose()?;
    let wanted = Wanted { open, agent: which.agent, tag: which.tag, text, ids, after };
    let read = app.store.read(move |r| {
        let rows = listing::page(r, &wanted, limit + 1)?;
        let next = (rows.len() > limit).then(|| rows.get(limit - 1).map(|s| format!("{}_{}", s.last_at.0, s.number)));
        let shown = rows.into_iter().take(limit).map(|row| {
            let glance = glances.get(&row.id);
            view::session(r, row, glance)
        });
        Ok(SessionPage { sessions: shown.collect::<store::Result<_>>()?, next: next.flatten() })
    });
    Ok(Json(read.await?))
}

fn read_cursor(cursor: &str) -> Result<(Timestamp, u32), No> {
    let read =
        cursor.split_once('_').and_then(|(at, number)| Some((Timestamp(at.parse().ok()?), number.parse().ok()?)));
    read.ok_or_else(|| bad("cursor is none of ours"))
}

fn limit(asked: Option<u16>, most: u16) -> Result<usize, No> {
    match asked.unwrap_or(PAGE.min(most)) {
        limit if (1..=most).contains(&limit) => Ok(limit.into()),
        _ => Err(bad(format!("limit is 1 to {most}"))),
    }
}

/// One session as it stands now.
#[utoipa::path(get, path = "/api/sessions/{id}", tag = "sessions", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = SessionShown), Refusals))]
pub async fn one(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Of(id): Of<SessionId>,
) -> Result<Json<SessionShown>, No> {
    shown(&app, id).await.map(Json)
}

async fn shown(app: &App, id: SessionId) -> Result<SessionShown, No> {
    let glance = app.registry.glance(id);
    let read = app.store.read(move |r| {
        let row = sessions::get(r, id)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        view::session(r, row, glance.as_ref())
    });
    Ok(read.await?)
}

/// Renames a session, or sets its tags.
#[utoipa::path(patch, path = "/api/sessions/{id}", tag = "sessions", params(("id" = uuid::Uuid, Path)),
    request_body = SessionChange, responses((status = 200, body = SessionShown), Refusals))]
pub async fn change(
    State(app): State<App>,
    _phone: PairedPhone<Chat>,
    Of(id): Of<SessionId>,
    Body(change): Body<SessionChange>,
) -> Result<Json<SessionShown>, No> {
    if change.title.as_ref().is_some_and(|title| title.chars().count() > 200) {
        return Err(bad("title has at most 200 characters"));
    }
    if change.tags.as_ref().is_some_and(|tags| tags.len() > 20) {
        return Err(bad("there are at most 20 tags"));
    }
    let tags =
        change.tags.map(|tags| tags.iter().map(|tag| tidy(tag)).filter(|tag| !tag.is_empty()).collect::<Vec<_>>());
    let write = app.store.write(move |tx| {
        sessions::get(tx, id)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        if let Some(title) = &change.title {
            listing::set_title(tx, id, &domain::shown::shown_line(title.trim(), 200))?;
        }
        tags.map_or(Ok(()), |tags| listing::set_tags(tx, id, &tags))
    });
    write.await?;
    app.stream.ring();
    shown(&app, id).await.map(Json)
}

/// A tag as it is kept: on one line, at most 50 characters.
fn tidy(tag: &str) -> String {
    domain::shown::shown(tag.trim()).replace(['\n', '\t'], " ").chars().take(50).collect()
}

/// A piece of history.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct Piece {
    /// Events after this one, oldest first.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// The newest events before this one, oldest first. Without either: the newest of all.
    #[param(minimum = 0)]
    pub before: Option<i64>,
    /// 1 to 500; 50 if not said.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// A session's history, as the frames the WebSocket carries.
#[utoipa::path(get, path = "/api/sessions/{id}/events", tag = "sessions", params(("id" = uuid::Uuid, Path), Piece),
    responses((status = 200, body = Events), Refusals))]
pub async fn events(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Of(id): Of<SessionId>,
    Asked(piece): Asked<Piece>,
) -> Result<Json<Events>, No> {
    let limit = limit(piece.limit, 500)?;
    if [piece.after, piece.before].into_iter().flatten().any(|cursor| cursor < 0) {
        return Err(bad("event numbers are 0 or more"));
    }
    let read = app.store.read(move |r| {
        sessions::get(r, id)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        let mut found = match (piece.after, piece.before) {
            (Some(after), _) => events::of_session(r, id, after, limit + 1)?,
            (None, before) => events::of_session_before(r, id, before.unwrap_or(i64::MAX), limit + 1)?,
        };
        if let (Some(_), Some(before)) = (piece.after, piece.before) {
            found.retain(|e| e.seq < before);
        }
        let more = found.len() > limit;
        match (more, piece.after) {
            (true, Some(_)) => found.truncate(limit),
            (true, None) => drop(found.remove(0)),
            (false, _) => {}
        }
        let events = found.into_iter().map(|stored| facts::frame(r, stored)).collect::<store::Result<_>>()?;
        Ok(Events { events, more })
    });
    Ok(Json(read.await?))
}

/// What a session's turns made and what came with words, oldest first.
#[utoipa::path(get, path = "/api/sessions/{id}/artifacts", tag = "sessions", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Artifacts), Refusals))]
pub async fn artifacts(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Of(id): Of<SessionId>,
) -> Result<Json<Artifacts>, No> {
    shown(&app, id).await?;
    Ok(Json(Artifacts { artifacts: view::artifacts(&app, id, None).await? }))
}

/// An artifact's bytes.
#[utoipa::path(get, path = "/api/artifacts/{id}", tag = "sessions", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, content_type = "*/*", body = Vec<u8>), Refusals))]
pub async fn artifact(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Of(id): Of<ArtifactId>,
) -> Result<Response, No> {
    let artifact = app.store.read(move |r| store::artifacts::get(r, id)).await?.ok_or(Code::NotFound)?;
    let media_type = HeaderValue::from_str(&artifact.media_type);
    let media_type = media_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    // It never changes; what is in it must not act as a page of ours.
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, Bytes::from(artifact.bytes)).into_response())
}

#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Words that must all be there; the last may be a word's beginning.
    #[param(min_length = 1, max_length = 200)]
    pub q: String,
    /// 1 to 100; 50 if not said.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u16>,
}

/// Full text over everything said and done, best first.
#[utoipa::path(get, path = "/api/search", tag = "sessions", params(Query), responses((status = 200, body = SearchHits), Refusals))]
pub async fn search(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Asked(asked): Asked<Query>,
) -> Result<Json<SearchHits>, No> {
    let limit = limit(asked.limit, 100)?;
    if !(1..=200).contains(&asked.q.chars().count()) {
        return Err(bad("q has 1 to 200 characters"));
    }
    // No word in it: nothing can be found.
    let Some(query) = found::query(&asked.q) else { return Ok(Json(SearchHits { hits: Vec::new() })) };
    let hits = app.store.read(move |r| found::best(r, &query, limit)).await?;
    let hit = |h: found::Hit| SearchHit {
        seq: h.seq,
        session_id: h.session.0,
        session_number: h.session_number,
        session_title: h.session_title,
        at: h.at.0,
        kind: h.kind,
        snippet: h.snippet,
    };
    Ok(Json(SearchHits { hits: hits.into_iter().map(hit).collect() }))
}
