//! Files a person would want: pictures that came in, pictures the agent sent.

use crate::{Result, Rows, Tx, values};
use domain::{ArtifactId, SessionId, Timestamp, TurnId};
use rusqlite::{Row, params};

#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    pub id: ArtifactId,
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
    pub media_type: String,
    pub caption: Option<String>,
    pub bytes: Vec<u8>,
    pub created_at: Timestamp,
}

fn artifact(row: &Row<'_>) -> Result<Artifact> {
    Ok(Artifact {
        id: values::parsed(row, 0)?,
        session: values::parsed_opt(row, 1)?,
        turn: values::parsed_opt(row, 2)?,
        media_type: row.get(3)?,
        caption: row.get(4)?,
        bytes: row.get(5)?,
        created_at: Timestamp(row.get(6)?),
    })
}

pub fn put(tx: &Tx<'_>, a: &Artifact) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO artifacts (id, session, turn, media_type, caption, bytes, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            a.id.to_string(),
            a.session.map(|id| id.to_string()),
            a.turn.map(|id| id.to_string()),
            a.media_type,
            a.caption,
            a.bytes,
            a.created_at.0
        ])?;
    Ok(())
}

pub fn get(rows: &impl Rows, id: ArtifactId) -> Result<Option<Artifact>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, session, turn, media_type, caption, bytes, created_at FROM artifacts WHERE id = ?1",
    )?;
    query.query_and_then([id.to_string()], artifact)?.next().transpose()
}

/// Id, media type and caption of what a turn made, oldest first.
pub fn of_turn(rows: &impl Rows, turn: TurnId) -> Result<Vec<(ArtifactId, String, Option<String>)>> {
    let mut query =
        rows.conn().prepare_cached("SELECT id, media_type, caption FROM artifacts WHERE turn = ?1 ORDER BY id")?;
    query.query_and_then([turn.to_string()], |row| Ok((values::parsed(row, 0)?, row.get(1)?, row.get(2)?)))?.collect()
}
