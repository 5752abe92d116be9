//! Sessions by page, and their tags.

use crate::{Result, Rows, Tx, sessions::SessionRow, values};
use domain::{SessionId, Timestamp};
use rusqlite::params;

/// Which sessions are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub open: Option<bool>,
    pub agent: Option<String>,
    pub tag: Option<String>,
    /// A query of [`crate::search::query`] over what was said and done, and the words themselves for titles.
    pub text: Option<(String, String)>,
    /// Only these, or all but these.
    pub ids: Option<(Vec<SessionId>, Ids)>,
    /// After this one: the last of the page before.
    pub after: Option<(Timestamp, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    Only,
    AllBut,
}

/// Matches looked through for a page of sessions with `text` in them.
const MATCHES: i64 = 5000;

/// The last used first.
pub fn page(rows: &impl Rows, wanted: &Wanted, limit: usize) -> Result<Vec<SessionRow>> {
    let columns = crate::sessions::COLUMNS;
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT {columns} FROM sessions WHERE
             (?1 IS NULL OR open = ?1) AND (?2 IS NULL OR agent = ?2)
             AND (?3 IS NULL OR id IN (SELECT session FROM tags WHERE tag = ?3))
             AND (?4 IS NULL OR instr(lower(title), lower(?5)) > 0 OR id IN (SELECT session FROM events WHERE seq IN
                  (SELECT rowid FROM words WHERE words MATCH ?4 ORDER BY rowid DESC LIMIT {MATCHES})))
             AND (?6 IS NULL OR (id IN (SELECT value FROM json_each(?6))) = ?7)
             AND (?8 IS NULL OR (last_at, number) < (?8, ?9))
         ORDER BY last_at DESC, number DESC LIMIT ?10"
    ))?;
    let (text, words) = wanted.text.clone().unzip();
    let (ids, how) = wanted.ids.clone().unzip();
    let ids = ids.map(|ids| serde_json::to_string(&ids)).transpose()?;
    let (at, number) = wanted.after.unzip();
    let values = params![
        wanted.open,
        wanted.agent,
        wanted.tag,
        text,
        words,
        ids,
        how == Some(Ids::Only),
        at.map(|t: Timestamp| t.0),
        number,
        limit as i64
    ];
    query.query_and_then(values, crate::sessions::session)?.collect()
}

/// A session's tags, sorted.
pub fn tags(rows: &impl Rows, session: SessionId) -> Result<Vec<String>> {
    let mut query = rows.conn().prepare_cached("SELECT tag FROM tags WHERE session = ?1 ORDER BY tag")?;
    query.query_and_then([session.to_string()], |row| Ok(row.get(0)?))?.collect()
}

/// From now on these and no others.
pub fn set_tags(tx: &Tx<'_>, session: SessionId, tags: &[String]) -> Result<()> {
    let id = session.to_string();
    tx.conn().prepare_cached("DELETE FROM tags WHERE session = ?1")?.execute([&id])?;
    let mut insert = tx.conn().prepare_cached("INSERT INTO tags VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for tag in tags {
        insert.execute([&id, tag])?;
    }
    Ok(())
}

pub fn set_title(tx: &Tx<'_>, session: SessionId, title: &str) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE sessions SET title = ?2 WHERE id = ?1")?
        .execute(params![session.to_string(), title])?;
    Ok(())
}

/// Which model a session's next process uses.
pub fn set_model(tx: &Tx<'_>, session: SessionId, model: &str) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE sessions SET model = ?2 WHERE id = ?1")?
        .execute(params![session.to_string(), values::none_if_empty(model)])?;
    Ok(())
}
