//! What is to leave, on disk until its fate is known. A row is due, then sending (an attempt was begun and how it ended is
//! not known), then sent or failed. A row found `sending` at launch is ambiguous: its list is asked before it is sent again.

use crate::{Result, Rows, Tx, letters, values};
use domain::{ArtifactId, SessionId, Timestamp, TurnId};
use rusqlite::{Params, Row, params};

/// A text, or a picture with words, to an address.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    pub address: String,
    /// Where a link goes, its proof is left blank.
    pub body: String,
    pub media: Option<ArtifactId>,
    /// The link in its body.
    pub link: Option<i64>,
    /// Whether an agent caused it unasked: a question, a picture.
    pub agent: bool,
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
    /// The event it tells of: a turn's end, a question.
    pub event: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub id: i64,
    pub address: String,
    pub body: String,
    pub media: Option<ArtifactId>,
    pub link: Option<i64>,
    pub attempts: u32,
    pub created_at: Timestamp,
    /// When the first attempt whose end is not known began.
    pub began_at: Option<Timestamp>,
    /// How often Twilio's list was asked for it in vain since.
    pub looks: u32,
}

/// Where a letter stands, for those who ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Fate {
    pub id: i64,
    pub address: String,
    pub state: String,
    pub status: Option<String>,
    pub error: Option<i64>,
    pub why: Option<String>,
    pub attempts: u32,
    pub created_at: Timestamp,
}

fn outgoing(row: &Row<'_>) -> Result<Outgoing> {
    Ok(Outgoing {
        id: row.get(0)?,
        address: row.get(1)?,
        body: row.get(2)?,
        media: values::parsed_opt(row, 3)?,
        attempts: row.get(4)?,
        created_at: Timestamp(row.get(5)?),
        began_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        looks: row.get(7)?,
        link: row.get(8)?,
    })
}

pub fn put(tx: &Tx<'_>, letter: &Letter, now: Timestamp) -> Result<i64> {
    let id = tx
        .conn()
        .prepare_cached(
            "INSERT INTO outbox (address, body, media, session, turn, due_at, created_at, link, agent, event)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9) RETURNING id",
        )?
        .query_row(
            params![
                letter.address,
                letter.body,
                letter.media.map(|m| m.to_string()),
                letter.session.map(|s| s.to_string()),
                letter.turn.map(|t| t.to_string()),
                now.0,
                letter.link,
                letter.agent,
                letter.event
            ],
            |row| row.get(0),
        )?;
    if let Some(event) = letter.event {
        tx.ring_letters(event);
    }
    tx.ring_outbox();
    Ok(id)
}

/// How many letters agents caused unasked to an address since then.
pub fn of_agents_since(rows: &impl Rows, address: &str, since: Timestamp) -> Result<usize> {
    let mut query = rows
        .conn()
        .prepare_cached("SELECT count(*) FROM outbox WHERE agent = 1 AND address = ?1 AND created_at > ?2")?;
    Ok(query.query_row(params![address, since.0], |row| row.get::<_, u32>(0))? as usize)
}

/// The oldest letter of every address that may go now. One address gets its letters in order, so a later one waits
/// while an earlier one is on its way or to be tried again.
pub fn due(rows: &impl Rows, now: Timestamp) -> Result<Vec<Outgoing>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, address, body, media, attempts, created_at, began_at, looks, link FROM outbox o
         WHERE state IN ('due', 'sending') AND due_at <= ?1
           AND id = (SELECT min(id) FROM outbox f WHERE f.address = o.address AND f.state IN ('due', 'sending'))
         ORDER BY id",
    )?;
    query.query_and_then([now.0], outgoing)?.collect()
}

