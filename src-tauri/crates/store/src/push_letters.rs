//! What is to be pushed, on disk until its fate is known: one row for each subscription. A row is queued, sending (an attempt
//! was begun and how it ended is not known), sent, shown, failed or texted.

use crate::{Result, Rows, Tx, letters::change, values};
use domain::{ApprovalId, PhoneId, SessionId, Timestamp, TurnId, task::TaskId};
use rusqlite::{Row, params};
use std::{fmt, str::FromStr};

/// Why one was not pushed that nobody needs any more: it was answered,
pub const ANSWERED: &str = "it was answered before";
/// or a page showed it.
pub const SEEN: &str = "it was seen on a page";

/// What a push tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// An approval was asked.
    Approval(ApprovalId),
    /// It is asked no more: what lock screens show of it is taken back.
    Closed(ApprovalId),
    /// A turn ended.
    Turn(TurnId),
    /// A task ended; one that is run again ends again, and tells that in the same place.
    Task(TaskId),
}

impl About {
    /// What shares a place on a lock screen and at a push service: the newer takes it from the older.
    pub fn place(self) -> String {
        match self {
            Self::Closed(id) => Self::Approval(id).to_string(),
            Self::Approval(_) | Self::Turn(_) | Self::Task(_) => self.to_string(),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approval(id) => write!(f, "approval:{id}"),
            Self::Closed(id) => write!(f, "closed:{id}"),
            Self::Turn(id) => write!(f, "turn:{id}"),
            Self::Task(id) => write!(f, "task:{id}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a push is about an approval, a turn or a task")]
pub struct NotAbout;

impl FromStr for About {
    type Err = NotAbout;

    fn from_str(written: &str) -> std::result::Result<Self, NotAbout> {
        let (kind, id) = written.split_once(':').ok_or(NotAbout)?;
        match kind {
            "approval" => id.parse().map(Self::Approval).map_err(|_| NotAbout),
            "closed" => id.parse().map(Self::Closed).map_err(|_| NotAbout),
            "turn" => id.parse().map(Self::Turn).map_err(|_| NotAbout),
            "task" => id.parse().map(|id| Self::Task(TaskId(id))).map_err(|_| NotAbout),
            _ => Err(NotAbout),
        }
    }
}

/// A push that may go now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub id: i64,
    pub about: About,
    pub session: SessionId,
    pub subscription: i64,
    pub attempts: u32,
    pub created_at: Timestamp,
}

/// Where a push stands, for those who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    pub id: i64,
    /// The phone's name.
    pub phone: String,
    pub state: String,
    pub why: Option<String>,
    pub attempts: u32,
    pub created_at: Timestamp,
}

/// Queues a push to every subscription of phones that are not revoked. `text_at`: when a text goes if none of them was shown.
/// Where no browser takes pushes, an approval has rows that nothing is sent for, so that its text goes all the same.
/// `event` is the fact's number.
pub fn put(
    tx: &Tx<'_>,
    about: About,
    session: SessionId,
    event: i64,
    text_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<usize> {
    let put = tx
        .conn()
        .prepare_cached(
            "INSERT INTO push_letters (about, session, subscription, phone, due_at, text_at, created_at, event)
             SELECT ?1, ?2, s.id, s.phone, ?4, ?3, ?4, ?5 FROM push_subscriptions s JOIN phones p ON p.id = s.phone
             WHERE p.revoked_at IS NULL",
        )?
        .execute(params![about.to_string(), session.to_string(), text_at.map(|at| at.0), now.0, event])?;
    let put = match (put, about, text_at) {
        (0, About::Approval(_), Some(at)) => put_without(tx, about, session, event, at, now)?,
        _ => put,
    };
    if put > 0 {
        tx.ring_outbox();
        tx.ring_letters(event);
    }
    Ok(put)
}

/// Something newer is told about the same: what was not pushed yet is not pushed, and no text goes about the older.
pub fn supersede(tx: &Tx<'_>, about: About) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "UPDATE push_letters SET text_at = NULL, why = CASE state WHEN 'queued' THEN 'something newer was told' ELSE why END,
                    state = CASE state WHEN 'queued' THEN 'failed' ELSE state END WHERE about = ?1",
        )?
        .execute([about.to_string()])?;
    Ok(())
}

/// No phone takes pushes: only the text is waited for.
fn put_without(
    tx: &Tx<'_>,
    about: About,
    session: SessionId,
    event: i64,
    text_at: Timestamp,
    now: Timestamp,
) -> Result<usize> {
    let put = tx
        .conn()
        .prepare_cached(
            "INSERT INTO push_letters (about, session, subscription, phone, state, why, due_at, text_at, created_at, event)
             SELECT ?1, ?2, 0, id, 'failed', 'it takes no pushes', ?4, ?3, ?4, ?5 FROM phones WHERE revoked_at IS NULL",
        )?
        .execute(params![about.to_string(), session.to_string(), text_at.0, now.0, event])?;
    Ok(put)
}

