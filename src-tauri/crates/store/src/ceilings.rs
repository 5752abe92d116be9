//! What was allowed above a ceiling of spending, and which ceilings the owner was told about.

use crate::{
    Result, Rows, Tx,
    audit::{self, Kind},
};
use domain::{Timestamp, usage::Ceiling};
use rusqlite::{OptionalExtension, params};
use serde_json::json;

/// What may be spent above it, as its unit counts.
pub fn more(rows: &impl Rows, ceiling: Ceiling, scope: &str) -> Result<u64> {
    let mut query = rows.conn().prepare_cached("SELECT more FROM ceilings WHERE ceiling = ?1 AND scope = ?2")?;
    let more: Option<i64> = query.query_row(params![ceiling.to_string(), scope], |row| row.get(0)).optional()?;
    Ok(more.unwrap_or(0).max(0) as u64)
}

/// The owner allowed so much more.
pub fn raise(tx: &Tx<'_>, ceiling: Ceiling, scope: &str, more: u64, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO ceilings (ceiling, scope, more) VALUES (?1, ?2, ?3)
             ON CONFLICT (ceiling, scope) DO UPDATE SET more = more + excluded.more, told_at = NULL",
        )?
        .execute(params![ceiling.to_string(), scope, more as i64])?;
    let told = json!({ "ceiling": ceiling.to_string(), "scope": scope, "more": more });
    audit::append(tx, Kind::SpendAllowed, &told, now)
}

/// Whether the owner was told that it is near, since it was last raised.
pub fn was_told(rows: &impl Rows, ceiling: Ceiling, scope: &str) -> Result<bool> {
    let mut query = rows
        .conn()
        .prepare_cached("SELECT 1 FROM ceilings WHERE ceiling = ?1 AND scope = ?2 AND told_at IS NOT NULL")?;
    Ok(query.exists(params![ceiling.to_string(), scope])?)
}

/// Whether the owner is to be told that it is near. True once, and once more after it was raised.
pub fn tell(tx: &Tx<'_>, ceiling: Ceiling, scope: &str, now: Timestamp) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached(
            "INSERT INTO ceilings (ceiling, scope, told_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (ceiling, scope) DO UPDATE SET told_at = excluded.told_at WHERE told_at IS NULL",
        )?
        .execute(params![ceiling.to_string(), scope, now.0])?;
    Ok(changed == 1)
}
