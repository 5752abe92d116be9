//! The one gate's records.

use crate::{
    Error, Result, Rows, Tx,
    audit::{self, Kind},
    values,
};
use domain::{
    ApprovalId, SessionId, Timestamp, TurnId,
    approval::{Approval, Decision},
    event::Channel,
};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::json;

const DAY: i64 = 24 * 3600 * 1000;
const COLUMNS: &str = "id, number, session, turn, request, subject, hash, risk, asked_at, expires_at, decision";

fn approval(row: &Row<'_>) -> Result<Approval> {
    Ok(Approval {
        id: values::parsed(row, 0)?,
        number: row.get(1)?,
        session: values::parsed(row, 2)?,
        turn: values::parsed_opt(row, 3)?,
        request: row.get(4)?,
        subject: values::json(row, 5)?,
        hash: row.get(6)?,
        risk: values::from_word(row, 7)?,
        asked_at: Timestamp(row.get(8)?),
        expires_at: Timestamp(row.get(9)?),
        decision: values::json_opt(row, 10)?,
    })
}

/// The next number of the day. One that was used is not used again for a day, so that a late "yes 2" never means
/// something else than what its sender read.
pub fn free_number(tx: &Tx<'_>, now: Timestamp) -> Result<u32> {
    let newest: Option<u32> = tx
        .conn()
        .prepare_cached("SELECT max(number) FROM approvals WHERE asked_at > ?1 OR decision IS NULL")?
        .query_row([now.0 - DAY], |row| row.get(0))?;
    Ok(newest.unwrap_or(0) + 1)
}

/// Opens an approval.
pub fn open(tx: &Tx<'_>, a: &Approval) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO approvals (id, number, session, turn, request, subject, hash, risk, asked_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            a.id.to_string(),
            a.number,
            a.session.to_string(),
            a.turn.map(|t| t.to_string()),
            a.request,
            serde_json::to_string(&a.subject)?,
            a.hash,
            a.risk.as_str(),
            a.asked_at.0,
            a.expires_at.0
        ])?;
    let told =
        json!({ "approval": a.id, "number": a.number, "session": a.session, "hash": a.hash, "risk": a.risk.as_str() });
    audit::append(tx, Kind::Asked, &told, a.asked_at)
}

/// The event that asked it: by its number what was sent about it is found.
pub fn asked_by(tx: &Tx<'_>, id: ApprovalId, event: i64) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE approvals SET event = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), event])?;
    Ok(())
}

/// As [`asked_by`] wrote it.
pub fn event_of(rows: &impl Rows, id: ApprovalId) -> Result<Option<i64>> {
    let mut query = rows.conn().prepare_cached("SELECT event FROM approvals WHERE id = ?1")?;
    Ok(query.query_row([id.to_string()], |row| row.get(0)).optional()?.flatten())
}

/// Closes an approval if it is still open: the first answer wins. False if another was quicker.
pub fn decide(
    tx: &Tx<'_>,
    id: ApprovalId,
    decision: &Decision,
    channel: Option<Channel>,
    by: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached(
            "UPDATE approvals SET decision = ?2, channel = ?3, decided_by = ?4, decided_at = ?5
             WHERE id = ?1 AND decision IS NULL",
        )?
        .execute(params![id.to_string(), serde_json::to_string(decision)?, channel.map(Channel::as_str), by, now.0])?;
    if changed == 1 {
        let hash = get(tx, id)?.map(|a| a.hash);
        let channel = channel.map(Channel::as_str);
        let told = json!({ "approval": id, "hash": hash, "decision": decision.as_str(), "channel": channel, "by": by });
        audit::append(tx, Kind::Answered, &told, now)?;
    }
    Ok(changed == 1)
}

/// The answers to an approval's first questions that were given so far.
pub fn answers_so_far(rows: &impl Rows, id: ApprovalId) -> Result<Vec<String>> {
    let mut query = rows.conn().prepare_cached("SELECT answers FROM answers_so_far WHERE approval = ?1")?;
    Ok(query.query_and_then([id.to_string()], |row| values::json(row, 0))?.next().transpose()?.unwrap_or_default())
}

/// Keeps them until the rest is answered.
pub fn keep_answers(tx: &Tx<'_>, id: ApprovalId, answers: &[String]) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO answers_so_far VALUES (?1, ?2) ON CONFLICT (approval) DO UPDATE SET answers = excluded.answers",
        )?
        .execute(params![id.to_string(), serde_json::to_string(answers)?])?;
    Ok(())
}

pub fn get(rows: &impl Rows, id: ApprovalId) -> Result<Option<Approval>> {
    one(rows, "id = ?1", [id.to_string()])
}

/// Who answered: a phone's name, a number.
pub fn decided_by(rows: &impl Rows, id: ApprovalId) -> Result<Option<String>> {
    let mut query = rows.conn().prepare_cached("SELECT decided_by FROM approvals WHERE id = ?1")?;
    query.query_and_then([id.to_string()], |row| Ok(row.get(0)?))?.next().transpose().map(Option::flatten)
}

/// All that wait for an answer, by number.
pub fn all_open(rows: &impl Rows) -> Result<Vec<Approval>> {
    let mut query = rows
        .conn()
        .prepare_cached(&format!("SELECT {COLUMNS} FROM approvals WHERE decision IS NULL ORDER BY number"))?;
    query.query_and_then([], approval)?.collect()
}

/// Hosts that a session asked for since then.
pub fn hosts_asked_since(rows: &impl Rows, session: SessionId, since: Timestamp) -> Result<usize> {
    let mut query = rows.conn().prepare_cached(
        "SELECT count(*) FROM approvals
         WHERE asked_at > ?2 AND session = ?1 AND json_extract(subject, '$.kind') = 'host'",
    )?;
    let n: i64 = query.query_row(params![session.to_string(), since.0], |row| row.get(0))?;
    Ok(n.max(0) as usize)
}

/// What a session last asked since then that has this hash.
pub fn of_hash(rows: &impl Rows, session: SessionId, hash: &str, since: Timestamp) -> Result<Option<Approval>> {
    let condition = "session = ?1 AND hash = ?2 AND asked_at > CAST(?3 AS INTEGER) ORDER BY asked_at DESC LIMIT 1";
    one(rows, condition, [session.to_string(), hash.to_owned(), since.0.to_string()])
}

/// What was asked in a turn, open or closed.
pub fn of_turn(rows: &impl Rows, turn: TurnId) -> Result<Vec<Approval>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM approvals WHERE turn = ?1"))?;
    query.query_and_then([turn.to_string()], approval)?.collect()
}

/// What a session's agent asked under its id `request`, while open.
pub fn of_request(rows: &impl Rows, session: SessionId, request: &str) -> Result<Option<Approval>> {
    one(rows, "session = ?1 AND request = ?2 AND decision IS NULL", [session.to_string(), request.to_owned()])
}

/// Open approvals whose time is over.
pub fn overdue(rows: &impl Rows, now: Timestamp) -> Result<Vec<Approval>> {
    let open = all_open(rows)?;
    Ok(open.into_iter().filter(|a| a.expires_at <= now).collect())
}

fn one<const N: usize>(rows: &impl Rows, condition: &str, values: [String; N]) -> Result<Option<Approval>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM approvals WHERE {condition}"))?;
    query.query_and_then(rusqlite::params_from_iter(values), approval)?.next().transpose()
}

/// As [`get`], for an approval that must be there.
pub fn expect(rows: &impl Rows, id: ApprovalId) -> Result<Approval> {
    get(rows, id)?.ok_or(Error::Missing)
}
