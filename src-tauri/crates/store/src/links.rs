//! Links that run out: what each shows and until when. The proof in a link is not here.

use crate::{Result, Rows, Tx};
use domain::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: i64,
    /// A kind and an id, as in `answer:<turn>`.
    pub shows: String,
    pub expires_at: Timestamp,
}

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link { id: row.get(0)?, shows: row.get(1)?, expires_at: Timestamp(row.get(2)?) })
}

/// The link to what `shows` says that lives until `at_least` or longer; else a new one until `expires_at`. Those that ran out
/// more than a day ago are cleared (they answered "run out" until now), unless a letter that has not left carries one.
pub fn make(tx: &Tx<'_>, shows: &str, at_least: Timestamp, expires_at: Timestamp, now: Timestamp) -> Result<Link> {
    const DAY: i64 = 24 * 3600 * 1000;
    let known = tx
        .conn()
        .prepare_cached(
            "SELECT id, shows, expires_at FROM links WHERE shows = ?1 AND expires_at >= ?2 ORDER BY expires_at DESC LIMIT 1",
        )?
        .query_row(params![shows, at_least.0], link)
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    tx.conn()
        .prepare_cached(
            "DELETE FROM links WHERE expires_at < ?1 AND NOT EXISTS
                 (SELECT 1 FROM outbox o WHERE o.link = links.id AND o.state IN ('due', 'sending'))",
        )?
        .execute([now.0 - DAY])?;
    let made = tx
        .conn()
        .prepare_cached("INSERT INTO links (shows, expires_at) VALUES (?1, ?2) RETURNING id, shows, expires_at")?
        .query_row(params![shows, expires_at.0], link)?;
    Ok(made)
}

pub fn get(rows: &impl Rows, id: i64) -> Result<Option<Link>> {
    let mut query = rows.conn().prepare_cached("SELECT id, shows, expires_at FROM links WHERE id = ?1")?;
    Ok(query.query_row([id], link).optional()?)
}