/// An approval is asked no more: no text goes about it, what was not pushed is not pushed, and every browser that may show it
/// is to take it back, but the one behind the letter `answered`, which did so itself.
pub fn close(
    tx: &Tx<'_>,
    approval: ApprovalId,
    session: SessionId,
    answered: Option<i64>,
    now: Timestamp,
) -> Result<()> {
    let (asked, closed) = (About::Approval(approval).to_string(), About::Closed(approval).to_string());
    let put = tx
        .conn()
        .prepare_cached(
            "INSERT INTO push_letters (about, session, subscription, phone, due_at, created_at)
             SELECT ?2, ?3, subscription, phone, ?5, ?5 FROM push_letters
             WHERE about = ?1 AND id IS NOT ?4 AND attempts > 0 AND state IN ('sending', 'sent', 'shown', 'texted')",
        )?
        .execute(params![asked, closed, session.to_string(), answered, now.0])?;
    change(
        tx,
        "UPDATE push_letters SET text_at = NULL, why = iif(state = 'queued', ?2, why),
                                 state = iif(state = 'queued', 'failed', state)
         WHERE about = ?1",
        [asked.as_str(), ANSWERED],
    )?;
    if put > 0 {
        tx.ring_outbox();
    }
    Ok(())
}

/// What was looked for, and the rows among it that cannot be read.
pub type Found<T> = (Vec<T>, Vec<i64>);

/// All that may go now, and attempts whose end was never known.
pub fn due(rows: &impl Rows, now: Timestamp) -> Result<Found<Due>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, about, session, subscription, attempts, created_at FROM push_letters
         WHERE state IN ('queued', 'sending') AND due_at <= ?1 ORDER BY id LIMIT 100",
    )?;
    let due = |row: &Row<'_>| {
        Ok(Due {
            id: row.get(0)?,
            about: values::parsed(row, 1)?,
            session: values::parsed(row, 2)?,
            subscription: row.get(3)?,
            attempts: row.get(4)?,
            created_at: Timestamp(row.get(5)?),
        })
    };
    found(query.query_and_then([now.0], |row| Ok((row.get(0)?, due(row))))?)
}

/// One row that cannot be read keeps no other back.
fn found<T>(rows: impl Iterator<Item = Result<(i64, Result<T>)>>) -> Result<Found<T>> {
    let mut found = (Vec::new(), Vec::new());
    for row in rows {
        match row? {
            (_, Ok(good)) => found.0.push(good),
            (id, Err(_)) => found.1.push(id),
        }
    }
    Ok(found)
}

/// When the next push or the next text is due; none if none waits.
pub fn next_due(rows: &impl Rows) -> Result<Option<Timestamp>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT min(at) FROM (SELECT min(due_at) AS at FROM push_letters WHERE state IN ('queued', 'sending')
                              UNION ALL SELECT min(text_at) FROM push_letters
                              WHERE text_at IS NOT NULL AND NOT (state = 'queued' AND attempts = 0))",
    )?;
    Ok(query.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(Timestamp))
}

/// An attempt begins: it may have left from here on. If nothing more is heard of it, it is looked at again at `again`. The time
/// until its text counts from the first.
pub fn begin_attempt(tx: &Tx<'_>, id: i64, again: Timestamp, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "UPDATE push_letters SET state = 'sending', attempts = attempts + 1, due_at = ?2,
                                     text_at = iif(attempts = 0, text_at + ?3 - created_at, text_at)
             WHERE id = ?1 AND state IN ('queued', 'sending')",
        )?
        .execute(params![id, again.0, now.0])?;
    Ok(())
}

/// The push service has it. A phone may have been quicker to say that it showed it.
pub fn sent(tx: &Tx<'_>, id: i64, now: Timestamp) -> Result<()> {
    change(
        tx,
        "UPDATE push_letters SET state = CASE state WHEN 'sending' THEN 'sent' ELSE state END, sent_at = ?2, why = NULL
         WHERE id = ?1",
        params![id, now.0],
    )?;
    Ok(())
}

/// It did not leave; to be tried again.
pub fn again(tx: &Tx<'_>, id: i64, due_at: Timestamp, why: &str) -> Result<()> {
    change(
        tx,
        "UPDATE push_letters SET state = 'queued', due_at = ?2, why = ?3 WHERE id = ?1 AND state = 'sending'",
        params![id, due_at.0, why],
    )?;
    tx.ring_outbox();
    Ok(())
}

/// It will not be tried again.
pub fn failed(tx: &Tx<'_>, id: i64, why: &str) -> Result<()> {
    change(
        tx,
        "UPDATE push_letters SET state = 'failed', why = ?2 WHERE id = ?1 AND state IN ('queued', 'sending')",
        params![id, why],
    )?;
    Ok(())
}

