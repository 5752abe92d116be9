//! Files of messages: their resources at the API, and the host that stores them, to which the API redirects.

use super::{
    fault::not_found,
    rest::Shared,
    shapes::{self, PageAt},
    world::{Media, State as Known, World},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use std::sync::Arc;

pub(super) async fn list(State(world): Shared, Path(id): Path<String>, uri: Uri) -> Response {
    let found = world.read(|state| {
        let message = state.message(&id)?;
        let kept = message.media.iter().filter(|media| !media.deleted);
        Some(kept.map(|media| shapes::media(message, media)).collect())
    });
    let Some(items) = found else { return not_found(uri.path()) };
    let at = PageAt { page: 0, size: 50, filters: String::new() };
    Json(shapes::page("media_list", items, uri.path(), at, None)).into_response()
}

fn find<'a>(state: &'a Known, message: &str, media: &str) -> Option<(&'a super::Message, &'a Media)> {
    let message = state.message(message)?;
    Some((message, message.media.iter().find(|m| m.sid == media && !m.deleted)?))
}

/// With `.json` what it is; without, a redirect to where its bytes are.
pub(super) async fn fetch(State(world): Shared, Path((message, media)): Path<(String, String)>, uri: Uri) -> Response {
    if let Some(media) = media.strip_suffix(".json") {
        let found = world.read(|state| find(state, &message, media).map(|(m, media)| shapes::media(m, media)));
        return found.map_or_else(|| not_found(uri.path()), |found| Json(found).into_response());
    }
    match world.read(|state| find(state, &message, &media).is_some()) {
        true => Redirect::temporary(&format!("http://{}/{message}/{media}", world.files)).into_response(),
        false => not_found(uri.path()),
    }
}

pub(super) async fn delete(State(world): Shared, Path((message, media)): Path<(String, String)>, uri: Uri) -> Response {
    let media = media.strip_suffix(".json").unwrap_or(&media).to_owned();
    let gone = world.change(|state| {
        let found = state.message_mut(&message)?.media.iter_mut().find(|m| m.sid == media && !m.deleted)?;
        found.deleted = true;
        Some(())
    });
    gone.map_or_else(|| not_found(uri.path()), |()| StatusCode::NO_CONTENT.into_response())
}

/// The host that stores files: needs no credentials and must not be shown any.
pub(super) fn router(world: Arc<World>) -> Router {
    Router::new().route("/{message}/{media}", get(bytes)).with_state(world)
}

async fn bytes(State(world): Shared, Path((message, media)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        world.change(|state| state.leaked = true);
    }
    match world.read(|state| find(state, &message, &media).map(|(_, m)| (m.media_type.clone(), m.bytes.clone()))) {
        Some((media_type, bytes)) => ([(header::CONTENT_TYPE, media_type)], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
