//! Sessions that wait for the provider's limit to be over.

use crate::{Result, Rows, Tx, values};
use domain::{SessionId, Timestamp, TurnId};
use rusqlite::params;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parked {
    pub session: SessionId,
    pub turn: TurnId,
    pub until: Timestamp,
}

/// True where that is news: another turn than before, or another time.
pub fn park(tx: &Tx<'_>, parked: &Parked) -> Result<bool> {
    let Parked { session, turn, until } = parked;
    let changed = tx
        .conn()
        .prepare_cached(
            "INSERT INTO parked (session, turn, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (session) DO UPDATE SET turn = excluded.turn, until = excluded.until
             WHERE turn != excluded.turn OR until != excluded.until",
        )?
        .execute(params![session.to_string(), turn.to_string(), until.0])?;
    Ok(changed == 1)
}

/// All, the first that is due first.
pub fn all(rows: &impl Rows) -> Result<Vec<Parked>> {
    let mut query = rows.conn().prepare_cached("SELECT session, turn, until FROM parked ORDER BY until")?;
    let parked = |row: &rusqlite::Row<'_>| {
        Ok(Parked { session: values::parsed(row, 0)?, turn: values::parsed(row, 1)?, until: Timestamp(row.get(2)?) })
    };
    query.query_and_then([], parked)?.collect()
}

/// Whether the turn is what a session waits with.
pub fn waits(rows: &impl Rows, turn: TurnId) -> Result<bool> {
    Ok(rows.conn().prepare_cached("SELECT 1 FROM parked WHERE turn = ?1")?.exists([turn.to_string()])?)
}

/// It does not wait any more. False if it did not.
pub fn take(tx: &Tx<'_>, session: SessionId) -> Result<bool> {
    Ok(tx.conn().prepare_cached("DELETE FROM parked WHERE session = ?1")?.execute([session.to_string()])? == 1)
}
