//! Full text over everything said and done.

use crate::{Result, Rows, values};
use domain::{SessionId, Timestamp};
use rusqlite::params;

/// A place where the words were found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub seq: i64,
    pub session: SessionId,
    pub session_number: u32,
    pub session_title: String,
    pub at: Timestamp,
    /// The event's type.
    pub kind: String,
    /// What matches stands between U+E000 and U+E001.
    pub snippet: String,
}

/// A person's words as an FTS5 query: all of them must be there, the last may be a word's beginning. None if there is no
/// word in them.
pub fn query(words: &str) -> Option<String> {
    let words: Vec<String> = words
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .take(16)
        .map(|word| format!("\"{word}\""))
        .collect();
    (!words.is_empty()).then(|| words.join(" ") + " *")
}

/// How many of the newest matches are ranked: weighing them costs about a microsecond each, and a word that stands in half of
/// a million events is not found sooner by weighing them all.
const RANKED: i64 = 2000;

/// The best first. `query` is what [`query`] gave.
pub fn best(rows: &impl Rows, query: &str, limit: usize) -> Result<Vec<Hit>> {
    let mut oldest = rows.conn().prepare_cached(
        "SELECT coalesce((SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2), 0)",
    )?;
    let oldest: i64 = oldest.query_row(params![query, RANKED], |row| row.get(0))?;
    let mut found = rows.conn().prepare_cached(
        "SELECT e.seq, e.session, s.number, s.title, e.at, json_extract(e.body, '$.type'), w.snippet
         FROM (SELECT rowid AS seq, snippet(words, 0, char(57344), char(57345), '…', 24) AS snippet, rank AS worth
               FROM words WHERE words MATCH ?1 AND rowid > ?2 ORDER BY rank LIMIT ?3) w
         JOIN events e ON e.seq = w.seq JOIN sessions s ON s.id = e.session ORDER BY w.worth, e.seq DESC",
    )?;
    let hit = |row: &rusqlite::Row<'_>| {
        Ok(Hit {
            seq: row.get(0)?,
            session: values::parsed(row, 1)?,
            session_number: row.get(2)?,
            session_title: row.get(3)?,
            at: Timestamp(row.get(4)?),
            kind: row.get(5)?,
            snippet: row.get(6)?,
        })
    };
    found.query_and_then(params![query, oldest, limit as i64], hit)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, events, listing, sessions};
    use domain::event::Event;

    async fn world(texts: &'static [&'static str]) -> (tempfile::TempDir, Store, SessionId) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let id = SessionId::new();
        let write = store.write(move |tx| {
            sessions::create(tx, id, "claude", "billing", Default::default(), Timestamp(1))?;
            for (n, text) in texts.iter().enumerate() {
                let message = format!("m{n}");
                events::append(tx, id, &Event::Answered { turn: None, message, text: (*text).into() }, Timestamp(2))?;
            }
            let input = serde_json::json!({ "command": "npm run deploy-café", "deep": { "n": [1, "leaf"] } });
            let used = Event::ToolUsed { turn: None, id: "t".into(), tool: "Bash".into(), input, parent: None };
            events::append(tx, id, &used, Timestamp(3))
        });
        write.await.unwrap();
        (folder, store, id)
    }

    async fn found(store: &Store, words: &str) -> Vec<Hit> {
        let query = query(words).unwrap();
        store.read(move |r| best(r, &query, 10)).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_said_and_done_is_found_best_first() {
        let (_folder, store, id) =
            world(&["the invoice subtotal is wrong", "invoice, invoice and invoice", "a \u{E000}mark"]).await;
        let hits = found(&store, "invoice").await;
        assert_eq!(hits.iter().map(|h| h.seq).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((hits[0].session, hits[0].kind.as_str()), (id, "answered"));
        assert_eq!(hits[1].snippet, "the \u{E000}invoice\u{E001} subtotal is wrong");
        assert_eq!(found(&store, "subtotal INVOICE").await.len(), 1);
        assert_eq!(found(&store, "subtot").await.len(), 1, "the last word may be a beginning");
        assert_eq!(found(&store, "deploy cafe").await[0].kind, "tool_used");
        assert_eq!(found(&store, "leaf").await.len(), 1);
        assert_eq!(found(&store, "mark").await[0].snippet, "a \u{E000}mark\u{E001}", "no text brings marks of its own");
        assert!(found(&store, "nowhere").await.is_empty());
    }

    #[tokio::test]
    async fn no_query_is_a_syntax_error() {
        let (_folder, store, _) = world(&["x"]).await;
        for words in
            ["\"", "a\"b", "NEAR(a b)", "a AND", "col:x", "*", "a*b", "(", "-x", "^x", "'; DROP", "\0", "é\u{301}"]
        {
            if let Some(query) = query(words) {
                store.read(move |r| best(r, &query, 10)).await.unwrap_or_else(|e| panic!("{words:?}: {e:?}"));
            }
        }
        assert_eq!(query(" \" * ( "), None);
    }

    #[tokio::test]
    async fn sessions_are_listed_by_page_and_by_what_is_in_them() {
        let (_folder, store, first) = world(&["the invoice"]).await;
        let more: Vec<SessionId> = (0..5).map(|_| SessionId::new()).collect();
        let made = more.clone();
        store
            .write(move |tx| {
                for id in &made {
                    sessions::create(tx, *id, "claude", "other", Default::default(), Timestamp(9))?;
                }
                listing::set_tags(tx, made[0], &["work".into(), "work".into()])
            })
            .await
            .unwrap();
        let page = |wanted: listing::Wanted| store.read(move |r| listing::page(r, &wanted, 2));
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let rows = page(listing::Wanted { after, ..Default::default() }).await.unwrap();
            let Some(last) = rows.last() else { break };
            after = Some((last.last_at, last.number));
            seen.extend(rows.iter().map(|r| r.id));
        }
        assert_eq!(seen, more.iter().rev().copied().chain([first]).collect::<Vec<_>>());
        let text = Some((query("invoice").unwrap(), "invoice".to_owned()));
        let ids = |rows: Vec<sessions::SessionRow>| rows.iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(page(listing::Wanted { text, ..Default::default() }).await.unwrap()), [first]);
        let tag = Some("work".to_owned());
        assert_eq!(ids(page(listing::Wanted { tag, ..Default::default() }).await.unwrap()), [more[0]]);
        let only = Some((vec![first], listing::Ids::Only));
        assert_eq!(ids(page(listing::Wanted { ids: only, ..Default::default() }).await.unwrap()), [first]);
    }
}
