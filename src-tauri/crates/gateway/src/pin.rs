//! The owner's PIN: what a yes from a phone needs from the tier of `approvals.pin_from` on. A phone that is lent, or taken while it
//! is open, grants nothing there. The keychain has a hash of it.

use crate::{approvals::internal, audit, clock, gateway::App, wire::desk::PinShown};
use accounts::keychain::{Account, KeychainError};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::{Code, Problem, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::time::Duration;
use store::{Tx, audit::Kind, facts};
use tokio::sync::Mutex;

const SHORTEST: usize = 4;
const LONGEST: usize = 64;
/// Wrong ones in a row until none is taken for a while, and after each further so many for twice as long.
const TRIES: u32 = 5;
const SHUT: Duration = Duration::from_secs(15 * 60);
const LONGEST_SHUT: Duration = Duration::from_secs(24 * 3600);

/// One try at a time.
#[derive(Default)]
pub struct Pin(Mutex<()>);

/// Wrong ones since the last right one, and until when none is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wrong {
    tries: u32,
    until: Timestamp,
}

impl Wrong {
    const NONE: Wrong = Wrong { tries: 0, until: Timestamp(0) };

    fn read(fact: Option<&str>) -> Self {
        let parts = fact.and_then(|fact| fact.split_once(' '));
        let read = parts.and_then(|(tries, until)| Some((tries.parse().ok()?, Timestamp(until.parse().ok()?))));
        read.map_or(Self::NONE, |(tries, until)| Self { tries, until })
    }

    fn fact(self) -> String {
        format!("{} {}", self.tries, self.until.0)
    }

    fn and_one(self, now: Timestamp) -> Self {
        let tries = self.tries.saturating_add(1);
        let times = tries / TRIES;
        match (tries % TRIES, times) {
            (0, 1..) => Self { tries, until: now + (SHUT * 2u32.saturating_pow(times - 1)).min(LONGEST_SHUT) },
            _ => Self { tries, ..self },
        }
    }

    fn left(self) -> u32 {
        TRIES - self.tries % TRIES
    }
}

impl Pin {
    /// Whether this is it. A try counts before it is looked at, so that none is free.
    ///
    /// # Errors
    /// `PIN_WRONG`, `PIN_LOCKED`, `PIN_MISSING`; the keychain's own.
    pub async fn check(&self, app: &App, given: &SecretString) -> Result<(), Problem> {
        let _one_at_a_time = self.0.lock().await;
        let kept = kept(app).await?.ok_or(Code::PinMissing)?;
        let now = clock::now();
        let before = app.store.read(|r| facts::get(r, facts::PIN_WRONG)).await.map_err(internal)?;
        let before = Wrong::read(before.as_deref());
        if now < before.until {
            return Err(locked(before));
        }
        let counted = before.and_one(now);
        note(app, counted).await?;
        if is(kept, given.clone()).await {
            return note(app, Wrong::NONE).await;
        }
        audit::note(app, Kind::PinRefused, json!({ "tries": counted.tries })).await;
        match counted.until > now {
            true => Err(locked(counted)),
            false => Err(Problem::from(Code::PinWrong).suggest(match counted.left() {
                1 => "One more try, then none is taken for a while.".to_owned(),
                left => format!("{left} tries are left."),
            })),
        }
    }

    /// Keeps a new one, whatever was before, and takes tries again.
    ///
    /// # Errors
    /// `BAD_REQUEST` for one that is too short or too long; the keychain's own.
    pub async fn set(&self, app: &App, new: &SecretString) -> Result<(), Problem> {
        let _one_at_a_time = self.0.lock().await;
        let trimmed = SecretString::from(new.expose_secret().trim());
        if !(SHORTEST..=LONGEST).contains(&trimmed.expose_secret().chars().count()) {
            let why = format!("A PIN has {SHORTEST} to {LONGEST} characters.");
            return Err(Problem::with_detail(Code::BadRequest, why).suggest("Choose another one."));
        }
        let hashed = tokio::task::spawn_blocking(move || {
            Argon2::default().hash_password(trimmed.expose_secret().as_bytes()).map(|hash| hash.to_string())
        });
        let hashed = hashed.await.map_err(|e| Problem::with_detail(Code::Internal, e))?;
        let hashed = SecretString::from(hashed.map_err(|e| Problem::with_detail(Code::Internal, e))?);
        app.secrets.keep(Account::Pin, &hashed).await.map_err(|e| e.problem(Account::Pin))?;
        audit::note(app, Kind::SecretChanged, json!({ "account": Account::Pin.name() })).await;
        note(app, Wrong::NONE).await
    }

    /// Forgets it: a phone grants nothing then that needs one.
    ///
    /// # Errors
    /// The keychain's own.
    pub async fn remove(&self, app: &App) -> Result<(), Problem> {
        let _one_at_a_time = self.0.lock().await;
        app.secrets.remove(Account::Pin).await.map_err(|e| e.problem(Account::Pin))?;
        audit::note(app, Kind::SecretChanged, json!({ "account": Account::Pin.name(), "removed": true })).await;
        note(app, Wrong::NONE).await
    }

    /// How it stands.
    ///
    /// # Errors
    /// The keychain's own.
    pub async fn shown(&self, app: &App) -> Result<PinShown, Problem> {
        let wrong = app.store.read(|r| facts::get(r, facts::PIN_WRONG)).await.map_err(internal)?;
        let until = Wrong::read(wrong.as_deref()).until;
        let locked_until = (until > clock::now()).then_some(until.0);
        Ok(PinShown { set: kept(app).await?.is_some(), locked_until })
    }
}

async fn kept(app: &App) -> Result<Option<SecretString>, Problem> {
    match app.secrets.get(Account::Pin).await {
        Ok(kept) => Ok(Some(kept)),
        Err(KeychainError::Missing { .. }) => Ok(None),
        Err(e) => Err(e.problem(Account::Pin)),
    }
}

async fn note(app: &App, wrong: Wrong) -> Result<(), Problem> {
    app.store.write(move |tx: &Tx<'_>| facts::set(tx, facts::PIN_WRONG, &wrong.fact())).await.map_err(internal)
}

fn locked(wrong: Wrong) -> Problem {
    Problem::from(Code::PinLocked)
        .suggest(format!("Try again after {}, or answer at the desk.", clock::told(wrong.until)))
}

/// Takes tens of milliseconds of a processor, as it shall.
async fn is(kept: SecretString, given: SecretString) -> bool {
    let look = move || {
        let hash = PasswordHash::new(kept.expose_secret()).ok()?;
        Argon2::default().verify_password(given.expose_secret().trim().as_bytes(), &hash).ok()
    };
    tokio::task::spawn_blocking(look).await.ok().flatten().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_wrong_ones_none_is_taken_for_ever_longer() {
        let (now, mut wrong) = (Timestamp(1_000_000), Wrong::NONE);
        let mut shut = Vec::new();
        for _ in 0..40 {
            let next = wrong.and_one(now);
            if next.until > wrong.until {
                shut.push((next.tries, next.until.since(now).as_secs() / 60));
            }
            wrong = Wrong { until: Timestamp(0), ..next };
        }
        assert_eq!(shut, [(5, 15), (10, 30), (15, 60), (20, 120), (25, 240), (30, 480), (35, 960), (40, 1440)]);
        assert_eq!(Wrong::read(Some(&wrong.fact())), wrong);
        assert_eq!((Wrong::NONE.and_one(now).left(), Wrong::read(Some("odd"))), (4, Wrong::NONE));
    }
}
