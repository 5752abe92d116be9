//! Where what is said to a person went, and whether it arrived: texts and pushes by the event they tell of.

use crate::{
    Result, Rows, Tx,
    push_letters::{ANSWERED, SEEN},
    values,
};
use domain::{PhoneId, SessionId, Timestamp};
use rusqlite::{Params, Row, params};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the address that `name` is.
    Sms,
    /// To the phone that `name` names.
    Push,
}

/// How far it came, from the worst to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Failed,
    Waiting,
    /// It left.
    Sent,
    /// The phone has it.
    Delivered,
    /// The phone showed it.
    Shown,
}

/// One way by which a person was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub way: Way,
    pub name: String,
    pub state: State,
    pub why: Option<String>,
    pub at: Timestamp,
}

/// By which ways an event was told, texts first. A push that was not needed any more went nowhere.
pub fn of_event(rows: &impl Rows, event: i64) -> Result<Vec<Sent>> {
    let mut sent = texts(rows, event)?;
    sent.extend(pushes(rows, event)?);
    Ok(sent)
}

fn texts(rows: &impl Rows, event: i64) -> Result<Vec<Sent>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT address, state, status, why, coalesce(changed_at, created_at) FROM outbox WHERE event = ?1 ORDER BY id",
    )?;
    let text = |row: &Row<'_>| -> rusqlite::Result<Sent> {
        let (state, status): (String, Option<String>) = (row.get(1)?, row.get(2)?);
        let state = match (state.as_str(), status.as_deref()) {
            (_, Some("delivered" | "read")) => State::Delivered,
            ("failed", _) | (_, Some("failed" | "undelivered" | "canceled")) => State::Failed,
            ("sent", _) => State::Sent,
            _ => State::Waiting,
        };
        Ok(Sent { way: Way::Sms, name: row.get(0)?, state, why: row.get(3)?, at: Timestamp(row.get(4)?) })
    };
    Ok(query.query_map([event], text)?.collect::<rusqlite::Result<_>>()?)
}

/// A phone may take pushes in several browsers: it is told of once, by the one that came furthest.
fn pushes(rows: &impl Rows, event: i64) -> Result<Vec<Sent>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT l.phone, p.name, l.state, l.why, l.sent_at, coalesce(l.shown_at, l.sent_at, l.created_at)
         FROM push_letters l JOIN phones p ON p.id = l.phone
         WHERE l.event = ?1 AND l.subscription > 0 AND NOT (l.state = 'failed' AND l.why IN (?2, ?3)) ORDER BY l.id",
    )?;
    let push = |row: &Row<'_>| -> Result<(PhoneId, Sent)> {
        let (state, why, left): (String, Option<String>, Option<i64>) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let texted = || Some("A text went instead.".to_owned());
        let (state, why) = match state.as_str() {
            "shown" => (State::Shown, None),
            "sent" => (State::Sent, why),
            "texted" if left.is_some() => (State::Sent, texted()),
            "texted" => (State::Failed, texted()),
            "failed" => (State::Failed, why),
            _ => (State::Waiting, why),
        };
        let sent = Sent { way: Way::Push, name: row.get(1)?, state, why, at: Timestamp(row.get(5)?) };
        Ok((values::parsed(row, 0)?, sent))
    };
    let mut best: Vec<(PhoneId, Sent)> = Vec::new();
    for found in query.query_and_then(params![event, ANSWERED, SEEN], push)? {
        let (phone, sent) = found?;
        match best.iter_mut().find(|(known, _)| *known == phone) {
            Some((_, known)) if known.state < sent.state => *known = sent,
            Some(_) => {}
            None => best.push((phone, sent)),
        }
    }
    Ok(best.into_iter().map(|(_, sent)| sent).collect())
}

/// The newest events that were told, with their sessions, newest first.
pub fn newest(rows: &impl Rows, limit: usize) -> Result<Vec<(i64, SessionId)>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT e.seq, e.session FROM (
             SELECT * FROM (SELECT event FROM outbox WHERE event IS NOT NULL GROUP BY event ORDER BY event DESC LIMIT ?1)
             UNION SELECT * FROM (SELECT event FROM push_letters WHERE event IS NOT NULL GROUP BY event ORDER BY event DESC LIMIT ?1)
         ) t JOIN events e ON e.seq = t.event ORDER BY e.seq DESC LIMIT ?1",
    )?;
    query.query_and_then([limit as i64], |row| Ok((row.get(0)?, values::parsed(row, 1)?)))?.collect()
}

