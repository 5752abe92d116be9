mod tasks;

use super::*;
use domain::{
    ApprovalId, SessionId, Timestamp, TurnId,
    approval::{Approval, Decision, Subject},
    event::{Channel, Event, Outcome, When},
    risk::Risk,
};
use inbox::{Arrival, Received};

const T: Timestamp = Timestamp(1_000);

struct World {
    store: Store,
    folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
    World { store, folder }
}

fn text(external: &str) -> Arrival {
    Arrival {
        channel: Channel::Sms,
        external: external.into(),
        sender: Some("+15551230001".into()),
        receiver: None,
        text: "hello".into(),
        media: vec![],
    }
}

async fn session(store: &Store) -> SessionId {
    let id = SessionId::new();
    store.write(move |tx| sessions::create(tx, id, "claude", "", Default::default(), T)).await.unwrap();
    id
}

#[tokio::test]
async fn a_repeated_message_keeps_its_first_number() {
    let w = world();
    let receive = |external: &'static str| w.store.write(move |tx| inbox::receive(tx, &text(external), T));
    assert_eq!(receive("SM1").await.unwrap(), Received { message: 1, fresh: true });
    assert!(receive("SM2").await.unwrap().fresh);
    assert_eq!(receive("SM1").await.unwrap(), Received { message: 1, fresh: false });
    assert_eq!(w.store.read(|r| inbox::unread(r, 0, 10)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_change_that_fails_leaves_nothing_and_spares_its_neighbours() {
    let w = world();
    let good = w.store.write(|tx| inbox::receive(tx, &text("SM1"), T));
    let bad = w.store.write(|tx| {
        inbox::receive(tx, &text("SM2"), T)?;
        Err::<(), _>(Error::Missing)
    });
    let also_good = w.store.write(|tx| inbox::receive(tx, &text("SM3"), T));
    let (good, bad, also_good) = tokio::join!(good, bad, also_good);
    assert!(good.is_ok() && bad.is_err() && also_good.is_ok());
    let kept = w.store.read(|r| inbox::unread(r, 0, 10)).await.unwrap();
    assert_eq!(kept.len(), 2);
}

#[tokio::test]
async fn the_bell_rings_with_the_newest_event_after_it_can_be_read() {
    let w = world();
    let id = session(&w.store).await;
    let mut bell = w.store.bells().events.subscribe();
    let event = Event::Noticed { text: "x".into() };
    let seq = w.store.write(move |tx| events::append(tx, id, &event, T)).await.unwrap();
    bell.changed().await.unwrap();
    assert_eq!(*bell.borrow(), seq);
    let read = w.store.read(move |r| events::after(r, seq - 1, 10)).await.unwrap();
    assert_eq!(read.len(), 1);
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let w = world();
    w.store.write(|tx| inbox::receive(tx, &text("SM1"), T)).await.unwrap();
    drop(w.store);
    let store = Store::open(&w.folder.path().join("lanyard.db")).unwrap();
    assert_eq!(store.read(|r| inbox::unread(r, 0, 10)).await.unwrap()[0].text, "hello");
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    let w = world();
    w.store.write(|tx| inbox::receive(tx, &text("SM1"), T)).await.unwrap();
    w.store.read(|r| inbox::unread(r, 0, 10)).await.unwrap();
    drop(w.store);
    let names: Vec<_> = w.folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["lanyard.db"]);
}

#[tokio::test]
async fn a_message_waits_in_its_session_until_a_turn_takes_it() {
    let w = world();
    let id = session(&w.store).await;
    let turn = TurnId::new();
    w.store
        .write(move |tx| {
            let m = inbox::receive(tx, &text("SM1"), T)?.message;
            inbox::route(tx, m, id, "hello", &[], When::Queue)
        })
        .await
        .unwrap();
    assert_eq!(w.store.read(|r| inbox::sessions_waiting(r)).await.unwrap(), [id]);
    w.store
        .write(move |tx| {
            turns::begin(tx, turn, id, T)?;
            inbox::take(tx, 1, turn)
        })
        .await
        .unwrap();
    assert!(w.store.read(move |r| inbox::waiting(r, id)).await.unwrap().is_empty());
    assert_eq!(w.store.read(move |r| inbox::of_turn(r, turn)).await.unwrap().len(), 1);
    assert_eq!(w.store.read(|r| turns::left_open(r)).await.unwrap().len(), 1);
    w.store.write(move |tx| turns::end(tx, turn, Outcome::Completed, 5, T)).await.unwrap();
    assert!(w.store.read(|r| turns::left_open(r)).await.unwrap().is_empty());
}

fn ask(session: SessionId, number: u32) -> Approval {
    let subject = Subject::Plan { plan: "p".into(), input: serde_json::Value::Null };
    Approval {
        id: ApprovalId::new(),
        number,
        session,
        turn: None,
        request: Some(format!("r{number}")),
        hash: subject.hash(),
        subject,
        risk: Risk::Medium,
        asked_at: T,
        expires_at: Timestamp(2_000),
        decision: None,
    }
}

#[tokio::test]
async fn the_first_answer_wins_and_its_number_is_not_used_again_that_day() {
    let w = world();
    let session = session(&w.store).await;
    let first = ask(session, 1);
    let id = first.id;
    w.store.write(move |tx| approvals::open(tx, &first)).await.unwrap();
    assert_eq!(w.store.write(|tx| approvals::free_number(tx, T)).await.unwrap(), 2);
    let yes = w.store.write(move |tx| approvals::decide(tx, id, &Decision::Allowed, Some(Channel::Sms), None, T));
    let no = w.store.write(move |tx| approvals::decide(tx, id, &Decision::Denied { message: None }, None, None, T));
    let (yes, no) = tokio::join!(yes, no);
    assert_eq!((yes.unwrap(), no.unwrap()), (true, false));
    let kept = w.store.read(move |r| approvals::expect(r, id)).await.unwrap();
    assert_eq!(kept.decision, Some(Decision::Allowed));
    assert_eq!(w.store.write(|tx| approvals::free_number(tx, T)).await.unwrap(), 2);
}

#[tokio::test]
async fn one_address_gets_its_letters_in_order() {
    let w = world();
    let letter =
        |address: &str, body: &str| outbox::Letter { address: address.into(), body: body.into(), ..Default::default() };
    let (a, b, c) = (letter("+1", "first"), letter("+1", "second"), letter("+2", "other"));
    w.store
        .write(move |tx| {
            outbox::put(tx, &a, T)?;
            outbox::put(tx, &b, T)?;
            outbox::put(tx, &c, T)
        })
        .await
        .unwrap();
    let due = || w.store.read(|r| outbox::due(r, T));
    let bodies: Vec<String> = due().await.unwrap().into_iter().map(|o| o.body).collect();
    assert_eq!(bodies, ["first", "other"]);
    w.store.write(|tx| outbox::again(tx, 1, Timestamp(9_000), false, "later")).await.unwrap();
    assert_eq!(due().await.unwrap().len(), 1, "the second waits for the first");
    w.store.write(|tx| outbox::sent(tx, 1, "SM9", "queued", 1, T)).await.unwrap();
    let bodies: Vec<String> = due().await.unwrap().into_iter().map(|o| o.body).collect();
    assert_eq!(bodies, ["second", "other"]);
}

#[tokio::test]
async fn receipts_never_go_back() {
    let w = world();
    let letter = outbox::Letter { address: "+1".into(), body: "x".into(), ..Default::default() };
    w.store
        .write(move |tx| {
            let id = outbox::put(tx, &letter, T)?;
            outbox::sent(tx, id, "SM1", "queued", 1, T)
        })
        .await
        .unwrap();
    let receipt = |status: &'static str, rank| {
        let receipt =
            outbox::Receipt { letter: None, sid: "SM1".into(), status: status.into(), rank, error: None, why: None };
        w.store.write(move |tx| outbox::receipt(tx, &receipt, T))
    };
    assert!(receipt("delivered", 4).await.unwrap());
    assert!(!receipt("sent", 3).await.unwrap());
    assert_eq!(w.store.read(|r| outbox::latest(r, 1)).await.unwrap()[0].status.as_deref(), Some("delivered"));
}

#[tokio::test]
async fn an_attempt_that_a_receipt_says_left_is_never_made_again() {
    let w = world();
    let letter = outbox::Letter { address: "+1".into(), body: "x".into(), ..Default::default() };
    let id = w.store.write(move |tx| outbox::put(tx, &letter, T)).await.unwrap();
    assert!(w.store.write(move |tx| outbox::begin_attempt(tx, id, T)).await.unwrap());
    let receipt =
        outbox::Receipt { letter: Some(id), sid: "SM1".into(), status: "sent".into(), rank: 3, error: None, why: None };
    assert!(w.store.write(move |tx| outbox::receipt(tx, &receipt, T)).await.unwrap());
    w.store.write(move |tx| outbox::again(tx, id, Timestamp(9_000), true, "no answer in time")).await.unwrap();
    w.store.write(move |tx| outbox::failed(tx, id, None, "no answer in time", T)).await.unwrap();
    assert!(!w.store.write(move |tx| outbox::begin_attempt(tx, id, T)).await.unwrap());
    let due = w.store.read(|r| outbox::due(r, Timestamp(99_000))).await.unwrap();
    assert_eq!(due.len(), 0);
    assert_eq!(w.store.read(|r| outbox::latest(r, 1)).await.unwrap()[0].state, "sent");
}

#[test]
fn a_damaged_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanyard.db");
    std::fs::write(&path, b"this is no database, however long it may be, and never was one before").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(&path).err().unwrap();
    assert_eq!(error.code(), domain::Code::DatabaseDamaged);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_database_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanyard.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 999).unwrap();
    drop(conn);
    assert!(matches!(Store::open(&path), Err(Error::Newer)));
}

