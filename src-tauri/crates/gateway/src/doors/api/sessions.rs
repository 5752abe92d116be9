//! The sessions there are.

use super::{
    Chat, PairedPhone, Read,
    no::{Asked, Body, No, Of, Refusals, bad},
};
use crate::{
    gateway::App,
    stream::view,
    wire::{SessionChange, SessionPage, SessionShown, SessionState},
};
use axum::{Json, extract::State};
use domain::{Code, SessionId, Timestamp};
use serde::Deserialize;
use store::{
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
    /// Last used then or later (milliseconds since 1970).
    pub from: Option<i64>,
    /// Last used before then.
    pub to: Option<i64>,
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
    let text = which
        .text
        .and_then(|text| found::query(&text).map(|query| (query.loosest().to_owned(), text.trim().to_owned())));
    let after = which.cursor.as_deref().map(read_cursor).transpose()?;
    let (from, to) = (which.from.map(Timestamp), which.to.map(Timestamp));
    let wanted = Wanted { open, agent: which.agent, tag: which.tag, text, ids, after, from, to };
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

/// A page's length.
pub(super) fn limit(asked: Option<u16>, most: u16) -> Result<usize, No> {
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

pub(super) async fn shown(app: &App, id: SessionId) -> Result<SessionShown, No> {
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
    app.stream.ring_for(id);
    shown(&app, id).await.map(Json)
}

/// A tag as it is kept: on one line, at most 50 characters.
fn tidy(tag: &str) -> String {
    domain::shown::shown(tag.trim()).replace(['\n', '\t'], " ").chars().take(50).collect()
}
