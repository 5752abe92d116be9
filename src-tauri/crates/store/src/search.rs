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

/// A person's words, as FTS5 takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    words: Vec<String>,
    /// All of the words.
    exact: String,
    /// The same with the last one a word's beginning.
    loose: Option<String>,
}

/// A beginning shorter than this stands in too much to find anything by it.
const BEGINNING: usize = 3;

/// None if there is no word in it.
pub fn query(text: &str) -> Option<Query> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .take(16)
        .map(str::to_lowercase)
        .collect();
    let last = words.last()?;
    let exact = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ");
    let loose = (last.chars().count() >= BEGINNING).then(|| format!("{exact} *"));
    Some(Query { words, exact, loose })
}

impl Query {
    /// What finds most: for a list that is narrowed down by it.
    pub fn loosest(&self) -> &str {
        self.loose.as_deref().unwrap_or(&self.exact)
    }
}

/// How many of the newest matches are weighed. FTS5's own `bm25` counts a word through the whole index first: 30 to 100 ms
/// for one that stands in a third of a million events (measured), where this takes 3 ms.
const WEIGHED: usize = 300;

/// The best first; those that only begin like the last word come after those that have it.
pub fn best(rows: &impl Rows, query: &Query, limit: usize) -> Result<Vec<Hit>> {
    let mut hits = matching(rows, &query.exact, &query.words, limit)?;
    if let Some(loose) = query.loose.as_ref().filter(|_| hits.len() < limit) {
        let more = matching(rows, loose, &query.words, limit)?;
        let fresh = more.into_iter().filter(|hit| !hits.iter().any(|known| known.seq == hit.seq)).collect::<Vec<_>>();
        hits.extend(fresh);
        hits.truncate(limit);
    }
    Ok(hits)
}

fn matching(rows: &impl Rows, fts: &str, words: &[String], limit: usize) -> Result<Vec<Hit>> {
    let mut newest = rows.conn().prepare_cached(
        "SELECT w.seq, t.text FROM (SELECT rowid AS seq FROM words WHERE words MATCH ?1 ORDER BY rowid DESC LIMIT ?2) w
         JOIN event_words t ON t.seq = w.seq",
    )?;
    let worth = |row: &rusqlite::Row<'_>| {
        Ok((weigh(row.get_ref(1)?.as_str().unwrap_or_default(), words), row.get::<_, i64>(0)?))
    };
    let mut weighed: Vec<(f64, i64)> =
        newest.query_map(params![fts, WEIGHED as i64], worth)?.collect::<std::result::Result<_, _>>()?;
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    weighed.truncate(limit);
    let chosen: Vec<i64> = weighed.iter().map(|(_, seq)| *seq).collect();
    let mut hits = shown(rows, fts, &chosen)?;
    hits.sort_by_key(|hit| chosen.iter().position(|seq| *seq == hit.seq));
    Ok(hits)
}

/// Often is better, in a short text better still; ten times is not ten times better (the form of BM25, with its usual weights).
fn weigh(text: &str, words: &[String]) -> f64 {
    let text = text.to_lowercase();
    let length = text.len() as f64 / 400.0;
    let worth = |word: &String| {
        // FTS5 also finds words by their letters without accents: those count as found once.
        let times = text.matches(word.as_str()).count().max(1) as f64;
        times / (times + 1.2 * (0.25 + 0.75 * length))
    };
    words.iter().map(worth).sum()
}

/// The chosen matches with their snippets, in one walk through the newest matches: a walk for each would look the words up
/// anew each time.
fn shown(rows: &impl Rows, fts: &str, chosen: &[i64]) -> Result<Vec<Hit>> {
    let mut found = rows.conn().prepare_cached(
        "SELECT e.seq, e.session, s.number, s.title, e.at, json_extract(e.body, '$.type'), w.snippet
         FROM (SELECT rowid AS seq, CASE WHEN rowid IN (SELECT value FROM json_each(?2))
                   THEN snippet(words, 0, char(57344), char(57345), '…', 24) END AS snippet
               FROM words WHERE words MATCH ?1 ORDER BY rowid DESC LIMIT ?3) w
         JOIN events e ON e.seq = w.seq JOIN sessions s ON s.id = e.session WHERE w.snippet IS NOT NULL",
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
    found.query_and_then(params![fts, serde_json::to_string(chosen)?, WEIGHED as i64], hit)?.collect()
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
        let text = Some((query("invoice").unwrap().loosest().to_owned(), "invoice".to_owned()));
        let ids = |rows: Vec<sessions::SessionRow>| rows.iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(page(listing::Wanted { text, ..Default::default() }).await.unwrap()), [first]);
        let tag = Some("work".to_owned());
        assert_eq!(ids(page(listing::Wanted { tag, ..Default::default() }).await.unwrap()), [more[0]]);
        let only = Some((vec![first], listing::Ids::Only));
        assert_eq!(ids(page(listing::Wanted { ids: only, ..Default::default() }).await.unwrap()), [first]);
    }
}
