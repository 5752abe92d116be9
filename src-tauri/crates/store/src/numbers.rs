//! What is kept for each address that texts.

use crate::{Result, Rows, Tx, values};
use domain::{SessionId, Timestamp};
use rusqlite::{OptionalExtension, params};

/// The session that this address's words go to.
pub fn current(rows: &impl Rows, address: &str) -> Result<Option<SessionId>> {
    let mut query = rows.conn().prepare_cached("SELECT session FROM numbers WHERE address = ?1")?;
    Ok(query.query_and_then([address], |row| values::parsed_opt(row, 0))?.next().transpose()?.flatten())
}

pub fn set_current(tx: &Tx<'_>, address: &str, session: SessionId) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO numbers (address, session) VALUES (?1, ?2)
             ON CONFLICT (address) DO UPDATE SET session = excluded.session",
        )?
        .execute(params![address, session.to_string()])?;
    Ok(())
}

/// What is left of a long text, and what a link to all of it shows. None means that everything was sent.
pub fn set_rest(tx: &Tx<'_>, address: &str, rest: Option<&str>, shows: Option<&str>) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO numbers (address, rest, rest_shows) VALUES (?1, ?2, ?3)
             ON CONFLICT (address) DO UPDATE SET rest = excluded.rest, rest_shows = excluded.rest_shows",
        )?
        .execute(params![address, rest, shows])?;
    Ok(())
}

pub fn rest(rows: &impl Rows, address: &str) -> Result<Option<(String, Option<String>)>> {
    let mut query =
        rows.conn().prepare_cached("SELECT rest, rest_shows FROM numbers WHERE address = ?1 AND rest IS NOT NULL")?;
    Ok(query.query_row([address], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// When this address was last told that agents caused more texts than it is sent.
pub fn hushed_at(rows: &impl Rows, address: &str) -> Result<Option<Timestamp>> {
    let mut query = rows.conn().prepare_cached("SELECT hushed_at FROM numbers WHERE address = ?1")?;
    let at: Option<Option<i64>> = query.query_row([address], |row| row.get(0)).optional()?;
    Ok(at.flatten().map(Timestamp))
}

pub fn set_hushed_at(tx: &Tx<'_>, address: &str, at: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO numbers (address, hushed_at) VALUES (?1, ?2)
             ON CONFLICT (address) DO UPDATE SET hushed_at = excluded.hushed_at",
        )?
        .execute(params![address, at.0])?;
    Ok(())
}

/// Mirrors what Twilio does with STOP and START.
pub fn set_opted_out(tx: &Tx<'_>, address: &str, since: Option<Timestamp>) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO numbers (address, opted_out) VALUES (?1, ?2)
             ON CONFLICT (address) DO UPDATE SET opted_out = excluded.opted_out",
        )?
        .execute(params![address, since.map(|t| t.0)])?;
    Ok(())
}

pub fn opted_out(rows: &impl Rows, address: &str) -> Result<Option<Timestamp>> {
    let mut query = rows.conn().prepare_cached("SELECT opted_out FROM numbers WHERE address = ?1")?;
    let since: Option<Option<i64>> = query.query_row([address], |row| row.get(0)).optional()?;
    Ok(since.flatten().map(Timestamp))
}

/// Every address that opted out, and since when.
pub fn all_opted_out(rows: &impl Rows) -> Result<Vec<(String, Timestamp)>> {
    let mut query =
        rows.conn().prepare_cached("SELECT address, opted_out FROM numbers WHERE opted_out IS NOT NULL ORDER BY 1")?;
    query.query_and_then([], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?.collect()
}
