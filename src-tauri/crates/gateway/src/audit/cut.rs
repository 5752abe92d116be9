//! The audit's beginning: rows older than the owner wants kept are cut off, and a signed stub stands for them.

use super::{Kept, note, sign, verify};
use crate::{approvals::internal, clock, gateway::App};
use accounts::keychain::Account;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Code, Problem, Timestamp};
use ring::signature::{ED25519, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use store::{
    audit::{self, Head, Kind},
    facts,
};

const LOOK: Duration = Duration::from_secs(6 * 3600);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// As it stands in the database. It is believed only under the key that the keychain has.
#[derive(Serialize, Deserialize)]
struct Stub {
    /// The last row that was cut off.
    id: i64,
    /// Of that row, in Base64.
    hash: String,
    at: i64,
    signature: String,
}

fn words(head: Head, at: Timestamp) -> Vec<u8> {
    [b"lanyard audit cut ".as_slice(), &head.id.to_be_bytes(), &head.hash, &at.0.to_be_bytes()].concat()
}

/// Cuts off what is too old, now and a few times a day, until Lanyard stops.
pub async fn cut_daily(app: App) {
    let days = i64::from(app.config.written.audit.keep_days);
    if days == 0 {
        return;
    }
    loop {
        if let Err(e) = cut_older(&app, Timestamp(clock::now().0 - days * DAY_MS)).await {
            tracing::warn!(error = %e, "the audit's old rows could not be cut off; it is tried again later");
        }
        if app.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

/// Cuts off the rows from before `limit`, if the chain is whole and signed beyond them: what was tampered with stays for
/// the owner to see. Gives how many.
///
/// # Errors
/// When the keychain or the store cannot be used.
pub async fn cut_older(app: &App, limit: Timestamp) -> Result<usize, Problem> {
    let Some(last) = app.store.read(move |r| audit::last_before(r, limit)).await.map_err(internal)? else {
        return Ok(0);
    };
    sign(app).await?;
    let shown = verify(app).await?;
    if shown.broken.is_some() || shown.signed.is_none_or(|signed| signed <= last.id) {
        return Ok(0);
    }
    let secret = app.secrets.get(Account::Audit).await.map_err(|e| e.problem(Account::Audit))?;
    let Some(key) = Kept::read(&secret).and_then(|kept| kept.key()) else { return Ok(0) };
    let at = clock::now();
    let signature = STANDARD.encode(key.sign(&words(last, at)));
    let stub = Stub { id: last.id, hash: STANDARD.encode(last.hash), at: at.0, signature };
    let stub = serde_json::to_string(&stub).map_err(|e| Problem::with_detail(Code::Internal, e))?;
    let cutting = app.store.write(move |tx| {
        facts::set(tx, facts::AUDIT_STUB, &stub)?;
        audit::cut(tx, last.id)
    });
    let cut = cutting.await.map_err(internal)?;
    note(app, Kind::Cut, json!({ "through": last.id, "rows": cut })).await;
    Ok(cut)
}

/// The last row that was cut off, if the stub that says so was signed with the keychain's key. Without a key nothing of the
/// audit is vouched for, and the stub is taken as the rows are.
pub(super) async fn stub(app: &App, kept: Option<&Kept>) -> Result<Option<Head>, Problem> {
    let stub = app.store.read(|r| facts::get(r, facts::AUDIT_STUB)).await.map_err(internal)?;
    let read = || {
        let stub = serde_json::from_str::<Stub>(&stub?).ok()?;
        let head = Head { id: stub.id, hash: STANDARD.decode(&stub.hash).ok()?.try_into().ok()? };
        let Some(kept) = kept else { return Some(head) };
        let (key, signature) = (kept.key()?, STANDARD.decode(&stub.signature).ok()?);
        let signed = UnparsedPublicKey::new(&ED25519, key.public_key().as_ref());
        signed.verify(&words(head, Timestamp(stub.at)), &signature).is_ok().then_some(head)
    };
    Ok(read())
}
