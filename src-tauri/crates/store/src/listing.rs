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
    /// Last used then or later.
    pub from: Option<Timestamp>,
    /// Last used before then.
    pub to: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    Only,
    AllBut,
}

/// The last used first. Only what is asked for is in the query, so that each has the index that is made for it.
pub fn page(rows: &impl Rows, wanted: &Wanted, limit: usize) -> Result<Vec<SessionRow>> {
    let mut query = rows.conn().prepare_cached(&wanted.sql())?;
    let (text, words) = wanted.text.clone().unzip();
    let ids = wanted.ids.as_ref().map(|(ids, _)| serde_json::to_string(ids)).transpose()?;
    let (at, number) = wanted.after.unzip();
    let time = |at: Option<Timestamp>| at.map(|at| at.0);
    let values = params![
        wanted.open,
        wanted.agent,
        wanted.tag,
        text,
        words,
        ids,
        time(at),
        number,
        time(wanted.from),
        time(wanted.to),
        limit as i64
    ];
    query.query_and_then(values, crate::sessions::session)?.collect()
}

impl Wanted {
    /// Few ids and few sessions of a tag are looked up one by one; all else is a walk through an index, the last used first.
    fn sql(&self) -> String {
        let columns = crate::sessions::COLUMNS;
        let from = match (&self.ids, &self.tag) {
            (Some((_, Ids::Only)), _) => {
                "(SELECT value AS one FROM json_each(?6)) few CROSS JOIN sessions ON id = few.one"
            }
            (_, Some(_)) => "(SELECT session AS one FROM tags WHERE tag = ?3) few CROSS JOIN sessions ON id = few.one",
            _ => "sessions",
        };
        let only = matches!(self.ids, Some((_, Ids::Only)));
        let asked = [
            (self.open.is_some(), "open = ?1"),
            (self.agent.is_some(), "agent = ?2"),
            (only && self.tag.is_some(), "id IN (SELECT session FROM tags WHERE tag = ?3)"),
            (self.text.is_some(), TEXT),
            (matches!(self.ids, Some((_, Ids::AllBut))), "id NOT IN (SELECT value FROM json_each(?6))"),
            (self.after.is_some(), "(last_at, number) < (?7, ?8)"),
            (self.from.is_some(), "last_at >= ?9"),
            (self.to.is_some(), "last_at < ?10"),
        ];
        let conditions: String =
            asked.iter().filter(|(asked, _)| *asked).map(|(_, sql)| format!(" AND {sql}")).collect();
        format!("SELECT {columns} FROM {from} WHERE true{conditions} ORDER BY last_at DESC, number DESC LIMIT ?11")
    }
}

/// In the title, or in the newest matches.
const TEXT: &str = "(instr(lower(title), lower(?5)) > 0 OR id IN (SELECT session FROM events WHERE seq IN
    (SELECT rowid FROM words WHERE words MATCH ?4 ORDER BY rowid DESC LIMIT 5000)))";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, plan, search, sessions};

    async fn store() -> (tempfile::TempDir, Store, Vec<SessionId>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let ids: Vec<SessionId> = (0..6).map(|_| SessionId::new()).collect();
        let made = ids.clone();
        let write = store.write(move |tx| {
            for (n, id) in made.iter().enumerate() {
                let agent = if n % 2 == 0 { "claude" } else { "imported" };
                sessions::create(tx, *id, agent, &format!("thread {n}"), Default::default(), Timestamp(n as i64 * 10))?;
            }
            sessions::close(tx, made[1])?;
            sessions::close(tx, made[4])?;
            set_tags(tx, made[3], &["work".into()])
        });
        write.await.unwrap();
        (folder, store, ids)
    }

    /// Which of the six, by their places.
    async fn found(store: &Store, ids: &[SessionId], wanted: Wanted) -> Vec<usize> {
        let rows = store.read(move |r| page(r, &wanted, 10)).await.unwrap();
        rows.iter().map(|row| ids.iter().position(|id| *id == row.id).unwrap()).collect()
    }

    #[tokio::test]
    async fn filters_hold_together_and_the_last_used_comes_first() {
        let (_folder, store, ids) = store().await;
        let all = Wanted::default();
        assert_eq!(found(&store, &ids, all.clone()).await, [5, 4, 3, 2, 1, 0]);
        let agent = Wanted { agent: Some("imported".into()), ..all.clone() };
        assert_eq!(found(&store, &ids, agent.clone()).await, [5, 3, 1]);
        assert_eq!(found(&store, &ids, Wanted { open: Some(false), ..agent }).await, [1]);
        assert_eq!(found(&store, &ids, Wanted { tag: Some("work".into()), ..all.clone() }).await, [3]);
        let dated = Wanted { from: Some(Timestamp(20)), to: Some(Timestamp(40)), ..all.clone() };
        assert_eq!(found(&store, &ids, dated).await, [3, 2]);
        let titled = Wanted { text: Some(("\"thread\" \"2\"".into(), "thread 2".into())), ..all.clone() };
        assert_eq!(found(&store, &ids, titled).await, [2]);
        let only = Some((vec![ids[0], ids[3], ids[4]], Ids::Only));
        assert_eq!(found(&store, &ids, Wanted { ids: only.clone(), ..all.clone() }).await, [4, 3, 0]);
        assert_eq!(found(&store, &ids, Wanted { ids: only, tag: Some("work".into()), ..all.clone() }).await, [3]);
        let but = Wanted { ids: Some((ids[1..].to_vec(), Ids::AllBut)), ..all };
        assert_eq!(found(&store, &ids, but).await, [0]);
    }

    /// Whatever is asked, no event is walked over, and what has an index of its own uses it.
    #[tokio::test]
    async fn pages_are_searched_not_scanned() {
        let (_folder, store, _) = store().await;
        let text = search::query("invoice").map(|query| (query.loosest().to_owned(), "invoice".to_owned()));
        let all = Wanted { after: Some((Timestamp(9), 9)), ..Wanted::default() };
        let cases = [
            (all.clone(), "sessions_by_use"),
            (Wanted { from: Some(Timestamp(1)), to: Some(Timestamp(5)), ..Wanted::default() }, "sessions_by_use"),
            (Wanted { agent: Some("claude".into()), ..all.clone() }, "sessions_by_agent"),
            (Wanted { open: Some(false), ..all.clone() }, "sessions_by_open"),
            (Wanted { tag: Some("work".into()), ..all.clone() }, "tags_by_tag"),
            (Wanted { ids: Some((vec![SessionId::new()], Ids::Only)), ..all.clone() }, "PRIMARY KEY (id=?)"),
            (Wanted { text, ..all }, "sessions_by_use"),
        ];
        for (wanted, index) in cases {
            let plans = plan::of_all(&store, move |r| page(r, &wanted, 50)).await;
            plans.scan_none_of(&["events", "tags", "sessions"]);
            plans.use_index(index);
        }
        let plans = plan::of_all(&store, |r| {
            let id = SessionId::new();
            tags(r, id)?;
            sessions::latest(r, 50)?;
            crate::events::of_session(r, id, 0, 50)?;
            crate::events::of_session_before(r, id, i64::MAX, 50)?;
            crate::events::some_after(r, 7, 50, 1000)?;
            let query = search::query("invoice").unwrap();
            search::best(r, &query, 10)
        });
        plans.await.scan_none_of(&["events", "tags"]);
    }
}
