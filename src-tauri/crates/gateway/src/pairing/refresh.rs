//! From a code to tokens, and from a refresh token to the next.

use super::{ACCESS_LIFE, PhoneKey, hash};
use crate::{
    clock,
    gateway::App,
    tokens::random_name,
    wire::{Pair, Refresh, Tokens, WhoKind, You},
};
use domain::{Code, PhoneId, Problem, Timestamp, pairing::Scopes};
use std::time::Duration;
use store::phones::{self, Phone, Presented};

/// How far a signature's time may be from ours.
const CLOCKS_APART: Duration = Duration::from_secs(300);
/// Of the browser's name for itself, this much is kept.
const BROWSER: usize = 200;

/// A phone that brings the code that is shown. `address` and `browser` are for the owner to recognise it by.
///
/// # Errors
/// `PAIRING_FAILED` for a code that does not work; `BAD_REQUEST` for a name or a key that cannot be (the code stays good).
pub async fn pair(app: &App, asked: Pair, address: String, browser: &str) -> Result<Tokens, Problem> {
    let name = domain::shown::shown_line(asked.name.trim(), 60);
    if name.is_empty() || asked.name.chars().count() > 60 {
        return Err(Problem::with_detail(Code::BadRequest, "A phone's name has 1 to 60 characters."));
    }
    let key = asked.public_key.as_ref().map(PhoneKey::read).transpose();
    let key = key.map_err(|e| Problem::with_detail(Code::BadRequest, format!("{e}.")))?;
    let now = clock::now();
    if !app.callers.offers().take(&asked.code, now) {
        return Err(Code::PairingFailed.into());
    }
    let phone = Phone {
        id: PhoneId::new(),
        name,
        browser: domain::shown::shown_line(browser, BROWSER),
        address,
        public_key: key.map(|key| key.as_bytes().to_vec()),
        scopes: Scopes::ALL,
        paired_at: now,
        seen_at: now,
        revoked: None,
    };
    let refresh = new_token();
    let (kept, refresh_hash) = (phone.clone(), hash(&refresh));
    app.store.write(move |tx| phones::pair(tx, &kept, &refresh_hash)).await.map_err(crate::approvals::internal)?;
    read_again(app).await?;
    tracing::info!(phone.id = %phone.id, "a phone was paired");
    Ok(tokens(app, &phone, refresh, now))
}

/// What came of turning in a refresh token.
#[derive(Debug)]
pub enum Turned {
    Tokens(Box<Tokens>),
    /// The phone's clock is too far off; ours.
    Clock(Timestamp),
    No(Problem),
}

impl From<Problem> for Turned {
    fn from(problem: Problem) -> Self {
        Self::No(problem)
    }
}

/// Turns in a refresh token. The very same request again, while its answer was not used, gets the same answer; a token that
/// comes again in any other way revokes the phone.
pub async fn refresh(app: &App, asked: &Refresh) -> Turned {
    match turn_in(app, asked).await {
        Ok(turned) | Err(turned) => turned,
    }
}

async fn turn_in(app: &App, asked: &Refresh) -> Result<Turned, Turned> {
    let now = clock::now();
    let old = hash(&asked.refresh_token);
    let request = asked.signature.as_deref().map(hash);
    // Twice: the same request may arrive on two connections at once.
    for _ in 0..2 {
        let of = old.clone();
        let presented = app.store.read(move |r| phones::presented(r, &of)).await.map_err(store_failed)?;
        let phone = match &presented {
            Presented::Unknown => return Err(Problem::from(Code::NotPaired).into()),
            Presented::Current(phone) | Presented::Previous(phone, _) | Presented::Spent(phone) => phone.clone(),
        };
        if phone.revoked.is_some() {
            return Err(Problem::from(Code::PhoneRevoked).into());
        }
        let next = match &asked.signature {
            Some(signature) => successor(app, asked, signature),
            None => new_token(),
        };
        let (from, to, by) = (old.clone(), hash(&next), request.clone());
        let done = match presented {
            Presented::Current(_) => {
                check_signature(&phone, asked, now)?;
                app.store.write(move |tx| phones::rotate(tx, &from, &to, by.as_deref(), now)).await
            }
            Presented::Previous(_, known) if known.is_some() && known == request => {
                app.store.write(move |tx| phones::replace_lost(tx, &from, &to)).await
            }
            Presented::Previous(..) | Presented::Spent(_) | Presented::Unknown => {
                return Err(stolen(app, phone.id, now).await);
            }
        };
        if done.map_err(store_failed)? {
            return Ok(Turned::Tokens(Box::new(tokens(app, &phone, next, now))));
        }
    }
    Err(Problem::from(Code::NotPaired).into())
}

fn successor(app: &App, asked: &Refresh, signature: &str) -> String {
    format!("lanyard_r_{}", app.callers.signer().successor(&asked.refresh_token, signature))
}

fn check_signature(phone: &Phone, asked: &Refresh, now: Timestamp) -> Result<(), Turned> {
    let Some(key) = phone.public_key.clone() else { return Ok(()) };
    let (Some(at), Some(signature)) = (asked.at, &asked.signature) else {
        return Err(Problem::from(Code::SignatureWrong).into());
    };
    let message = format!("lanyard-refresh\n{at}\n{}", asked.refresh_token);
    if !PhoneKey::kept(key).signed(&message, signature) {
        return Err(Problem::from(Code::SignatureWrong).into());
    }
    if now.0.abs_diff(at) > CLOCKS_APART.as_millis() as u64 {
        return Err(Turned::Clock(now));
    }
    Ok(())
}

/// Whoever has the newer token, the phone or a thief, is shut out.
async fn stolen(app: &App, phone: PhoneId, now: Timestamp) -> Turned {
    tracing::warn!(phone.id = %phone, "a refresh token came a second time: the phone is revoked");
    let revoked = app.store.write(move |tx| phones::revoke(tx, phone, "reused", now)).await;
    if let Err(e) = revoked {
        return store_failed(e);
    }
    match read_again(app).await {
        Ok(()) => Problem::from(Code::PhoneRevoked).into(),
        Err(problem) => problem.into(),
    }
}

fn store_failed(e: store::Error) -> Turned {
    crate::approvals::internal(e).into()
}

/// After a change in the store.
pub(super) async fn read_again(app: &App) -> Result<(), Problem> {
    app.callers.read_again(&app.store).await.map_err(crate::approvals::internal)
}

fn new_token() -> String {
    format!("lanyard_r_{}", random_name::<32>())
}

fn tokens(app: &App, phone: &Phone, refresh_token: String, now: Timestamp) -> Tokens {
    Tokens {
        access_token: app.callers.signer().sign(phone.id, phone.scopes, now),
        expires_in: ACCESS_LIFE.as_secs(),
        refresh_token,
        you: You {
            kind: WhoKind::Phone,
            id: Some(phone.id.0),
            name: phone.name.clone(),
            scopes: phone.scopes.iter().map(Into::into).collect(),
        },
        now: now.0,
    }
}
