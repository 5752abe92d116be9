//! Threads of work.

use crate::{Result, Rows, Tx, values};
use domain::{PermissionMode, SessionId, Timestamp, task::TaskId};
use rusqlite::{Row, params};

#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    pub id: SessionId,
    /// What a person types to name it.
    pub number: u32,
    pub agent: String,
    pub title: String,
    pub mode: PermissionMode,
    pub agent_session: Option<String>,
    /// None: the config's.
    pub model: Option<String>,
    pub open: bool,
    pub created_at: Timestamp,
    pub last_at: Timestamp,
    /// The task it is of; its sandbox is that task's.
    pub task: Option<TaskId>,
}

pub(crate) const COLUMNS: &str =
    "id, number, agent, title, mode, agent_session, open, created_at, last_at, model, task";

pub(crate) fn session(row: &Row<'_>) -> Result<SessionRow> {
    Ok(SessionRow {
        id: values::parsed(row, 0)?,
        number: row.get(1)?,
        agent: row.get(2)?,
        title: row.get(3)?,
        mode: values::from_word(row, 4)?,
        agent_session: row.get(5)?,
        open: row.get(6)?,
        created_at: Timestamp(row.get(7)?),
        last_at: Timestamp(row.get(8)?),
        model: row.get(9)?,
        task: row.get::<_, Option<u32>>(10)?.map(TaskId),
    })
}

/// Makes a session; gives its number.
pub fn create(
    tx: &Tx<'_>,
    id: SessionId,
    agent: &str,
    title: &str,
    mode: PermissionMode,
    now: Timestamp,
) -> Result<u32> {
    let number = tx
        .conn()
        .prepare_cached(
            "INSERT INTO sessions (id, number, agent, title, mode, created_at, last_at)
             VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM sessions), ?2, ?3, ?4, ?5, ?5) RETURNING number",
        )?
        .query_row(params![id.to_string(), agent, title, mode.as_str(), now.0], |row| row.get(0))?;
    Ok(number)
}

pub fn get(rows: &impl Rows, id: SessionId) -> Result<Option<SessionRow>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"))?;
    query.query_and_then([id.to_string()], session)?.next().transpose()
}

pub fn numbered(rows: &impl Rows, number: u32) -> Result<Option<SessionRow>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE number = ?1"))?;
    query.query_and_then([number], session)?.next().transpose()
}

/// The newest first.
pub fn latest(rows: &impl Rows, limit: usize) -> Result<Vec<SessionRow>> {
    let mut query =
        rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM sessions ORDER BY last_at DESC LIMIT ?1"))?;
    query.query_and_then([limit as i64], session)?.collect()
}

pub fn touch(tx: &Tx<'_>, id: SessionId, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE sessions SET last_at = max(last_at, ?2), open = 1 WHERE id = ?1")?
        .execute(params![id.to_string(), now.0])?;
    Ok(())
}

/// Names a session after its first words, if it has no title yet.
pub fn title_once(tx: &Tx<'_>, id: SessionId, title: &str) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE sessions SET title = ?2 WHERE id = ?1 AND title = ''")?
        .execute(params![id.to_string(), title])?;
    Ok(())
}

pub fn set_agent_session(tx: &Tx<'_>, id: SessionId, agent_session: &str) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE sessions SET agent_session = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), agent_session])?;
    Ok(())
}

pub fn set_mode(tx: &Tx<'_>, id: SessionId, mode: PermissionMode) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE sessions SET mode = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), mode.as_str()])?;
    Ok(())
}

/// From now on the session is that task's.
pub fn set_task(tx: &Tx<'_>, id: SessionId, task: TaskId) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE sessions SET task = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), task.0])?;
    Ok(())
}

/// Closes a session; what waited in it is not said any more.
pub fn close(tx: &Tx<'_>, id: SessionId) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE inbox SET state = 'handled' WHERE session = ?1 AND state = 'waiting'")?
        .execute([id.to_string()])?;
    tx.conn().prepare_cached("UPDATE sessions SET open = 0 WHERE id = ?1")?.execute([id.to_string()])?;
    Ok(())
}

pub fn count(rows: &impl Rows) -> Result<u64> {
    let count: i64 = rows.conn().prepare_cached("SELECT count(*) FROM sessions")?.query_row([], |row| row.get(0))?;
    Ok(count.max(0) as u64)
}
