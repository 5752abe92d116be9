//! Paired devices, and the refresh tokens that keep them paired. Tokens come here as hashes only.

use crate::{
    Error, Result, Rows, Tx,
    audit::{self, Kind},
    values,
};
use domain::{PhoneId, Timestamp, pairing::Scopes};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    pub id: PhoneId,
    pub name: String,
    pub browser: String,
    pub address: String,
    /// P-256, uncompressed point.
    pub public_key: Option<Vec<u8>>,
    pub scopes: Scopes,
    pub paired_at: Timestamp,
    pub seen_at: Timestamp,
    pub revoked: Option<(Timestamp, String)>,
}

const COLUMNS: &str = "id, name, browser, address, public_key, scopes, paired_at, seen_at, revoked_at, revoked_why";

fn phone(row: &Row<'_>) -> Result<Phone> {
    let (at, why): (Option<i64>, Option<String>) = (row.get(8)?, row.get(9)?);
    Ok(Phone {
        id: values::parsed(row, 0)?,
        name: row.get(1)?,
        browser: row.get(2)?,
        address: row.get(3)?,
        public_key: row.get(4)?,
        scopes: Scopes::read(&row.get::<_, String>(5)?),
        paired_at: Timestamp(row.get(6)?),
        seen_at: Timestamp(row.get(7)?),
        revoked: at.map(|at| (Timestamp(at), why.unwrap_or_default())),
    })
}

/// Writes down a phone that just paired, with the hash of its first refresh token.
pub fn pair(tx: &Tx<'_>, p: &Phone, refresh: &str) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO phones (id, name, browser, address, public_key, scopes, refresh, paired_at, seen_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        )?
        .execute(params![
            p.id.to_string(),
            p.name,
            p.browser,
            p.address,
            p.public_key,
            p.scopes.words(),
            refresh,
            p.paired_at.0
        ])?;
    let told = json!({ "phone": p.id, "name": p.name, "address": p.address, "scopes": p.scopes.words() });
    audit::append(tx, Kind::Paired, &told, p.paired_at)
}

/// All of them, the newest first, revoked ones too.
pub fn all(rows: &impl Rows) -> Result<Vec<Phone>> {
    let mut query =
        rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM phones ORDER BY paired_at DESC, id DESC"))?;
    query.query_and_then([], phone)?.collect()
}

pub fn get(rows: &impl Rows, id: PhoneId) -> Result<Option<Phone>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM phones WHERE id = ?1"))?;
    query.query_and_then([id.to_string()], phone)?.next().transpose()
}

/// Whose refresh token a hash is, and whether it still works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    Current(Phone),
    /// The one before the current, and the hash of the signature that turned it in.
    Previous(Phone, Option<String>),
    /// An older one.
    Spent(Phone),
    Unknown,
}

pub fn presented(rows: &impl Rows, hash: &str) -> Result<Presented> {
    let by = |condition: &str| -> Result<Option<Phone>> {
        let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM phones WHERE {condition}"))?;
        query.query_and_then([hash], phone)?.next().transpose()
    };
    if let Some(phone) = by("refresh = ?1")? {
        return Ok(Presented::Current(phone));
    }
    let Some(phone) = by("id = (SELECT phone FROM refresh_spent WHERE hash = ?1)")? else {
        return Ok(Presented::Unknown);
    };
    let mut query = rows.conn().prepare_cached("SELECT last_request FROM phones WHERE id = ?1 AND previous = ?2")?;
    let previous: Option<Option<String>> =
        query.query_row(params![phone.id.to_string(), hash], |row| row.get(0)).optional()?;
    Ok(match previous {
        Some(request) => Presented::Previous(phone, request),
        None => Presented::Spent(phone),
    })
}

