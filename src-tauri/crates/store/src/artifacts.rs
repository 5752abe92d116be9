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

/// What is known of an artifact without its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    pub id: ArtifactId,
    pub media_type: String,
    pub caption: Option<String>,
    pub bytes: u64,
    pub created_at: Timestamp,
}

/// A session's artifacts, oldest first; of one turn alone if it is named.
pub fn outlines(rows: &impl Rows, session: SessionId, turn: Option<TurnId>, limit: usize) -> Result<Vec<Outline>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, media_type, caption, length(bytes), created_at FROM artifacts
         WHERE session = ?1 AND (?2 IS NULL OR turn = ?2) ORDER BY created_at, id LIMIT ?3",
    )?;
    let outline = |row: &Row<'_>| {
        Ok(Outline {
            id: values::parsed(row, 0)?,
            media_type: row.get(1)?,
            caption: row.get(2)?,
            bytes: row.get::<_, i64>(3)?.max(0) as u64,
            created_at: Timestamp(row.get(4)?),
        })
    };
    query.query_and_then(params![session.to_string(), turn.map(|t| t.to_string()), limit as i64], outline)?.collect()
}
