//! Building the sandbox image, and watching it.

use crate::{
    doors::{
        api::no::{Asked, Maybe, No},
        owners::owners,
    },
    gateway::App,
    wire::desk::{BuildImage, ImageProgress, ImageProgressState},
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{collections::VecDeque, convert::Infallible};
use tokio::sync::broadcast::{Receiver, error::RecvError};

owners! {
    post "/image/build" => build,
    get "/image/progress" => progress,
}

async fn build(
    State(app): State<App>,
    Maybe(wish): Maybe<BuildImage>,
) -> Result<(StatusCode, Json<ImageProgress>), No> {
    app.workshop.begin_build(wish.rebuild)?;
    app.looks.forget();
    Ok((StatusCode::ACCEPTED, Json(app.workshop.last_build())))
}

/// What a look wishes.
#[derive(Deserialize)]
struct Look {
    /// Only what is known now, for who cannot read an answer before its end.
    #[serde(default)]
    once: bool,
}

/// JSON lines: what a build printed last and how it is, then everything it says, until it ends.
async fn progress(State(app): State<App>, Asked(look): Asked<Look>) -> Response {
    let (so_far, said) = app.workshop.watch_build();
    let on = (!look.once).then_some(said);
    let lines = futures::stream::unfold(Watching { app, so_far: so_far.into(), on }, next);
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

struct Watching {
    app: App,
    so_far: VecDeque<ImageProgress>,
    /// None once nothing more comes.
    on: Option<Receiver<ImageProgress>>,
}

async fn next(mut watching: Watching) -> Option<(Result<Bytes, Infallible>, Watching)> {
    let said = match watching.so_far.pop_front() {
        Some(said) => said,
        None => heard(&watching.app, watching.on.as_mut()?).await?,
    };
    if said.state != ImageProgressState::Building {
        watching.on = None;
    }
    let line = Bytes::from(serde_json::to_string(&said).ok()? + "\n");
    Some((Ok(line), watching))
}

/// One that reads slowly is left out some lines, never the last.
async fn heard(app: &App, lines: &mut Receiver<ImageProgress>) -> Option<ImageProgress> {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return None,
            said = lines.recv() => match said {
                Ok(said) => return Some(said),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            },
        }
    }
}