/// Turns the token `old` in for `new` (hashes). `request` is the hash of the signature that asked for it. False if `old`
/// does not work any more: another was quicker.
pub fn rotate(tx: &Tx<'_>, old: &str, new: &str, request: Option<&str>, now: Timestamp) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached(
            "UPDATE phones SET refresh = ?2, previous = ?1, last_request = ?3, seen_at = ?4
             WHERE refresh = ?1 AND revoked_at IS NULL",
        )?
        .execute(params![old, new, request, now.0])?;
    if changed == 1 {
        tx.conn()
            .prepare_cached(
                "INSERT INTO refresh_spent (hash, phone, at) SELECT ?1, id, ?3 FROM phones WHERE refresh = ?2",
            )?
            .execute(params![old, new, now.0])?;
        let phone: String =
            tx.conn().prepare_cached("SELECT id FROM phones WHERE refresh = ?1")?.query_row([new], |row| row.get(0))?;
        audit::append(tx, Kind::TokenRefreshed, &json!({ "phone": phone }), now)?;
    }
    Ok(changed == 1)
}

/// The answer to the turning in of `previous` got lost: `new` takes the place of the token that nobody has.
pub fn replace_lost(tx: &Tx<'_>, previous: &str, new: &str) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached("UPDATE phones SET refresh = ?2 WHERE previous = ?1 AND revoked_at IS NULL")?
        .execute(params![previous, new])?;
    Ok(changed == 1)
}

/// False if it was revoked before, or never was.
pub fn revoke(tx: &Tx<'_>, id: PhoneId, why: &str, now: Timestamp) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached("UPDATE phones SET revoked_at = ?2, revoked_why = ?3 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id.to_string(), now.0, why])?;
    if changed == 1 {
        audit::append(tx, Kind::Revoked, &json!({ "phone": id, "why": why }), now)?;
    }
    Ok(changed == 1)
}

/// Changes what is given. An unknown phone is [`Error::Missing`].
pub fn change(tx: &Tx<'_>, id: PhoneId, name: Option<&str>, scopes: Option<Scopes>, now: Timestamp) -> Result<Phone> {
    tx.conn()
        .prepare_cached("UPDATE phones SET name = coalesce(?2, name), scopes = coalesce(?3, scopes) WHERE id = ?1")?
        .execute(params![id.to_string(), name, scopes.map(Scopes::words)])?;
    let phone = get(tx, id)?.ok_or(Error::Missing)?;
    if scopes.is_some() {
        audit::append(tx, Kind::ScopesChanged, &json!({ "phone": id, "scopes": phone.scopes.words() }), now)?;
    }
    Ok(phone)
}

pub fn seen(tx: &Tx<'_>, id: PhoneId, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE phones SET seen_at = max(seen_at, ?2) WHERE id = ?1")?
        .execute(params![id.to_string(), now.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    fn phone() -> Phone {
        Phone {
            id: PhoneId::new(),
            name: "Ada's phone".into(),
            browser: "Safari".into(),
            address: "192.0.2.1".into(),
            public_key: Some(vec![4; 65]),
            scopes: Scopes::ALL,
            paired_at: Timestamp(1),
            seen_at: Timestamp(1),
            revoked: None,
        }
    }

    #[tokio::test]
    async fn a_refresh_token_works_once_and_is_known_when_it_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let kept = phone();
        let new = kept.clone();
        store.write(move |tx| pair(tx, &new, "a")).await.unwrap();
        assert_eq!(store.read(|r| presented(r, "a")).await.unwrap(), Presented::Current(kept.clone()));
        let turned = |old: &'static str, new: &'static str| {
            store.write(move |tx| rotate(tx, old, new, Some("signed"), Timestamp(2)))
        };
        assert!(turned("a", "b").await.unwrap());
        assert!(!turned("a", "c").await.unwrap(), "once");
        let Presented::Previous(_, request) = store.read(|r| presented(r, "a")).await.unwrap() else { panic!() };
        assert_eq!(request.as_deref(), Some("signed"));
        assert!(turned("b", "c").await.unwrap());
        assert!(matches!(store.read(|r| presented(r, "a")).await.unwrap(), Presented::Spent(_)));
        assert_eq!(store.read(|r| presented(r, "x")).await.unwrap(), Presented::Unknown);
        assert!(store.write(move |tx| revoke(tx, kept.id, "reused", Timestamp(3))).await.unwrap());
        assert!(!turned("c", "d").await.unwrap(), "a revoked phone stays out");
    }
}