#[tokio::test]
async fn a_full_disk_refuses_what_it_cannot_keep_and_keeps_what_it_acknowledged() {
    let w = world();
    let limit = |pages: i64| w.store.write(move |tx| Ok(tx.conn().pragma_update(None, "max_page_count", pages)?));
    let pages: i64 = w.store.read(|r| Ok(r.0.query_row("PRAGMA page_count", [], |row| row.get(0))?)).await.unwrap();
    limit(pages + 4).await.unwrap();
    let long = |n: usize| Arrival { text: "x".repeat(3000), ..text(&format!("SM{n}")) };
    let mut acknowledged = 0;
    let full = loop {
        let arrival = long(acknowledged);
        match w.store.write(move |tx| inbox::receive(tx, &arrival, T)).await {
            Ok(_) => acknowledged += 1,
            Err(e) => break e,
        }
    };
    assert_eq!((full.code(), full.retryable()), (domain::Code::DiskFull, true));
    assert_eq!(w.store.read(|r| inbox::count(r)).await.unwrap(), acknowledged as i64);
    limit(1_000_000).await.unwrap();
    let arrival = long(acknowledged);
    assert!(w.store.write(move |tx| inbox::receive(tx, &arrival, T)).await.unwrap().fresh, "and goes on by itself");
}