/// Runs a change of letters (`sql` ends before its `RETURNING`) and rings for the events they tell of; gives how many changed.
pub(crate) fn change(tx: &Tx<'_>, sql: &str, values: impl Params) -> Result<usize> {
    let mut query = tx.conn().prepare_cached(&format!("{sql} RETURNING event"))?;
    let mut changed = 0;
    for event in query.query_map(values, |row| row.get::<_, Option<i64>>(0))? {
        changed += 1;
        if let Some(event) = event? {
            tx.ring_letters(event);
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, events, outbox, push_letters, push_letters::About, sessions};
    use domain::{TurnId, event::Event};

    const T: Timestamp = Timestamp(1_000);
    const LATER: Timestamp = Timestamp(2_000);

    /// A session, an event of it, and a phone that takes pushes in two browsers.
    async fn world() -> (tempfile::TempDir, Store, SessionId, i64) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let id = SessionId::new();
        let made = move |tx: &Tx<'_>| {
            sessions::create(tx, id, "claude", "", Default::default(), T)?;
            tx.conn().execute_batch(
                "INSERT INTO phones VALUES ('01890000-0000-7000-8000-000000000000', 'Ada''s phone', '', '', NULL, '', '', NULL, NULL, 0, 0, NULL, NULL);
                 INSERT INTO push_subscriptions (phone, endpoint, p256dh, auth, made_at)
                 SELECT id, 'https://push.example/1', x'', x'', 0 FROM phones UNION ALL SELECT id, 'https://push.example/2', x'', x'', 0 FROM phones",
            )?;
            events::append(tx, id, &Event::Noticed { text: "x".into() }, T)
        };
        let event = store.write(made).await.unwrap();
        (folder, store, id, event)
    }

    fn text(event: i64) -> outbox::Letter {
        outbox::Letter { address: "+15551230001".into(), body: "x".into(), event: Some(event), ..Default::default() }
    }

    async fn states(store: &Store, event: i64) -> Vec<(String, State, Option<String>)> {
        let sent = store.read(move |r| of_event(r, event)).await.unwrap();
        sent.into_iter().map(|s| (s.name, s.state, s.why)).collect()
    }

    #[tokio::test]
    async fn a_text_is_followed_until_its_receipt() {
        let (_folder, store, _, event) = world().await;
        let mut bell = store.bells().letters.subscribe();
        let id = store.write(move |tx| outbox::put(tx, &text(event), T)).await.unwrap();
        assert_eq!(states(&store, event).await[0].1, State::Waiting);
        store.write(move |tx| outbox::sent(tx, id, "SM1", "queued", 1, T)).await.unwrap();
        assert_eq!(states(&store, event).await[0].1, State::Sent);
        let receipt = |status: &str, rank| outbox::Receipt {
            letter: None,
            sid: "SM1".into(),
            status: status.into(),
            rank,
            error: None,
            why: Some("The phone is off.".into()),
        };
        let undelivered = receipt("undelivered", 4);
        store.write(move |tx| outbox::receipt(tx, &undelivered, LATER)).await.unwrap();
        let sent = store.read(move |r| of_event(r, event)).await.unwrap();
        assert_eq!(
            (sent[0].state, sent[0].why.as_deref(), sent[0].at),
            (State::Failed, Some("The phone is off."), LATER)
        );
        for _ in 0..3 {
            assert_eq!(bell.recv().await.unwrap(), event, "each change rings");
        }
    }

    #[tokio::test]
    async fn a_phone_with_two_browsers_is_told_of_once_by_the_one_that_came_furthest() {
        let (_folder, store, session, event) = world().await;
        let about = About::Turn(TurnId::new());
        store.write(move |tx| push_letters::put(tx, about, session, event, None, T)).await.unwrap();
        assert_eq!(states(&store, event).await, [("Ada's phone".to_owned(), State::Waiting, None)]);
        let phone = "01890000-0000-7000-8000-000000000000".parse().unwrap();
        store
            .write(move |tx| {
                push_letters::failed(tx, 1, "its push service is gone")?;
                push_letters::begin_attempt(tx, 2, LATER, T)?;
                push_letters::sent(tx, 2, T)?;
                push_letters::shown(tx, 2, phone, LATER)
            })
            .await
            .unwrap();
        assert_eq!(states(&store, event).await, [("Ada's phone".to_owned(), State::Shown, None)]);
        assert_eq!(store.read(|r| newest(r, 5)).await.unwrap(), [(event, session)]);
    }

    #[tokio::test]
    async fn what_was_seen_on_a_page_went_nowhere_and_what_was_texted_says_so() {
        let (_folder, store, session, event) = world().await;
        let about = About::Turn(TurnId::new());
        let other = store.write(move |tx| events::append(tx, session, &Event::Closed, T)).await.unwrap();
        let texted = About::Turn(TurnId::new());
        store
            .write(move |tx| {
                push_letters::put(tx, about, session, event, None, T)?;
                push_letters::seen(tx, about)?;
                push_letters::put(tx, texted, session, other, None, T)?;
                push_letters::texted(tx, texted)
            })
            .await
            .unwrap();
        assert_eq!(states(&store, event).await, []);
        let [(_, state, why)] = &states(&store, other).await[..] else { panic!() };
        assert_eq!((*state, why.as_deref()), (State::Failed, Some("A text went instead.")));
        assert_eq!(store.read(move |r| push_letters::event_of(r, texted)).await.unwrap(), Some(other));
    }

    #[tokio::test]
    async fn a_task_that_ends_again_tells_its_newest_end_alone() {
        let (_folder, store, session, event) = world().await;
        let about = About::Task(domain::task::TaskId(12));
        let other = store.write(move |tx| events::append(tx, session, &Event::Closed, T)).await.unwrap();
        store
            .write(move |tx| {
                push_letters::put(tx, about, session, event, Some(T), T)?;
                push_letters::supersede(tx, about)?;
                assert!(!push_letters::take_text(tx, about)?, "no text goes about the older");
                push_letters::put(tx, about, session, other, Some(T), T)
            })
            .await
            .unwrap();
        let due = store.read(|r| push_letters::due(r, T)).await.unwrap().0;
        assert_eq!(due.len(), 2, "one for each browser");
        let [(_, state, _)] = &states(&store, event).await[..] else { panic!() };
        assert_eq!(*state, State::Failed);
        let [(_, state, _)] = &states(&store, other).await[..] else { panic!() };
        assert_ne!(*state, State::Failed);
        assert_eq!(store.read(move |r| push_letters::event_of(r, about)).await.unwrap(), Some(other));
    }

    #[tokio::test]
    async fn a_change_that_is_undone_rings_for_nothing() {
        let (_folder, store, _, event) = world().await;
        let mut bell = store.bells().letters.subscribe();
        let undone = store.write(move |tx| {
            outbox::put(tx, &text(event), T)?;
            Err::<(), _>(crate::Error::Missing)
        });
        undone.await.unwrap_err();
        assert!(bell.try_recv().is_err());
    }
}
