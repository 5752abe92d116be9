//! Durable facts about sessions, in the order they were written.

use crate::{Result, Rows, Tx, values};
use domain::{SessionId, Timestamp, event::Event};
use rusqlite::{Row, params};

/// A fact with its number and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub seq: i64,
    pub session: SessionId,
    pub at: Timestamp,
    pub event: Event,
}

fn stored(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        seq: row.get(0)?,
        session: values::parsed(row, 1)?,
        at: Timestamp(row.get(2)?),
        event: values::json(row, 3)?,
    })
}

/// Writes a fact down and gives its number.
pub fn append(tx: &Tx<'_>, session: SessionId, event: &Event, now: Timestamp) -> Result<i64> {
    let seq = tx
        .conn()
        .prepare_cached("INSERT INTO events (session, at, body) VALUES (?1, ?2, ?3) RETURNING seq")?
        .query_row(params![session.to_string(), now.0, serde_json::to_string(event)?], |row| row.get(0))?;
    tx.ring_events(seq);
    Ok(seq)
}

/// Facts of every session after a client's cursor, oldest first.
pub fn after(rows: &impl Rows, cursor: i64, limit: usize) -> Result<Vec<Stored>> {
    let mut query =
        rows.conn().prepare_cached("SELECT seq, session, at, body FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    query.query_and_then(params![cursor, limit as i64], stored)?.collect()
}

/// As [`after`], and no more than about `bytes` of them: what one reader may hold at once.
pub fn some_after(rows: &impl Rows, cursor: i64, limit: usize, bytes: usize) -> Result<Vec<Stored>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT seq, session, at, body, length(body) FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut found = Vec::new();
    let mut held = 0;
    let mut rows = query.query(params![cursor, limit as i64])?;
    while held < bytes as i64
        && let Some(row) = rows.next()?
    {
        held += row.get::<_, i64>(4)?;
        found.push(stored(row)?);
    }
    Ok(found)
}

/// Facts of one session before a cursor, oldest first: the `limit` newest of them.
pub fn of_session_before(rows: &impl Rows, session: SessionId, cursor: i64, limit: usize) -> Result<Vec<Stored>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT seq, session, at, body FROM events WHERE session = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
    )?;
    let found = query.query_and_then(params![session.to_string(), cursor, limit as i64], stored)?;
    let mut found = found.collect::<Result<Vec<_>>>()?;
    found.reverse();
    Ok(found)
}

/// Facts of one session after a cursor, oldest first.
pub fn of_session(rows: &impl Rows, session: SessionId, cursor: i64, limit: usize) -> Result<Vec<Stored>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT seq, session, at, body FROM events WHERE session = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    query.query_and_then(params![session.to_string(), cursor, limit as i64], stored)?.collect()
}

/// One fact by its number.
pub fn one(rows: &impl Rows, seq: i64) -> Result<Option<Stored>> {
    let mut query = rows.conn().prepare_cached("SELECT seq, session, at, body FROM events WHERE seq = ?1")?;
    query.query_and_then([seq], stored)?.next().transpose()
}

/// Whose fact it is; none if there is no such.
pub fn session_of(rows: &impl Rows, seq: i64) -> Result<Option<SessionId>> {
    let mut query = rows.conn().prepare_cached("SELECT session FROM events WHERE seq = ?1")?;
    query.query_and_then([seq], |row| values::parsed(row, 0))?.next().transpose()
}

/// The number of the newest fact; 0 if there is none.
pub fn last(rows: &impl Rows) -> Result<i64> {
    Ok(rows.conn().prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?.query_row([], |row| row.get(0))?)
}

/// What one turn wrote, from its beginning to its end, oldest first.
pub fn of_turn(rows: &impl Rows, turn: domain::TurnId) -> Result<Vec<Stored>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT seq, session, at, body FROM events
         WHERE session = (SELECT session FROM turns WHERE id = ?1) AND json_extract(body, '$.turn') = ?1 ORDER BY seq",
    )?;
    query.query_and_then([turn.to_string()], stored)?.collect()
}
