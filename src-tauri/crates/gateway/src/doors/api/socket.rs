//! Opening a WebSocket: who may, and how a token comes when a browser can set no header.

use super::{
    auth::{bearer, of_token},
    guard::may_call,
    no::{Asked, No, Refusals},
};
use crate::{clock, gateway::App, pairing::Caller, stream};
use axum::{
    extract::{FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::{HeaderMap, header},
    response::Response,
};
use domain::{Code, pairing::Scope};
use futures::StreamExt;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// The subprotocol that is spoken. A browser offers it together with `lanyard.bearer.<access token>`.
const SPOKEN: &str = "lanyard.v1";
const BEARER: &str = "lanyard.bearer.";
/// What is read of one message before the connection is given up: above the largest frame, so that one that is too large can
/// be answered.
const MOST: usize = 8_000_000;

#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// The last event the client has. Without it: from now on.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// From `POST /api/ticket`; works once, for 30 seconds.
    pub ticket: Option<String>,
}

/// Opens the WebSocket. The token comes as `Authorization: Bearer`, as the subprotocol `lanyard.bearer.<token>`, or by a
/// ticket; never in the address. A frame over `frame_bytes` of `GET /api/info` is answered by `error`; one over 8 MB is not
/// read to its end, and the connection is gone without a word.
#[utoipa::path(get, path = "/ws", tag = "socket", params(From), security((), ("bearer" = [])),
    responses((status = 101, description = "The WebSocket is open; its frames are described by Frame and ClientFrame"), Refusals))]
pub async fn open(State(app): State<App>, Asked(from): Asked<From>, request: Request) -> Result<Response, No> {
    let (mut parts, _no_body) = request.into_parts();
    let caller = match parts.extensions.get::<Caller>() {
        Some(owner) => owner.clone(),
        None if foreign(&app, &parts.headers) => return Err(Code::WrongHost.into()),
        None => caller(&app, &parts.headers, from.ticket.as_deref())?,
    };
    caller.needs(Scope::Read)?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app).await;
    let upgrade = upgrade.map_err(|e| super::no::bad(e.body_text().trim_end_matches('.')))?;
    // A client that offers the token alone gets it back, or its browser would close the connection.
    let upgrade = upgrade.protocols(
        [SPOKEN.to_owned()].into_iter().chain(offered_token(&parts.headers).map(|t| format!("{BEARER}{t}"))),
    );
    Ok(upgrade.max_message_size(MOST).max_frame_size(MOST).on_upgrade(move |socket| {
        app.tasks.clone().track_future(stream::serve(app, caller, from.after, socket.split()))
    }))
}

/// A page elsewhere that opens a socket of ours: no token should ever get there, but if one did, this is the wall behind.
fn foreign(app: &App, headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| !origin.to_str().is_ok_and(|origin| may_call(app, origin)))
}

fn caller(app: &App, headers: &HeaderMap, ticket: Option<&str>) -> Result<Caller, No> {
    if let Some(token) = bearer(headers).map(str::to_owned).or_else(|| offered_token(headers)) {
        return of_token(app, &token);
    }
    let caller = ticket.and_then(|ticket| app.callers.tickets().take(ticket, clock::now())).ok_or(Code::NotPaired)?;
    // It may have been revoked since the ticket was given.
    app.callers.again(&caller).ok_or_else(|| Code::PhoneRevoked.into())
}

fn offered_token(headers: &HeaderMap) -> Option<String> {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|v| v.to_str().ok());
    let mut offers = offers.flat_map(|v| v.split(',')).map(str::trim);
    offers.find_map(|offer| offer.strip_prefix(BEARER)).map(str::to_owned)
}
