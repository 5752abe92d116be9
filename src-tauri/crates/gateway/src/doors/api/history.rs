//! What happened in sessions: their events, their files, and search over all of it.

use super::{
    PairedPhone, Read,
    links::find,
    no::{Asked, No, Of, Refusals, bad},
    sessions::{limit, shown},
};
use crate::{
    gateway::App,
    links::Target,
    stream::{facts, view},
    wire::{Artifacts, Events, SearchHit, SearchHits},
};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{ArtifactId, Code, SessionId};
use serde::Deserialize;
use store::{events, search as found, sessions};
use utoipa::{IntoParams, ToSchema};

/// A piece of history.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct Piece {
    /// Events after this one, oldest first. What was imported has numbers below 0.
    pub after: Option<i64>,
    /// The newest events before this one, oldest first. Without either: the newest of all.
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

/// The proof of a link in place of a token.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct Proof {
    /// The last part of an artifact's `url` (`/m/<proof>`). With it no token is needed, until it runs out.
    pub proof: Option<String>,
}

/// An artifact's bytes, for a token or for the proof of a link to it.
#[utoipa::path(get, path = "/api/artifacts/{id}", tag = "sessions", params(("id" = uuid::Uuid, Path), Proof),
    security((), ("bearer" = [])), responses((status = 200, content_type = "*/*", body = Vec<u8>), Refusals))]
pub async fn artifact(
    State(app): State<App>,
    phone: Result<PairedPhone<Read>, No>,
    Of(id): Of<ArtifactId>,
    Asked(Proof { proof }): Asked<Proof>,
) -> Result<Response, No> {
    match proof {
        Some(proof) => {
            let shows = find(&app, proof).await?;
            (shows == Target::Media(id)).then_some(()).ok_or(Code::NotFound)?;
        }
        None => drop(phone?),
    }
    // It never changes.
    artifact_bytes(&app, id, "private, max-age=31536000, immutable").await
}

/// An artifact's bytes as an answer. What is in them must not act as a page of ours, nor be taken for something else.
pub async fn artifact_bytes(app: &App, id: ArtifactId, cache: &'static str) -> Result<Response, No> {
    let artifact = app.store.read(move |r| store::artifacts::get(r, id)).await?.ok_or(Code::NotFound)?;
    let media_type = HeaderValue::from_str(&artifact.media_type);
    let media_type = media_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let named = HeaderValue::try_from(format!("inline; filename=\"{}\"", file_name(id, &artifact.media_type)));
    let headers = [
        (header::CONTENT_DISPOSITION, named.unwrap_or(HeaderValue::from_static("inline"))),
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, Body::from(artifact.bytes)).into_response())
}

/// What it is saved as, named by the end of its id: `lanyard-7f3c9a1e.png`.
fn file_name(id: ArtifactId, media_type: &str) -> String {
    let kind = media_type.split_once('/').map_or("", |(_, kind)| kind.split(['+', ';']).next().unwrap_or_default());
    let ending = match kind {
        "jpeg" => "jpg",
        "plain" => "txt",
        kind if !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric()) => kind,
        _ => "bin",
    };
    let id = id.to_string();
    format!("lanyard-{}.{ending}", id.get(id.len().saturating_sub(8)..).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_id_and_its_kind() {
        let id = ArtifactId("0198f2c4-0000-7000-8000-00007f3c9a1e".parse().unwrap());
        for (kind, ending) in [
            ("image/png", "png"),
            ("image/jpeg", "jpg"),
            ("image/svg+xml", "svg"),
            ("text/plain; charset=utf-8", "txt"),
            ("x/../y", "bin"),
            ("", "bin"),
        ] {
            assert_eq!(file_name(id, kind), format!("lanyard-7f3c9a1e.{ending}"));
        }
    }
}
