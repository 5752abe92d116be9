//! Requests and how they ended.

use crate::{Result, Rows, Tx, values};
use domain::{SessionId, Timestamp, TurnId, event::Outcome};
use rusqlite::params;

pub fn begin(tx: &Tx<'_>, turn: TurnId, session: SessionId, now: Timestamp) -> Result<()> {
    tx.conn().prepare_cached("INSERT INTO turns (id, session, started_at) VALUES (?1, ?2, ?3)")?.execute(params![
        turn.to_string(),
        session.to_string(),
        now.0
    ])?;
    Ok(())
}

pub fn end(tx: &Tx<'_>, turn: TurnId, outcome: Outcome, duration_ms: u64, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "UPDATE turns SET ended_at = ?2, outcome = ?3, duration_ms = ?4 WHERE id = ?1 AND ended_at IS NULL",
        )?
        .execute(params![turn.to_string(), now.0, values::word(&outcome)?, duration_ms as i64])?;
    Ok(())
}

/// Turns that were never closed: what a crash left.
pub fn left_open(rows: &impl Rows) -> Result<Vec<(TurnId, SessionId, Timestamp)>> {
    let mut query = rows
        .conn()
        .prepare_cached("SELECT id, session, started_at FROM turns WHERE ended_at IS NULL ORDER BY started_at")?;
    query
        .query_and_then([], |row| Ok((values::parsed(row, 0)?, values::parsed(row, 1)?, Timestamp(row.get(2)?))))?
        .collect()
}

/// The session's newest.
pub fn newest(rows: &impl Rows, session: SessionId) -> Result<Option<TurnId>> {
    let mut query = rows
        .conn()
        .prepare_cached("SELECT id FROM turns WHERE session = ?1 ORDER BY started_at DESC, id DESC LIMIT 1")?;
    query.query_and_then([session.to_string()], |row| values::parsed(row, 0))?.next().transpose()
}

/// How it ended, if it has.
pub fn outcome(rows: &impl Rows, turn: TurnId) -> Result<Option<Outcome>> {
    let mut query = rows.conn().prepare_cached("SELECT outcome FROM turns WHERE id = ?1 AND outcome IS NOT NULL")?;
    query.query_and_then([turn.to_string()], |row| values::from_word(row, 0))?.next().transpose()
}
