//! What left a sandbox, or wanted to.

use crate::{
    Result, Rows, Tx,
    audit::{self, Kind},
    values,
};
use domain::{SessionId, Timestamp};
use rusqlite::params;
use serde_json::json;

#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    pub session: Option<SessionId>,
    pub host: String,
    pub port: u16,
    pub allowed: bool,
    pub why: String,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// `id` names the decision, so that what was carried can be put beside it later.
pub fn record(tx: &Tx<'_>, id: &str, r: &Reached, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO reached (at, session, host, port, allowed, why, bytes_in, bytes_out, decision)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            now.0,
            r.session.map(|s| s.to_string()),
            r.host,
            r.port,
            r.allowed,
            r.why,
            r.bytes_in as i64,
            r.bytes_out as i64,
            id
        ])?;
    let kind = if r.allowed { Kind::HostReached } else { Kind::HostBlocked };
    audit::append(tx, kind, &json!({ "session": r.session, "host": r.host, "port": r.port, "why": r.why }), now)
}

/// What a connection carried, in bytes, once it has ended.
pub fn carried(tx: &Tx<'_>, id: &str, bytes_in: u64, bytes_out: u64) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE reached SET bytes_in = ?2, bytes_out = ?3 WHERE decision = ?1")?
        .execute(params![id, bytes_in as i64, bytes_out as i64])?;
    Ok(())
}

/// The newest first.
pub fn latest(rows: &impl Rows, limit: usize) -> Result<Vec<(Timestamp, Reached)>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT at, session, host, port, allowed, why, bytes_in, bytes_out FROM reached ORDER BY id DESC LIMIT ?1",
    )?;
    query.query_and_then([limit as i64], |row| Ok((Timestamp(row.get(0)?), reached(row)?)))?.collect()
}

/// One row by its key.
pub fn one(rows: &impl Rows, id: i64) -> Result<Option<Reached>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT at, session, host, port, allowed, why, bytes_in, bytes_out FROM reached WHERE id = ?1",
    )?;
    query.query_and_then([id], reached)?.next().transpose()
}

fn reached(row: &rusqlite::Row<'_>) -> Result<Reached> {
    let bytes = |column| row.get::<_, i64>(column).map(|n| n.max(0) as u64);
    Ok(Reached {
        session: values::parsed_opt(row, 1)?,
        host: row.get(2)?,
        port: row.get(3)?,
        allowed: row.get(4)?,
        why: row.get(5)?,
        bytes_in: bytes(6)?,
        bytes_out: bytes(7)?,
    })
}
