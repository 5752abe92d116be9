//! What happened, of all kinds in one list. Triggers write it, whoever writes down what it points at; here it is read.

use crate::{
    Result, Rows, Tx, audit, events,
    events::Stored,
    reached::{self, Reached},
    search, values,
};
use domain::{SessionId, Timestamp};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// Refusals within this many milliseconds are one row.
const HOUR: i64 = 3_600_000;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub id: i64,
    pub at: Timestamp,
    /// As the table writes it: `said`, `text_sent`...
    pub kind: String,
    /// And its number.
    pub session: Option<(SessionId, u32)>,
    pub what: What,
}

/// What it was, as its own rows say now.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Event(Stored),
    Text {
        address: String,
        body: String,
        status: Option<String>,
        why: Option<String>,
    },
    /// A notice: whom it went to, whether they showed it, why it did not leave.
    Push {
        phone: String,
        about: String,
        shown: bool,
        why: Option<String>,
    },
    /// Paired or revoked.
    Phone {
        name: String,
        browser: String,
        address: String,
        why: Option<String>,
    },
    Reached(Reached),
    /// So many requests without Twilio's signature.
    Refused(u64),
    Imported(Brought),
}

/// What an import brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    pub sessions: u64,
    pub events: u64,
}

/// Which of it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only what came before this one.
    pub before: Option<i64>,
    /// Of these kinds; none named: all.
    pub kinds: Vec<String>,
    pub words: Option<search::Query>,
}

/// A row, before it is looked up what it points at.
struct Pointer {
    id: i64,
    at: Timestamp,
    kind: String,
    source: String,
    key: rusqlite::types::Value,
    session: Option<(SessionId, u32)>,
}

const COLUMNS: &str =
    "a.id, a.at, a.kind, a.source, a.ref, a.session, (SELECT number FROM sessions WHERE id = a.session)";

fn pointer(row: &Row<'_>) -> Result<Pointer> {
    let session = values::parsed_opt(row, 5)?;
    Ok(Pointer {
        id: row.get(0)?,
        at: Timestamp(row.get(1)?),
        kind: row.get(2)?,
        source: row.get(3)?,
        key: row.get(4)?,
        session: session.zip(row.get(6)?),
    })
}

/// The newest first, and whether there is more after the last of them.
pub fn page(rows: &impl Rows, wanted: &Wanted, limit: usize) -> Result<(Vec<Entry>, Option<i64>)> {
    let before = wanted.before.unwrap_or(i64::MAX);
    let mut found = match (&wanted.words, wanted.kinds.as_slice()) {
        (Some(words), kinds) => with_words(rows, words, kinds, before, limit + 1)?,
        (None, []) => all(rows, before, limit + 1)?,
        (None, kinds) => of_kinds(rows, kinds, before, limit + 1)?,
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.id);
    let entries = found.into_iter().map(|pointer| entry(rows, pointer)).collect::<Result<Vec<_>>>()?;
    Ok((entries.into_iter().flatten().collect(), next))
}

fn all(rows: &impl Rows, before: i64, limit: usize) -> Result<Vec<Pointer>> {
    let mut query = rows
        .conn()
        .prepare_cached(&format!("SELECT {COLUMNS} FROM activity a WHERE a.id < ?1 ORDER BY a.id DESC LIMIT ?2"))?;
    query.query_and_then([before, limit as i64], pointer)?.collect()
}

/// The newest of each kind, then the newest of those: a rare kind is found without a walk over the others.
fn of_kinds(rows: &impl Rows, kinds: &[String], before: i64, limit: usize) -> Result<Vec<Pointer>> {
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM activity a WHERE a.kind = ?1 AND a.id < ?2 ORDER BY a.id DESC LIMIT ?3"
    ))?;
    let mut found = Vec::new();
    for kind in kinds {
        found.extend(query.query_and_then(params![kind, before, limit as i64], pointer)?.collect::<Result<Vec<_>>>()?);
    }
    found.sort_by_key(|p| std::cmp::Reverse(p.id));
    found.truncate(limit);
    Ok(found)
}

