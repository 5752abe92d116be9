//! A session's history as a file: Markdown or a page for people, with its pictures and changes of files; JSON for programs.

mod diff;
mod markdown;
mod page;
mod parts;

use super::{
    PairedPhone, Read,
    no::{Asked, No, Of, Refusals},
};
use crate::{gateway::App, stream::facts, wire::Frame};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{Code, SessionId};
use parts::Parts;
use serde::Deserialize;
use store::{
    events,
    sessions::{self, SessionRow},
};
use utoipa::{IntoParams, ToSchema};

/// Events read at once, so that a long history is not held in memory twice.
const BATCH: usize = 500;

#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct As {
    #[param(inline)]
    pub format: Option<Format>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Md,
    Json,
    Html,
}

/// The whole history of a session as a file.
#[utoipa::path(get, path = "/api/sessions/{id}/export", tag = "sessions", params(("id" = uuid::Uuid, Path), As),
    responses((status = 200, content((String = "text/markdown"), (Vec<Frame> = "application/json"), (String = "text/html"))), Refusals))]
pub async fn export(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Of(id): Of<SessionId>,
    Asked(wanted): Asked<As>,
) -> Result<Response, No> {
    let format = wanted.format.unwrap_or_default();
    crate::audit::note(&app, store::audit::Kind::Exported, serde_json::json!({ "session": id })).await;
    let read = app.store.read(move |r| {
        let row = sessions::get(r, id)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        let number = row.number;
        let mut writing = Writing::of(format, &row);
        let mut cursor = i64::MIN;
        loop {
            let found = events::of_session(r, id, cursor, BATCH)?;
            let Some(last) = found.last() else { break };
            cursor = last.seq;
            for stored in found {
                match &mut writing {
                    Writing::Parts(parts) => parts.take(r, stored)?,
                    Writing::Frames(frames) => frames.push(facts::frame(r, stored)?),
                }
            }
        }
        Ok((number, writing.end(format)?))
    });
    let (number, text) = read.await?;
    let (media_type, name) = match format {
        Format::Md => ("text/markdown; charset=utf-8", "md"),
        Format::Json => ("application/json", "json"),
        Format::Html => ("text/html; charset=utf-8", "html"),
    };
    let file = HeaderValue::from_str(&format!("attachment; filename=\"lanyard-session-{number}.{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, file.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, text).into_response())
}

enum Writing {
    Parts(Parts),
    Frames(Vec<Frame>),
}

impl Writing {
    fn of(format: Format, row: &SessionRow) -> Self {
        match format {
            Format::Json => Self::Frames(Vec::new()),
            Format::Md | Format::Html => Self::Parts(Parts::of(row)),
        }
    }

    fn end(self, format: Format) -> store::Result<String> {
        match self {
            Self::Frames(frames) => Ok(serde_json::to_string(&frames)?),
            Self::Parts(parts) if format == Format::Html => Ok(page::written(&parts.end())),
            Self::Parts(parts) => Ok(markdown::written(&parts.end())),
        }
    }
}
