//! What people said, on disk before it is acknowledged. A message moves received -> waiting -> taken, or to handled.

use crate::{Result, Rows, Tx, values};
use domain::{
    ArtifactId, Code, SessionId, Timestamp, TurnId,
    event::{Channel, When},
    session::Said,
};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub channel: Channel,
    /// The idempotency key of its channel: Twilio's MessageSid, a phone's client id.
    pub external: String,
    pub sender: Option<String>,
    pub receiver: Option<String>,
    pub text: String,
    pub media: Vec<Media>,
}

/// A picture that came with a message, not yet fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub url: String,
    pub media_type: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub message: i64,
    pub channel: Channel,
    pub sender: Option<String>,
    pub receiver: Option<String>,
    pub text: String,
    pub media: Vec<Media>,
    pub pictures: Vec<ArtifactId>,
    pub received_at: Timestamp,
    pub session: Option<SessionId>,
    pub when: When,
}

impl Message {
    pub fn said(&self) -> Said {
        Said { message: self.message, text: self.text.clone(), pictures: self.pictures.clone(), when: self.when }
    }
}

/// A message's number, and whether it is new. The same channel and key always give the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub message: i64,
    pub fresh: bool,
}

const COLUMNS: &str = "message, channel, sender, receiver, text, media, pictures, received_at, session, steer";

fn message(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        message: row.get(0)?,
        channel: values::from_word(row, 1)?,
        sender: row.get(2)?,
        receiver: row.get(3)?,
        text: row.get(4)?,
        media: values::json(row, 5)?,
        pictures: values::json(row, 6)?,
        received_at: Timestamp(row.get(7)?),
        session: values::parsed_opt(row, 8)?,
        when: if row.get(9)? { When::Steer } else { When::Queue },
    })
}

/// Writes a message down once.
pub fn receive(tx: &Tx<'_>, arrival: &Arrival, now: Timestamp) -> Result<Received> {
    let inserted = tx
        .conn()
        .prepare_cached(
            "INSERT INTO inbox (channel, external, sender, receiver, text, media, received_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING RETURNING message",
        )?
        .query_row(
            params![
                arrival.channel.as_str(),
                arrival.external,
                arrival.sender,
                arrival.receiver,
                arrival.text,
                if arrival.media.is_empty() { "[]".to_owned() } else { serde_json::to_string(&arrival.media)? },
                now.0
            ],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(message) = inserted {
        tx.ring_inbox();
        return Ok(Received { message, fresh: true });
    }
    let message = tx
        .conn()
        .prepare_cached("SELECT message FROM inbox WHERE channel = ?1 AND external = ?2")?
        .query_row(params![arrival.channel.as_str(), arrival.external], |row| row.get(0))?;
    Ok(Received { message, fresh: false })
}

/// Messages nobody looked at yet, oldest first, from the one after number `after` on.
pub fn unread(rows: &impl Rows, after: i64, limit: usize) -> Result<Vec<Message>> {
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM inbox WHERE state = 'received' AND message > ?1 ORDER BY message LIMIT ?2"
    ))?;
    query.query_and_then([after, limit as i64], message)?.collect()
}

/// Those of [`unread`] that cannot be read, and who sent them where that can be.
pub fn unreadable(rows: &impl Rows, after: i64, limit: usize) -> Result<Vec<(i64, Option<String>)>> {
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM inbox WHERE state = 'received' AND message > ?1 ORDER BY message LIMIT ?2"
    ))?;
    let mut rows = query.query(params![after, limit as i64])?;
    let mut bad = Vec::new();
    while let Some(row) = rows.next()? {
        if message(row).is_err() {
            bad.push((row.get(0)?, row.get(2).unwrap_or_default()));
        }
    }
    Ok(bad)
}

/// Whether anything came from this sender since then.
pub fn came_since(rows: &impl Rows, sender: &str, since: Timestamp) -> Result<bool> {
    let mut query =
        rows.conn().prepare_cached("SELECT EXISTS (SELECT 1 FROM inbox WHERE sender = ?1 AND received_at >= ?2)")?;
    Ok(query.query_row(params![sender, since.0], |row| row.get(0))?)
}

/// Whether nobody looked at this message yet.
pub fn is_unread(rows: &impl Rows, number: i64) -> Result<bool> {
    let mut query = rows.conn().prepare_cached("SELECT state = 'received' FROM inbox WHERE message = ?1")?;
    Ok(query.query_row([number], |row| row.get(0))?)
}

/// The oldest message of `sender` that nobody looked at and that came before number `before`.
pub fn oldest_unread_of(rows: &impl Rows, sender: &str, before: i64) -> Result<Option<i64>> {
    let mut query = rows
        .conn()
        .prepare_cached("SELECT min(message) FROM inbox WHERE state = 'received' AND message < ?2 AND sender = ?1")?;
    Ok(query.query_row(params![sender, before], |row| row.get(0))?)
}

/// A message by its number.
pub fn get(rows: &impl Rows, number: i64) -> Result<Message> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM inbox WHERE message = ?1"))?;
    query.query_and_then([number], message)?.next().ok_or(crate::Error::Missing)?
}