/// The index knows the kinds too, so that a rare kind with a common word is no walk over all that have the word.
fn with_words(
    rows: &impl Rows,
    words: &search::Query,
    kinds: &[String],
    before: i64,
    limit: usize,
) -> Result<Vec<Pointer>> {
    let named = kinds.iter().map(|kind| format!("\"{}\"", kind.replace('"', ""))).collect::<Vec<_>>().join(" OR ");
    let matched = match kinds {
        [] => format!("text : ({})", words.loosest()),
        _ => format!("kind : ({named}) AND text : ({})", words.loosest()),
    };
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM activity_words w CROSS JOIN activity a ON a.id = w.rowid
         WHERE activity_words MATCH ?1 AND w.rowid < ?2 AND (?3 = '[]' OR a.kind IN (SELECT value FROM json_each(?3)))
         ORDER BY w.rowid DESC LIMIT ?4"
    ))?;
    let values = params![matched, before, serde_json::to_string(kinds)?, limit as i64];
    query.query_and_then(values, pointer)?.collect()
}

/// None if what it points at is gone.
fn entry(rows: &impl Rows, p: Pointer) -> Result<Option<Entry>> {
    let what = match (p.source.as_str(), &p.key) {
        ("events", rusqlite::types::Value::Integer(seq)) => events::one(rows, *seq)?.map(What::Event),
        ("reached", rusqlite::types::Value::Integer(id)) => reached::one(rows, *id)?.map(What::Reached),
        ("refused", rusqlite::types::Value::Integer(count)) => Some(What::Refused((*count).max(0) as u64)),
        ("imported", rusqlite::types::Value::Text(brought)) => Some(What::Imported(serde_json::from_str(brought)?)),
        (source, key) => told_by_row(rows, source, key)?,
    };
    Ok(what.map(|what| Entry { id: p.id, at: p.at, kind: p.kind, session: p.session, what }))
}

fn told_by_row(rows: &impl Rows, source: &str, key: &rusqlite::types::Value) -> Result<Option<What>> {
    let one = |sql: &str, what: fn(&Row<'_>) -> rusqlite::Result<What>| -> Result<Option<What>> {
        Ok(rows.conn().prepare_cached(sql)?.query_row([key], what).optional()?)
    };
    match source {
        "outbox" => one("SELECT address, body, status, why FROM outbox WHERE id = ?1", |row| {
            Ok(What::Text { address: row.get(0)?, body: row.get(1)?, status: row.get(2)?, why: row.get(3)? })
        }),
        "push_letters" => one(
            "SELECT p.name, l.about, l.shown_at IS NOT NULL, l.why FROM push_letters l JOIN phones p ON p.id = l.phone
             WHERE l.id = ?1",
            |row| Ok(What::Push { phone: row.get(0)?, about: row.get(1)?, shown: row.get(2)?, why: row.get(3)? }),
        ),
        "phones" => one("SELECT name, browser, address, revoked_why FROM phones WHERE id = ?1", |row| {
            Ok(What::Phone { name: row.get(0)?, browser: row.get(1)?, address: row.get(2)?, why: row.get(3)? })
        }),
        _ => Ok(None),
    }
}

/// So many requests were refused for their signature: counted onto those of the last hour, if there were any.
pub fn refused(tx: &Tx<'_>, more: u64, now: Timestamp) -> Result<()> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    let counted = tx
        .conn()
        .prepare_cached(
            "UPDATE activity SET ref = ref + ?1 WHERE at > ?2 AND id =
                 (SELECT id FROM activity WHERE kind = 'signature_refused' ORDER BY id DESC LIMIT 1)",
        )?
        .execute([more, now.0 - HOUR])?;
    if counted == 0 {
        let sql = "INSERT INTO activity (at, kind, source, ref) VALUES (?1, 'signature_refused', 'refused', ?2)";
        tx.conn().prepare_cached(sql)?.execute([now.0, more])?;
    }
    audit::append(tx, audit::Kind::SignatureRefused, &serde_json::json!({ "times": more }), now)
}

/// History of another program was taken in.
pub fn imported(tx: &Tx<'_>, brought: Brought, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO activity (at, kind, source, ref) VALUES (?1, 'imported', 'imported', ?2)";
    tx.conn().prepare_cached(sql)?.execute(params![now.0, serde_json::to_string(&brought)?])?;
    Ok(())
}

#[cfg(test)]
mod tests;
