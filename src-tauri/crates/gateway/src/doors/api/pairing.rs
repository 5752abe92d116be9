//! Pairing, tokens, tickets.

use super::{
    PairedPhone, Read,
    guard::address,
    no::{Body, No, Refusals},
};
use crate::{
    clock,
    gateway::App,
    pairing::{self, TICKET_LIFE, Turned},
    wire::{Pair, Refresh, Ticket, Tokens},
};
use axum::{
    Json,
    extract::State,
    http::{Extensions, HeaderMap, header},
};

/// Pairs a phone with the code from the QR. Ten tries a minute for an address, thirty for everyone.
#[utoipa::path(post, path = "/api/pair", tag = "pairing", request_body = Pair, security(()), responses((status = 200, body = Tokens), Refusals))]
pub async fn pair(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    Body(asked): Body<Pair>,
) -> Result<Json<Tokens>, No> {
    let address = address(&extensions);
    app.limits.pairing(address).map_err(No::wait)?;
    let browser = headers.get(header::USER_AGENT).and_then(|b| b.to_str().ok()).unwrap_or("a program without a name");
    Ok(Json(pairing::pair(&app, asked, address.to_string(), browser).await?))
}

/// Turns in a refresh token for a new access token and the next refresh token. If no answer comes, send the very same request
/// again. A token that comes a second time in any other way revokes the phone.
#[utoipa::path(post, path = "/api/token/refresh", tag = "pairing", request_body = Refresh, security(()), responses((status = 200, body = Tokens), Refusals))]
pub async fn refresh(State(app): State<App>, Body(asked): Body<Refresh>) -> Result<Json<Tokens>, No> {
    match pairing::refresh(&app, &asked).await {
        Turned::Tokens(tokens) => Ok(Json(*tokens)),
        Turned::Clock(now) => Err(No::clock(now)),
        Turned::No(problem) => Err(problem.into()),
    }
}

/// A ticket that opens one WebSocket, once, within thirty seconds.
#[utoipa::path(post, path = "/api/ticket", tag = "pairing", responses((status = 200, body = Ticket), Refusals))]
pub async fn ticket(State(app): State<App>, phone: PairedPhone<Read>) -> Result<Json<Ticket>, No> {
    let ticket = app.callers.tickets().give(phone.0, clock::now()).map_err(No::wait)?;
    Ok(Json(Ticket { ticket, expires_in: TICKET_LIFE.as_secs() }))
}
