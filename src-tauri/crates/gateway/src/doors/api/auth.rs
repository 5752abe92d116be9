//! Who calls, as a value that handlers require: there is no way to a handler's work without it.

use super::no::No;
use crate::{
    clock,
    gateway::App,
    pairing::{Caller, Who},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use domain::{Code, pairing::Scope};
use std::marker::PhantomData;

/// A caller who may do `S`.
pub struct PairedPhone<S>(pub Caller, PhantomData<S>);

/// What a route needs its caller to be allowed.
pub trait Needs: Send + Sync {
    const SCOPE: Scope;
}

pub struct Read;
pub struct Chat;
pub struct Approve;
pub struct Tasks;

impl Needs for Read {
    const SCOPE: Scope = Scope::Read;
}

impl Needs for Chat {
    const SCOPE: Scope = Scope::Chat;
}

impl Needs for Approve {
    const SCOPE: Scope = Scope::Approve;
}

impl Needs for Tasks {
    const SCOPE: Scope = Scope::Tasks;
}

impl<S: Needs> FromRequestParts<App> for PairedPhone<S> {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, No> {
        let caller = caller(app, parts)?;
        caller.needs(S::SCOPE)?;
        Ok(Self(caller, PhantomData))
    }
}

/// The owner on the local door, else whose token the request brings.
pub fn caller(app: &App, parts: &Parts) -> Result<Caller, No> {
    // Only the local door's router puts it there.
    if let Some(owner) = parts.extensions.get::<Caller>() {
        return Ok(owner.clone());
    }
    let token = bearer(&parts.headers).ok_or(Code::NotPaired)?;
    of_token(app, token)
}

/// Whose `token` it is, if that one does not come too often.
pub fn of_token(app: &App, token: &str) -> Result<Caller, No> {
    let now = clock::now();
    let caller = app.callers.of_token(token, now)?;
    if let Some(id) = caller.id() {
        app.limits.caller(id).map_err(No::wait)?;
    }
    if let Who::Token(id) = caller.who
        && app.callers.note_use(id, now)
    {
        let app = app.clone();
        app.tasks.clone().spawn(async move {
            if let Err(e) = app.store.write(move |tx| store::api_tokens::used(tx, id, now)).await {
                tracing::warn!(error = ?e, "a token's use was not written down");
            }
        });
    }
    Ok(caller)
}

/// `Authorization: Bearer <token>`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