/// Messages a session holds and no turn took, oldest first.
pub fn waiting(rows: &impl Rows, session: SessionId) -> Result<Vec<Message>> {
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM inbox WHERE state = 'waiting' AND session = ?1 ORDER BY message"
    ))?;
    query.query_and_then([session.to_string()], message)?.collect()
}

/// How many of them there are.
pub fn count_waiting(rows: &impl Rows, session: SessionId) -> Result<usize> {
    let mut query =
        rows.conn().prepare_cached("SELECT count(*) FROM inbox WHERE state = 'waiting' AND session = ?1")?;
    Ok(query.query_row([session.to_string()], |row| row.get::<_, u32>(0))? as usize)
}

/// Sessions that hold messages no turn took.
pub fn sessions_waiting(rows: &impl Rows) -> Result<Vec<SessionId>> {
    let mut query = rows
        .conn()
        .prepare_cached("SELECT session FROM inbox WHERE state = 'waiting' GROUP BY session ORDER BY min(message)")?;
    query.query_and_then([], |row| values::parsed(row, 0))?.collect()
}

/// The messages that turn `turn` answers.
pub fn of_turn(rows: &impl Rows, turn: TurnId) -> Result<Vec<Message>> {
    let mut query =
        rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM inbox WHERE turn = ?1 ORDER BY message"))?;
    query.query_and_then([turn.to_string()], message)?.collect()
}

/// It was a command, or was refused: nothing more comes of it.
pub fn handled(tx: &Tx<'_>, message: i64) -> Result<()> {
    tx.conn().prepare_cached("UPDATE inbox SET state = 'handled' WHERE message = ?1")?.execute([message])?;
    Ok(())
}

/// It could not be dealt with, time and again: nothing more comes of it.
pub fn failed(tx: &Tx<'_>, message: i64, code: Code) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE inbox SET state = 'handled', failed = ?2 WHERE message = ?1")?
        .execute(params![message, code.entry().name])?;
    Ok(())
}

/// Messages that could not be dealt with, and why.
pub fn all_failed(rows: &impl Rows) -> Result<Vec<(i64, String)>> {
    let mut query =
        rows.conn().prepare_cached("SELECT message, failed FROM inbox WHERE failed IS NOT NULL ORDER BY 1")?;
    Ok(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
}

/// It is for the agent, in `session`. `text` is what was said without the command's own word.
pub fn route(
    tx: &Tx<'_>,
    message: i64,
    session: SessionId,
    text: &str,
    pictures: &[ArtifactId],
    when: When,
) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "UPDATE inbox SET state = 'waiting', session = ?2, text = ?3, pictures = ?4, steer = ?5 WHERE message = ?1",
        )?
        .execute(params![message, session.to_string(), text, serde_json::to_string(pictures)?, when == When::Steer])?;
    Ok(())
}

/// A turn took it.
pub fn take(tx: &Tx<'_>, message: i64, turn: TurnId) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE inbox SET state = 'taken', turn = ?2 WHERE message = ?1")?
        .execute(params![message, turn.to_string()])?;
    Ok(())
}

/// The owner wants it said again: it waits once more.
pub fn give_back(tx: &Tx<'_>, message: i64) -> Result<()> {
    tx.conn().prepare_cached("UPDATE inbox SET state = 'waiting' WHERE message = ?1")?.execute([message])?;
    Ok(())
}

/// It was given to a turn that did not take it in: it waits and belongs to none.
pub fn release(tx: &Tx<'_>, message: i64) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE inbox SET state = 'waiting', turn = NULL WHERE message = ?1")?
        .execute([message])?;
    Ok(())
}

/// The newest message of a sender: where an answer that belongs to no message goes.
pub fn last_sender(rows: &impl Rows, session: SessionId) -> Result<Option<(Channel, String)>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT channel, sender FROM inbox WHERE session = ?1 AND sender IS NOT NULL ORDER BY message DESC LIMIT 1",
    )?;
    query.query_and_then([session.to_string()], |row| Ok((values::from_word(row, 0)?, row.get(1)?)))?.next().transpose()
}

/// Keeps with a message the number of the event that says it was said.
pub fn set_event(tx: &Tx<'_>, message: i64, event: i64) -> Result<()> {
    tx.conn().prepare_cached("UPDATE inbox SET event = ?2 WHERE message = ?1")?.execute([message, event])?;
    Ok(())
}

/// The event that says that `message` was said.
pub fn event(rows: &impl Rows, message: i64) -> Result<Option<i64>> {
    let mut query = rows.conn().prepare_cached("SELECT event FROM inbox WHERE message = ?1")?;
    Ok(query.query_row([message], |row| row.get(0)).optional()?.flatten())
}

/// How many messages were ever written down.
pub fn count(rows: &impl Rows) -> Result<i64> {
    Ok(rows.conn().prepare_cached("SELECT count(*) FROM inbox")?.query_row([], |row| row.get(0))?)
}