#[tokio::test]
async fn a_link_is_made_again_only_when_it_lives_too_short_and_stays_while_a_letter_needs_it() {
    let w = world();
    let make = |at_least, until, now| {
        w.store.write(move |tx| links::make(tx, "answer:1", Timestamp(at_least), Timestamp(until), Timestamp(now)))
    };
    let first = make(500, 1_000, 0).await.unwrap();
    assert_eq!(make(900, 1_400, 400).await.unwrap(), first);
    let second = make(1_100, 1_600, 600).await.unwrap();
    assert_ne!(second.id, first.id);
    let letter = outbox::Letter { link: Some(first.id), ..Default::default() };
    w.store.write(move |tx| outbox::put(tx, &letter, T)).await.unwrap();
    const LATER: i64 = 3 * 24 * 3600 * 1000;
    make(LATER + 500, LATER + 1_000, LATER).await.unwrap();
    let known = |id| w.store.read(move |r| links::get(r, id));
    assert_eq!(known(first.id).await.unwrap(), Some(first), "a letter that has not left carries it");
    assert_eq!(known(second.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_push_that_cannot_be_read_is_told_apart_from_those_that_can() {
    let w = world();
    let (session, phone, good) = (session(&w.store).await, domain::PhoneId::new().to_string(), TurnId::new());
    let rows = move |tx: &Tx<'_>| {
        tx.conn().execute(
            "INSERT INTO phones VALUES (?1, '', '', '', NULL, '', '', NULL, NULL, 0, 0, NULL, NULL)",
            [&phone],
        )?;
        for about in ["nonsense".to_owned(), format!("turn:{good}")] {
            tx.conn().execute(
                "INSERT INTO push_letters (about, session, subscription, phone, attempts, due_at, text_at, created_at)
                 VALUES (?2, ?3, 1, ?1, 1, 0, 0, 0)",
                [&phone, &about, &session.to_string()],
            )?;
        }
        Ok(())
    };
    w.store.write(rows).await.unwrap();
    let (due, unreadable) = w.store.read(|r| push_letters::due(r, T)).await.unwrap();
    assert_eq!((due.len(), due[0].about, unreadable), (1, push_letters::About::Turn(good), vec![1]));
    let (texts, unreadable) = w.store.read(|r| push_letters::to_text(r, T)).await.unwrap();
    assert_eq!((texts.len(), unreadable), (1, vec![1]));
    w.store.write(|tx| push_letters::put_aside(tx, 1)).await.unwrap();
    assert!(w.store.read(|r| push_letters::due(r, T)).await.unwrap().1.is_empty());
    assert!(w.store.read(|r| push_letters::to_text(r, T)).await.unwrap().1.is_empty());
}
