//! Links that run out. The table holds a hash of each link's unguessable name, so that who reads it can open nothing.

use crate::{Result, Rows, Tx};
use domain::Timestamp;
use rusqlite::{OptionalExtension, params};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `media`, `answer` or `approval`.
    pub kind: String,
    /// The id of what it shows.
    pub target: String,
    pub expires_at: Timestamp,
}

/// Makes a link and clears those that ran out more than a day ago (they answered "run out" until now).
pub fn make(tx: &Tx<'_>, name_hash: &str, link: &Link, now: Timestamp) -> Result<()> {
    const DAY: i64 = 24 * 3600 * 1000;
    tx.conn().prepare_cached("DELETE FROM links WHERE expires_at < ?1")?.execute([now.0 - DAY])?;
    tx.conn()
        .prepare_cached("INSERT INTO links (name, kind, target, expires_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name_hash, link.kind, link.target, link.expires_at.0])?;
    Ok(())
}

pub fn get(rows: &impl Rows, name_hash: &str) -> Result<Option<Link>> {
    let mut query = rows.conn().prepare_cached("SELECT kind, target, expires_at FROM links WHERE name = ?1")?;
    let link = |row: &rusqlite::Row<'_>| {
        Ok(Link { kind: row.get(0)?, target: row.get(1)?, expires_at: Timestamp(row.get(2)?) })
    };
    Ok(query.query_row([name_hash], link).optional()?)
}