/// When the next letter is due; none if none waits.
pub fn next_due(rows: &impl Rows) -> Result<Option<Timestamp>> {
    let at: Option<i64> = rows
        .conn()
        .prepare_cached(
            "SELECT min(due_at) FROM outbox o WHERE state IN ('due', 'sending')
               AND id = (SELECT min(id) FROM outbox f WHERE f.address = o.address AND f.state IN ('due', 'sending'))",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(at.map(Timestamp))
}

/// An attempt begins: from here on, until told otherwise, it may have left. False if a receipt says that it has.
pub fn begin_attempt(tx: &Tx<'_>, id: i64, now: Timestamp) -> Result<bool> {
    let begun = tx
        .conn()
        .prepare_cached(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, looks = 0, began_at = coalesce(began_at, ?2)
             WHERE id = ?1 AND sid IS NULL",
        )?
        .execute(params![id, now.0])?;
    Ok(begun == 1)
}

/// Twilio's list does not show it yet: it is asked once more at `due_at`.
pub fn looked(tx: &Tx<'_>, id: i64, due_at: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE outbox SET looks = looks + 1, due_at = ?2 WHERE id = ?1")?
        .execute(params![id, due_at.0])?;
    tx.ring_outbox();
    Ok(())
}

/// The SIDs of what was sent to an address and put in the outbox since `since`.
pub fn sids_to(rows: &impl Rows, address: &str, since: Timestamp) -> Result<Vec<String>> {
    let mut query = rows
        .conn()
        .prepare_cached("SELECT sid FROM outbox WHERE address = ?1 AND created_at >= ?2 AND sid IS NOT NULL")?;
    Ok(query.query_map(params![address, since.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Twilio has it, as `sid`.
pub fn sent(tx: &Tx<'_>, id: i64, sid: &str, status: &str, rank: u8, now: Timestamp) -> Result<()> {
    change(
        tx,
        "UPDATE outbox SET state = 'sent', sid = ?2, began_at = NULL, why = NULL, changed_at = ?5,
                           status = CASE WHEN status_rank < ?4 THEN ?3 ELSE status END,
                           status_rank = max(status_rank, ?4) WHERE id = ?1",
        params![id, sid, status, rank, now.0],
    )?;
    Ok(())
}

/// Runs a change of how letters stand, and rings for them; gives how many there were.
fn change(tx: &Tx<'_>, sql: &str, values: impl Params) -> Result<usize> {
    let changed = letters::change(tx, sql, values)?;
    tx.ring_outbox();
    Ok(changed)
}

/// To be tried again at `due_at`, if no receipt has said meanwhile that it left. `left` says whether the attempt may have left
/// (then its list is asked first).
pub fn again(tx: &Tx<'_>, id: i64, due_at: Timestamp, left: bool, why: &str) -> Result<()> {
    change(
        tx,
        "UPDATE outbox SET state = CASE WHEN ?3 THEN 'sending' ELSE 'due' END, due_at = ?2, why = ?4,
                           began_at = CASE WHEN ?3 THEN began_at END
         WHERE id = ?1 AND sid IS NULL",
        params![id, due_at.0, left, why],
    )?;
    Ok(())
}

/// It will not be tried again; a receipt that says it left stands.
pub fn failed(tx: &Tx<'_>, id: i64, error: Option<i64>, why: &str, now: Timestamp) -> Result<()> {
    change(
        tx,
        "UPDATE outbox SET state = 'failed', error = ?2, why = ?3, began_at = NULL, changed_at = ?4
         WHERE id = ?1 AND sid IS NULL",
        params![id, error, why, now.0],
    )?;
    Ok(())
}

/// A receipt, as it names a letter of ours.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The letter's id, where the receipt's address names it: it may come before the SID is written down.
    pub letter: Option<i64>,
    pub sid: String,
    pub status: String,
    pub rank: u8,
    pub error: Option<i64>,
    pub why: Option<String>,
}

/// Takes a receipt. It counts only if it goes forward; one that comes after an attempt whose end was not known settles it.
/// False if there is no such letter or it came late.
pub fn receipt(tx: &Tx<'_>, r: &Receipt, now: Timestamp) -> Result<bool> {
    let changed = change(
        tx,
        "UPDATE outbox SET status = ?3, status_rank = ?4, error = coalesce(?5, error), why = coalesce(?6, why),
                           sid = coalesce(sid, ?2), state = 'sent', began_at = NULL, changed_at = ?7
         WHERE (sid = ?2 OR (id = ?1 AND sid IS NULL)) AND status_rank < ?4",
        params![r.letter, r.sid, r.status, r.rank, r.error, r.why, now.0],
    )?;
    Ok(changed == 1)
}

/// The newest letters and where they stand.
pub fn latest(rows: &impl Rows, limit: usize) -> Result<Vec<Fate>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, address, state, status, error, why, attempts, created_at FROM outbox ORDER BY id DESC LIMIT ?1",
    )?;
    query.query_and_then([limit as i64], fate)?.collect()
}

/// Where one letter stands.
pub fn fate_of(rows: &impl Rows, id: i64) -> Result<Option<Fate>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, address, state, status, error, why, attempts, created_at FROM outbox WHERE id = ?1",
    )?;
    query.query_and_then([id], fate)?.next().transpose()
}

fn fate(row: &Row<'_>) -> Result<Fate> {
    Ok(Fate {
        id: row.get(0)?,
        address: row.get(1)?,
        state: row.get(2)?,
        status: row.get(3)?,
        error: row.get(4)?,
        why: row.get(5)?,
        attempts: row.get(6)?,
        created_at: Timestamp(row.get(7)?),
    })
}
