//! What the owner does about phones and tokens, at the desk only.

use super::{hash, refresh::read_again};
use crate::{
    clock,
    gateway::App,
    tokens::random_name,
    wire::{ApiToken, ApiTokenMade, ApiTokens, MakeApiToken, PairingShown, PhoneChange, PhoneShown, Phones},
};
use domain::{ApiTokenId, Code, PhoneId, Problem, pairing::Scopes};
use store::{api_tokens, phones};

/// The link behind the QR, with the code that works now (a new one if `fresh` is wanted).
pub fn offer(app: &App, fresh: bool) -> PairingShown {
    let (code, ends) = app.callers.offers().show(fresh, app.config.api.code_life, clock::now());
    let here = format!("http://{}", app.public_addr);
    // The public address leads here from everywhere; the local network's only from within.
    let mut links =
        app.address.url().into_iter().chain(app.lan.urls()).chain([here]).map(|base| format!("{base}/pair#c={code}"));
    PairingShown { url: links.next().unwrap_or_default(), also: links.collect(), code, expires_at: ends.0 }
}

pub async fn phones_shown(app: &App) -> Result<Phones, Problem> {
    let phones = app.store.read(|r| phones::all(r)).await.map_err(crate::approvals::internal)?;
    Ok(Phones { phones: phones.iter().map(|p| shown(app, p)).collect() })
}

fn shown(app: &App, p: &phones::Phone) -> PhoneShown {
    PhoneShown {
        id: p.id.0,
        name: p.name.clone(),
        browser: p.browser.clone(),
        address: p.address.clone(),
        scopes: p.scopes.iter().map(Into::into).collect(),
        key: p.public_key.is_some(),
        paired_at: p.paired_at.0,
        seen_at: p.seen_at.0,
        revoked_at: p.revoked.as_ref().map(|(at, _)| at.0),
        revoked_why: p.revoked.as_ref().map(|(_, why)| why.clone()),
        connected: app.callers.connected(p.id),
    }
}

/// # Errors
/// `NOT_FOUND`; `BAD_REQUEST` for a name that cannot be.
pub async fn change(app: &App, id: PhoneId, change: PhoneChange) -> Result<PhoneShown, Problem> {
    let name = change.name.map(|name| name_of(&name)).transpose()?;
    let scopes = change.scopes.map(|words| words.into_iter().map(Into::into).collect::<Scopes>());
    let phone = app.store.write(move |tx| phones::change(tx, id, name.as_deref(), scopes, clock::now())).await;
    let phone = phone.map_err(missing)?;
    read_again(app).await?;
    Ok(shown(app, &phone))
}

/// Its tokens open nothing any more and its open sockets close at once.
///
/// # Errors
/// `NOT_FOUND` if there is no such phone; revoking twice is fine.
pub async fn revoke(app: &App, id: PhoneId) -> Result<PhoneShown, Problem> {
    revoke_for(app, id, "owner").await
}

/// "This was not me", said of a phone that just paired.
///
/// # Errors
/// As [`revoke`].
pub async fn not_me(app: &App, id: PhoneId) -> Result<PhoneShown, Problem> {
    tracing::warn!(phone.id = %id, "the owner did not pair this phone");
    // Whoever read the last code may be waiting for the next one.
    app.callers.offers().show(true, app.config.api.code_life, clock::now());
    revoke_for(app, id, "not me").await
}

async fn revoke_for(app: &App, id: PhoneId, why: &'static str) -> Result<PhoneShown, Problem> {
    let now = clock::now();
    let phone = app
        .store
        .write(move |tx| {
            phones::revoke(tx, id, why, now)?;
            phones::get(tx, id)?.ok_or(store::Error::Missing)
        })
        .await
        .map_err(missing)?;
    read_again(app).await?;
    Ok(shown(app, &phone))
}

/// # Errors
/// `BAD_REQUEST` for a name that cannot be.
pub async fn make_token(app: &App, make: MakeApiToken) -> Result<ApiTokenMade, Problem> {
    let secret = format!("lanyard_t_{}", random_name::<32>());
    let token = api_tokens::ApiToken {
        id: ApiTokenId::new(),
        name: name_of(&make.name)?,
        hash: hash(&secret),
        scopes: make.scopes.into_iter().map(Into::into).collect(),
        made_at: clock::now(),
        used_at: None,
        revoked_at: None,
    };
    let kept = token.clone();
    app.store.write(move |tx| api_tokens::make(tx, &kept)).await.map_err(crate::approvals::internal)?;
    read_again(app).await?;
    Ok(ApiTokenMade { token: secret, made: token_shown(&token) })
}

pub async fn tokens_shown(app: &App) -> Result<ApiTokens, Problem> {
    let tokens = app.store.read(|r| api_tokens::all(r)).await.map_err(crate::approvals::internal)?;
    Ok(ApiTokens { tokens: tokens.iter().map(token_shown).collect() })
}

/// # Errors
/// `NOT_FOUND` if there is none that still works.
pub async fn revoke_token(app: &App, id: ApiTokenId) -> Result<(), Problem> {
    let now = clock::now();
    let revoked =
        app.store.write(move |tx| api_tokens::revoke(tx, id, now)).await.map_err(crate::approvals::internal)?;
    read_again(app).await?;
    if revoked { Ok(()) } else { Err(Code::NotFound.into()) }
}

fn token_shown(t: &api_tokens::ApiToken) -> ApiToken {
    ApiToken {
        id: t.id.0,
        name: t.name.clone(),
        scopes: t.scopes.iter().map(Into::into).collect(),
        made_at: t.made_at.0,
        used_at: t.used_at.map(|at| at.0),
        revoked_at: t.revoked_at.map(|at| at.0),
    }
}

fn name_of(name: &str) -> Result<String, Problem> {
    let name = domain::shown::shown_line(name.trim(), 60);
    match name.is_empty() {
        true => Err(Problem::with_detail(Code::BadRequest, "A name has 1 to 60 characters.")),
        false => Ok(name),
    }
}

fn missing(e: store::Error) -> Problem {
    match e {
        store::Error::Missing => Code::NotFound.into(),
        e => crate::approvals::internal(e),
    }
}
