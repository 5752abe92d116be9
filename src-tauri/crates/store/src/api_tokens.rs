//! Named tokens for scripts. The table holds their hashes.

use crate::{
    Result, Rows, Tx,
    audit::{self, Kind},
    values,
};
use domain::{ApiTokenId, Timestamp, pairing::Scopes};
use rusqlite::{Row, params};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub name: String,
    pub hash: String,
    pub scopes: Scopes,
    pub made_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

fn token(row: &Row<'_>) -> Result<ApiToken> {
    Ok(ApiToken {
        id: values::parsed(row, 0)?,
        name: row.get(1)?,
        hash: row.get(2)?,
        scopes: Scopes::read(&row.get::<_, String>(3)?),
        made_at: Timestamp(row.get(4)?),
        used_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        revoked_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}

pub fn make(tx: &Tx<'_>, t: &ApiToken) -> Result<()> {
    tx.conn()
        .prepare_cached("INSERT INTO api_tokens (id, name, hash, scopes, made_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![t.id.to_string(), t.name, t.hash, t.scopes.words(), t.made_at.0])?;
    let told = json!({ "token": t.id, "name": t.name, "scopes": t.scopes.words() });
    audit::append(tx, Kind::TokenMade, &told, t.made_at)
}

/// The newest first, revoked ones too.
pub fn all(rows: &impl Rows) -> Result<Vec<ApiToken>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, name, hash, scopes, made_at, used_at, revoked_at FROM api_tokens ORDER BY made_at DESC, id DESC",
    )?;
    query.query_and_then([], token)?.collect()
}

/// False if it was revoked before, or never was.
pub fn revoke(tx: &Tx<'_>, id: ApiTokenId, now: Timestamp) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached("UPDATE api_tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id.to_string(), now.0])?;
    if changed == 1 {
        audit::append(tx, Kind::Revoked, &json!({ "token": id }), now)?;
    }
    Ok(changed == 1)
}

pub fn used(tx: &Tx<'_>, id: ApiTokenId, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE api_tokens SET used_at = max(coalesce(used_at, 0), ?2) WHERE id = ?1")?
        .execute(params![id.to_string(), now.0])?;
    Ok(())
}
