//! What the owner answered about hosts: for a while, for a session, or for good.

use crate::{
    Result, Rows, Tx,
    audit::{self, Kind},
    values,
};
use domain::{ApprovalId, SessionId, Timestamp};
use rusqlite::params;
use serde_json::json;

/// An answer about one host and port.
#[derive(Clone, Debug, PartialEq)]
pub struct HostAnswer {
    pub host: String,
    pub port: u16,
    /// None: it holds in every session.
    pub session: Option<SessionId>,
    pub allowed: bool,
    /// None: until it is taken back.
    pub until: Option<Timestamp>,
    /// The question it answers.
    pub approval: Option<ApprovalId>,
}

/// One that stands in the list of what was allowed for good or for a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub id: i64,
    pub at: Timestamp,
    pub answer: HostAnswer,
}

const COLUMNS: &str = "id, at, host, port, session, allowed, until, approval";

fn kept(row: &rusqlite::Row<'_>) -> Result<Kept> {
    Ok(Kept {
        id: row.get(0)?,
        at: Timestamp(row.get(1)?),
        answer: HostAnswer {
            host: row.get(2)?,
            port: row.get(3)?,
            session: values::parsed_opt(row, 4)?,
            allowed: row.get(5)?,
            until: row.get::<_, Option<i64>>(6)?.map(Timestamp),
            approval: values::parsed_opt(row, 7)?,
        },
    })
}

/// Writes an answer down and gives its number.
pub fn add(tx: &Tx<'_>, answer: &HostAnswer, now: Timestamp) -> Result<i64> {
    let id = tx
        .conn()
        .prepare_cached(
            "INSERT INTO host_answers (at, host, port, session, allowed, until, approval)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
        )?
        .query_row(
            params![
                now.0,
                answer.host,
                answer.port,
                answer.session.map(|s| s.to_string()),
                answer.allowed,
                answer.until.map(|t| t.0),
                answer.approval.map(|a| a.to_string())
            ],
            |row| row.get(0),
        )?;
    if answer.allowed {
        let HostAnswer { host, port, session, until, approval, .. } = answer;
        let told = json!({ "host": host, "port": port, "session": session, "until": until, "approval": approval });
        audit::append(tx, Kind::HostAllowed, &told, now)?;
    }
    Ok(id)
}

/// Whether the owner lets `session` (none: nobody's) reach the host, as last said; none where nothing that was said holds now.
pub fn says(
    rows: &impl Rows,
    session: Option<SessionId>,
    host: &str,
    port: u16,
    now: Timestamp,
) -> Result<Option<bool>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT allowed FROM host_answers
         WHERE host = ?1 AND port = ?2 AND (session IS NULL OR session = ?3) AND (until IS NULL OR until > ?4)
           AND gone_at IS NULL
         ORDER BY id DESC LIMIT 1",
    )?;
    let said =
        query.query_and_then(params![host, port, session.map(|s| s.to_string()), now.0], |row| Ok(row.get(0)?))?;
    said.into_iter().next().transpose()
}

/// What is allowed until it is taken back, the newest first.
pub fn for_good(rows: &impl Rows) -> Result<Vec<Kept>> {
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM host_answers WHERE until IS NULL AND gone_at IS NULL ORDER BY id DESC"
    ))?;
    query.query_and_then([], kept)?.collect()
}

/// Takes one back. False if it does not stand.
pub fn take_back(tx: &Tx<'_>, id: i64, now: Timestamp) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached("UPDATE host_answers SET gone_at = ?2 WHERE id = ?1 AND gone_at IS NULL AND until IS NULL")?
        .execute(params![id, now.0])?;
    if changed == 1 {
        audit::append(tx, Kind::HostTakenBack, &json!({ "id": id }), now)?;
    }
    Ok(changed == 1)
}