/// It cannot be read: nothing goes about it, not by text either.
pub fn put_aside(tx: &Tx<'_>, id: i64) -> Result<()> {
    change(
        tx,
        "UPDATE push_letters SET state = 'failed', text_at = NULL, why = 'it cannot be read' WHERE id = ?1",
        [id],
    )?;
    Ok(())
}

/// A person saw on a page what it tells: neither pushes that wait nor a text go any more.
pub fn seen(tx: &Tx<'_>, about: About) -> Result<()> {
    change(
        tx,
        "UPDATE push_letters SET text_at = NULL, why = iif(state = 'queued', ?2, why),
                                 state = iif(state = 'queued', 'failed', state)
         WHERE about = ?1",
        params![about.to_string(), SEEN],
    )?;
    Ok(())
}

/// The phone showed it: no text goes about the same. False if it is no push to that phone. Saying so again is fine.
pub fn shown(tx: &Tx<'_>, id: i64, phone: PhoneId, now: Timestamp) -> Result<bool> {
    let changed = change(
        tx,
        "UPDATE push_letters SET state = CASE state WHEN 'texted' THEN state ELSE 'shown' END,
                                 shown_at = coalesce(shown_at, ?3), why = NULL
         WHERE id = ?1 AND phone = ?2",
        params![id, phone.to_string(), now.0],
    )?;
    if changed == 1 {
        tx.conn()
            .prepare_cached(
                "UPDATE push_letters SET text_at = NULL WHERE about = (SELECT about FROM push_letters WHERE id = ?1)",
            )?
            .execute([id])?;
    }
    Ok(changed == 1)
}

/// What a text is due about, with the time it came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToText {
    pub about: About,
    pub session: SessionId,
    pub created_at: Timestamp,
}

/// What no phone has shown in time, each thing once. What was not tried to be pushed yet is not late.
pub fn to_text(rows: &impl Rows, now: Timestamp) -> Result<Found<ToText>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT min(id), about, session, created_at FROM push_letters
         WHERE text_at <= ?1 AND NOT (state = 'queued' AND attempts = 0) GROUP BY about ORDER BY min(id)",
    )?;
    let to_text = |row: &Row<'_>| {
        Ok(ToText {
            about: values::parsed(row, 1)?,
            session: values::parsed(row, 2)?,
            created_at: Timestamp(row.get(3)?),
        })
    };
    found(query.query_and_then([now.0], |row| Ok((row.get(0)?, to_text(row))))?)
}

/// No text goes any more about this. True if one was still to go: who asks in the transaction that writes it down asks once.
pub fn take_text(tx: &Tx<'_>, about: About) -> Result<bool> {
    let changed = tx
        .conn()
        .prepare_cached("UPDATE push_letters SET text_at = NULL WHERE about = ?1 AND text_at IS NOT NULL")?
        .execute([about.to_string()])?;
    Ok(changed > 0)
}

/// Its text may not go yet; `why` is kept where those look who ask.
pub fn text_later(tx: &Tx<'_>, about: About, at: Timestamp, why: &str) -> Result<()> {
    change(
        tx,
        "UPDATE push_letters SET text_at = ?2, why = ?3 WHERE about = ?1",
        params![about.to_string(), at.0, why],
    )?;
    Ok(())
}

/// It was told by text instead: pushes about it that wait are not sent any more.
pub fn texted(tx: &Tx<'_>, about: About) -> Result<()> {
    change(
        tx,
        "UPDATE push_letters SET state = 'texted', why = NULL WHERE about = ?1 AND state <> 'shown'",
        [about.to_string()],
    )?;
    Ok(())
}

/// The number of the fact that pushes about this tell of.
pub fn event_of(rows: &impl Rows, about: About) -> Result<Option<i64>> {
    let mut query = rows.conn().prepare_cached("SELECT max(event) FROM push_letters WHERE about = ?1")?;
    Ok(query.query_row([about.to_string()], |row| row.get(0))?)
}

/// The newest pushes and where they stand.
pub fn latest(rows: &impl Rows, limit: usize) -> Result<Vec<Fate>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT l.id, p.name, l.state, l.why, l.attempts, l.created_at FROM push_letters l JOIN phones p ON p.id = l.phone
         ORDER BY l.id DESC LIMIT ?1",
    )?;
    let fate = |row: &Row<'_>| {
        Ok(Fate {
            id: row.get(0)?,
            phone: row.get(1)?,
            state: row.get(2)?,
            why: row.get(3)?,
            attempts: row.get(4)?,
            created_at: Timestamp(row.get(5)?),
        })
    };
    query.query_and_then([limit as i64], fate)?.collect()
}
