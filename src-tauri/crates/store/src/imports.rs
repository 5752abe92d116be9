//! History of another program that was taken in. Each conversation is a closed session, whose events have numbers below 0 in a
//! block of their own: nobody's cursor is there, so no stream carries them, and in a search they are older than all else.

use crate::{Result, Rows, Tx, listing, sessions};
use domain::{PermissionMode, SessionId, Timestamp, event::Event};
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;

/// The agent of such sessions.
pub const AGENT: &str = "imported";
/// Numbers of one conversation: more than any has lines.
const BLOCK: i64 = 10_000_000;

/// A conversation that is about to be taken in.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The other program's id of it.
    pub id: String,
    pub title: String,
    /// The folder it was about, as a tag.
    pub project: String,
    /// When it began.
    pub at: Timestamp,
}

/// Up to which byte of its file each conversation was taken.
pub fn all(rows: &impl Rows) -> Result<HashMap<String, u64>> {
    let mut query = rows.conn().prepare_cached("SELECT conversation, bytes FROM imports")?;
    let taken = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64));
    Ok(query.query_map([], taken)?.collect::<rusqlite::Result<_>>()?)
}

/// Up to which byte of its file it was taken; none if nothing was.
pub fn taken(rows: &impl Rows, conversation: &str) -> Result<Option<u64>> {
    let mut query = rows.conn().prepare_cached("SELECT bytes FROM imports WHERE conversation = ?1")?;
    Ok(query.query_row([conversation], |row| row.get::<_, i64>(0)).optional()?.map(|bytes| bytes.max(0) as u64))
}

/// Takes the next piece of a conversation: what bytes `from` to `to` of its file say. False if that is not where the last piece
/// ended (another import was quicker), or its block is full.
pub fn take(
    tx: &Tx<'_>,
    conversation: &Conversation,
    (from, to): (u64, u64),
    events: &[(Timestamp, Event)],
) -> Result<bool> {
    let known = taken(tx, &conversation.id)?;
    if known.unwrap_or(0) != from {
        return Ok(false);
    }
    if known.is_none() {
        begin(tx, conversation)?;
    }
    let (session, mut last): (String, i64) = tx
        .conn()
        .prepare_cached("SELECT session, last FROM imports WHERE conversation = ?1")?
        .query_row([&conversation.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let free = BLOCK - 1 - last.rem_euclid(BLOCK);
    if events.len() as i64 > free {
        return Ok(false);
    }
    let mut insert = tx.conn().prepare_cached("INSERT INTO events (seq, session, at, body) VALUES (?1, ?2, ?3, ?4)")?;
    for (at, event) in events {
        last += 1;
        insert.execute(params![last, session, at.0, body(event, last)?])?;
    }
    let used = events.iter().map(|(at, _)| at.0).max();
    tx.conn().prepare_cached("UPDATE imports SET bytes = ?2, last = ?3 WHERE conversation = ?1")?.execute(params![
        conversation.id,
        i64::try_from(to).unwrap_or(i64::MAX),
        last
    ])?;
    tx.conn()
        .prepare_cached("UPDATE sessions SET last_at = max(last_at, coalesce(?2, last_at)) WHERE id = ?1")?
        .execute(params![session, used])?;
    Ok(true)
}

/// What was said never was in the inbox: its own number names it.
fn body(event: &Event, seq: i64) -> Result<String> {
    let mut event = event.clone();
    if let Event::Said { message, .. } = &mut event {
        *message = seq;
    }
    Ok(serde_json::to_string(&event)?)
}

fn begin(tx: &Tx<'_>, conversation: &Conversation) -> Result<()> {
    let session = SessionId::new();
    sessions::create(tx, session, AGENT, &conversation.title, PermissionMode::Default, conversation.at)?;
    sessions::close(tx, session)?;
    if !conversation.project.is_empty() {
        listing::set_tags(tx, session, std::slice::from_ref(&conversation.project))?;
    }
    let before: i64 = tx.conn().prepare_cached("SELECT count(*) FROM imports")?.query_row([], |row| row.get(0))?;
    tx.conn()
        .prepare_cached("INSERT INTO imports (conversation, session, bytes, last) VALUES (?1, ?2, 0, ?3)")?
        .execute(params![conversation.id, session.to_string(), -(before + 1) * BLOCK])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, activity, events, search};

    fn conversation(id: &str) -> Conversation {
        Conversation { id: id.into(), title: "Old words".into(), project: "shop".into(), at: Timestamp(5) }
    }

    fn said(text: &str) -> Event {
        Event::Answered { turn: None, message: "m".into(), text: text.into() }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        (folder, store)
    }

    async fn taken_in(store: &Store, id: &'static str, bytes: (u64, u64), text: &'static str, at: i64) -> bool {
        store.write(move |tx| take(tx, &conversation(id), bytes, &[(Timestamp(at), said(text))])).await.unwrap()
    }

    #[tokio::test]
    async fn a_piece_is_taken_once_and_a_longer_file_goes_on_where_it_ended() {
        let (_folder, store) = store();
        assert!(taken_in(&store, "a", (0, 10), "first invoice", 7).await);
        assert!(!taken_in(&store, "a", (0, 10), "first invoice", 7).await, "again");
        assert!(taken_in(&store, "b", (0, 4), "other invoice", 3).await);
        assert!(taken_in(&store, "a", (10, 20), "second invoice", 9).await);
        let rows = store.read(|r| sessions::latest(r, 5)).await.unwrap();
        let told: Vec<_> = rows.iter().map(|s| (s.agent.as_str(), s.open, s.created_at.0, s.last_at.0)).collect();
        assert_eq!(told, [("imported", false, 5, 9), ("imported", false, 5, 5)]);
        let id = rows[0].id;
        let kept = store.read(move |r| events::of_session(r, id, i64::MIN, 10)).await.unwrap();
        assert_eq!(
            kept.iter().map(|e| (e.at.0, e.event.clone())).collect::<Vec<_>>(),
            [(7, said("first invoice")), (9, said("second invoice"))]
        );
        assert!(kept.iter().all(|e| e.seq < 0));
        assert_eq!(store.read(|r| all(r)).await.unwrap()["a"], 20);
    }

    #[tokio::test]
    async fn what_was_imported_is_found_last_and_no_cursor_meets_it() {
        let (_folder, store) = store();
        taken_in(&store, "a", (0, 10), "an old invoice", 7).await;
        let live = SessionId::new();
        let seq = store.write(move |tx| {
            sessions::create(tx, live, "claude", "", PermissionMode::Default, Timestamp(8))?;
            events::append(tx, live, &said("a new invoice"), Timestamp(8))
        });
        assert_eq!(seq.await.unwrap(), 1, "numbers of what happens here begin at 1");
        taken_in(&store, "b", (0, 10), "an old invoice", 7).await;
        let streamed = store.read(|r| events::after(r, 0, 10)).await.unwrap();
        assert_eq!(streamed.len(), 1);
        assert_eq!(store.read(|r| events::last(r)).await.unwrap(), 1);
        let query = search::query("invoice").unwrap();
        let hits = store.read(move |r| search::best(r, &query, 10)).await.unwrap();
        assert_eq!(hits.iter().map(|h| h.seq.signum()).collect::<Vec<_>>(), [1, -1, -1]);
        assert!(hits[1].snippet.contains("invoice"));
        let (told, _) = store.read(|r| activity::page(r, &activity::Wanted::default(), 10)).await.unwrap();
        assert_eq!(told.len(), 1, "it did not happen here");
    }
}
