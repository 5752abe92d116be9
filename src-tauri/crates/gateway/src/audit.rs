//! The audit's end, signed and kept where the database is not: so that rows cut off or written anew are seen.

mod cut;

pub use cut::{cut_daily, cut_older};

use crate::{
    approvals::internal,
    clock,
    gateway::App,
    wire::desk::{AuditBroken, AuditShown},
};
use accounts::keychain::Account;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Code, Problem};
use ring::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::{
    Tx,
    audit::{self, Broken, Head, Kind},
    facts,
};

/// Rows come in bursts; one signature is for all of a burst. What was written within this before a crash is chained, not signed.
const GATHERS: Duration = Duration::from_secs(2);

/// What the keychain keeps: the key, and how far it has signed. A copy of the database of yesterday is older than this.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// Ed25519, PKCS #8 in Base64.
    key: String,
    id: i64,
    /// Of that row, in Base64.
    hash: String,
}

impl Kept {
    fn head(&self) -> Option<Head> {
        let hash = STANDARD.decode(&self.hash).ok()?.try_into().ok()?;
        Some(Head { id: self.id, hash })
    }

    fn key(&self) -> Option<Ed25519KeyPair> {
        Ed25519KeyPair::from_pkcs8(&STANDARD.decode(&self.key).ok()?).ok()
    }

    fn read(secret: &SecretString) -> Option<Self> {
        serde_json::from_str(secret.expose_secret()).ok()
    }

    fn secret(&self) -> SecretString {
        SecretString::from(serde_json::to_string(self).unwrap_or_default())
    }

    /// Nothing is signed yet.
    fn new() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("the system gives random bytes");
        Self { key: STANDARD.encode(key), id: 0, hash: STANDARD.encode(audit::START) }
    }
}

/// A signed end, as it stands in the database for whoever has the public key.
#[derive(Serialize, Deserialize)]
struct Signed {
    id: i64,
    hash: String,
    public: String,
    signature: String,
}

fn words(head: Head) -> Vec<u8> {
    [b"lanyard audit ".as_slice(), &head.id.to_be_bytes(), &head.hash].concat()
}

/// Signs the end whenever it moved, until Lanyard stops, and once more then.
pub async fn keep_signed(app: App) {
    let mut rows = app.store.bells().audit.subscribe();
    let mut failed = false;
    loop {
        rows.mark_unchanged();
        failed = sign_or_say(&app, failed).await;
        tokio::select! {
            () = app.stop.cancelled() => break,
            _ = rows.changed() => {}
        }
        if app.stop.run_until_cancelled(tokio::time::sleep(GATHERS)).await.is_none() {
            break;
        }
    }
    sign_or_say(&app, failed).await;
}

/// Whether it failed; said once, for where there is no keychain each try fails.
async fn sign_or_say(app: &App, failed_before: bool) -> bool {
    match sign(app).await {
        Ok(()) => false,
        Err(e) => {
            if !failed_before {
                tracing::warn!(error = %e, "the audit's end cannot be signed; it is tried again with each new row");
            }
            true
        }
    }
}

/// # Errors
/// When the keychain or the store cannot be used. A chain that is shorter than what was signed is left as it is, for
/// [`verify`] to tell.
pub async fn sign(app: &App) -> Result<(), Problem> {
    let secret = app.secrets.get_or_make(Account::Audit, || Kept::new().secret()).await;
    let kept = Kept::read(&secret).ok_or_else(unreadable)?;
    let (signed, key) = kept.head().zip(kept.key()).ok_or_else(unreadable)?;
    let known =
        app.store.read(move |r| Ok((audit::head(r)?, audit::hash_of(r, signed.id)?))).await.map_err(internal)?;
    let (head, of_signed) = known;
    let is_whole = signed.id == 0 || of_signed == Some(signed.hash);
    if head.id <= signed.id || !is_whole {
        return Ok(());
    }
    let hash = STANDARD.encode(head.hash);
    let told = Signed {
        id: head.id,
        hash: hash.clone(),
        public: STANDARD.encode(key.public_key().as_ref()),
        signature: STANDARD.encode(key.sign(&words(head))),
    };
    let told = serde_json::to_string(&told).map_err(|e| Problem::with_detail(Code::Internal, e))?;
    app.store.write(move |tx| facts::set(tx, facts::AUDIT_HEAD, &told)).await.map_err(internal)?;
    let next = Kept { id: head.id, hash, ..kept };
    app.secrets.keep(Account::Audit, &next.secret()).await.map(drop).map_err(|e| e.problem(Account::Audit))
}

fn unreadable() -> Problem {
    Problem::with_detail(Code::KeychainUnavailable, "The audit's key in the keychain cannot be read.")
        .suggest("Take the entry named audit away; a new chain of signatures begins.")
}

/// Whether every row stands as it was written, and none is gone.
///
/// # Errors
/// When the keychain or the store cannot be read.
pub async fn verify(app: &App) -> Result<AuditShown, Problem> {
    let secret = app.secrets.look(Account::Audit).await.ok().and_then(|kept| Kept::read(&kept.value));
    let signed = secret.as_ref().and_then(Kept::head);
    let cut = cut::stub(app, secret.as_ref()).await?;
    let read = app.store.read(move |r| {
        let walked = audit::walk(r, cut.unwrap_or(Head::START))?;
        let of_signed = signed.map(|s| audit::hash_of(r, s.id)).transpose()?.flatten();
        Ok((walked, audit::head(r)?, of_signed, facts::get(r, facts::AUDIT_HEAD)?))
    });
    let (walked, end, of_signed, told) = read.await.map_err(internal)?;
    let broken = match (walked, signed) {
        (Err(broken), _) => Some(of_chain(broken)),
        (Ok(end), Some(signed)) if signed.id > end.id => Some(AuditBroken {
            from: end.id + 1,
            to: signed.id,
            says: format!("{} cut off at the end.", rows_were(end.id + 1, signed.id)),
        }),
        (Ok(_), Some(signed)) if signed.id > 0 && of_signed != Some(signed.hash) => Some(AuditBroken {
            from: 1,
            to: signed.id,
            says: format!("The chain was written anew: row {} is not the one that was signed.", signed.id),
        }),
        (Ok(_), _) => None,
    };
    let is_told = told.and_then(|told| serde_json::from_str::<Signed>(&told).ok()).is_some_and(|told| vouches(&told));
    let cut = cut.map(|cut| cut.id);
    Ok(AuditShown { rows: end.id, signed: signed.map(|s| s.id).filter(|_| is_told), cut, broken })
}

fn of_chain(broken: Broken) -> AuditBroken {
    match broken {
        Broken::Missing(from, to) => AuditBroken { from, to, says: format!("{} taken out.", rows_were(from, to)) },
        Broken::Changed(row) => {
            AuditBroken { from: row, to: row, says: format!("Row {row} is not as it was written, or was put in.") }
        }
    }
}

fn rows_were(from: i64, to: i64) -> String {
    if from == to { format!("Row {from} was") } else { format!("Rows {from} to {to} were") }
}

fn vouches(told: &Signed) -> bool {
    let parts = (STANDARD.decode(&told.hash), STANDARD.decode(&told.public), STANDARD.decode(&told.signature));
    let (Ok(hash), Ok(public), Ok(signature)) = parts else { return false };
    let Ok(hash) = hash.try_into() else { return false };
    UnparsedPublicKey::new(&ED25519, public).verify(&words(Head { id: told.id, hash }), &signature).is_ok()
}

/// Writes a fact that stands in no other row.
pub async fn note(app: &App, kind: Kind, body: serde_json::Value) {
    let written = app.store.write(move |tx| audit::append(tx, kind, &body, clock::now())).await;
    if let Err(e) = written {
        tracing::error!(error = ?e, kind = kind.as_str(), "a fact could not be written into the audit");
    }
}

/// This version runs for the first time.
pub fn version(tx: &Tx<'_>, now: domain::Timestamp) -> store::Result<()> {
    let (this, last) = (env!("CARGO_PKG_VERSION"), facts::get(tx, facts::VERSION)?);
    match last.as_deref() {
        Some(last) if last == this => return Ok(()),
        Some(last) => audit::append(tx, Kind::UpdateInstalled, &serde_json::json!({ "from": last, "to": this }), now)?,
        None => {}
    }
    facts::set(tx, facts::VERSION, this)
}
