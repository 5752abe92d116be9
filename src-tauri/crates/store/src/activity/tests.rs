use super::*;
use crate::{Store, outbox, phones, plan, push_letters, sessions};
use domain::{
    ApprovalId, Code, PhoneId, TurnId,
    approval::{Decision, Subject},
    event::{Channel, Event, Outcome, When},
    pairing::Scopes,
    risk::Risk,
};

const T: Timestamp = Timestamp(1_000);

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
    (folder, store)
}

fn said(text: &str) -> Event {
    Event::Said { message: 1, channel: Channel::Sms, text: text.into(), pictures: vec![], when: When::Queue }
}

fn ended(outcome: Outcome) -> Event {
    let turn = TurnId::new();
    Event::TurnEnded { turn, outcome, tokens: Default::default(), cost: Default::default(), duration_ms: 1 }
}

fn phone(id: PhoneId) -> phones::Phone {
    phones::Phone {
        id,
        name: "Ada's phone".into(),
        browser: "Safari".into(),
        address: "192.0.2.1".into(),
        public_key: None,
        scopes: Scopes::ALL,
        paired_at: T,
        seen_at: T,
        revoked: None,
    }
}

/// One of everything, in a session.
fn everything(tx: &Tx<'_>) -> Result<SessionId> {
    let (session, lost) = (SessionId::new(), PhoneId::new());
    sessions::create(tx, session, "claude", "", Default::default(), T)?;
    let approval = ApprovalId::new();
    let subject = Subject::Plan { plan: "Rewrite the invoices".into(), input: serde_json::Value::Null };
    let events = [
        said("fix the invoices"),
        Event::ToolUsed { turn: None, id: "t".into(), tool: "Bash".into(), input: serde_json::json!({}), parent: None },
        Event::Asked { approval, number: 1, subject, risk: Risk::Low },
        Event::Resolved { approval, decision: Decision::Allowed, channel: None },
        Event::Resolved { approval, decision: Decision::Denied { message: None }, channel: None },
        Event::Failed { turn: None, code: Code::NoKey, detail: String::new() },
        ended(Outcome::Failed),
        ended(Outcome::Completed),
        Event::Closed,
    ];
    for event in &events {
        events::append(tx, session, event, T)?;
    }
    outbox::put(tx, &outbox::Letter { address: "+15551230001".into(), body: "Done.".into(), ..Default::default() }, T)?;
    phones::pair(tx, &phone(lost), "hash")?;
    phones::revoke(tx, lost, "lost", T)?;
    for allowed in [true, false] {
        let (host, why) = ("docs.example".to_owned(), String::new());
        let row = Reached { session: Some(session), host, port: 443, allowed, why, bytes_in: 0, bytes_out: 0 };
        reached::record(tx, &format!("{allowed}"), &row, T)?;
    }
    refused(tx, 3, T)?;
    refused(tx, 4, Timestamp(T.0 + 1))?;
    imported(tx, Brought { sessions: 2, events: 9 }, T)?;
    Ok(session)
}

async fn kinds(store: &Store, wanted: Wanted) -> Vec<String> {
    let (entries, _) = store.read(move |r| page(r, &wanted, 100)).await.unwrap();
    entries.into_iter().map(|e| e.kind).collect()
}

fn words(q: &str) -> Wanted {
    Wanted { words: search::query(q), ..Wanted::default() }
}

fn of(kinds: &[&str]) -> Wanted {
    Wanted { kinds: kinds.iter().map(ToString::to_string).collect(), ..Wanted::default() }
}

#[tokio::test]
async fn everything_that_happens_is_in_one_list_newest_first() {
    let (_folder, store) = store();
    let session = store.write(everything).await.unwrap();
    let told = kinds(&store, Wanted::default()).await;
    let expected = [
        "imported",
        "signature_refused",
        "host_blocked",
        "host_allowed",
        "revoked",
        "paired",
        "text_waiting",
        "session_closed",
        "turn_ended",
        "turn_failed",
        "denied",
        "allowed",
        "asked",
        "said",
    ];
    assert_eq!(told, expected);
    let (entries, _) = store.read(|r| page(r, &Wanted::default(), 100)).await.unwrap();
    assert_eq!(entries[1].what, What::Refused(7), "within an hour they are one");
    assert_eq!(entries[0].what, What::Imported(Brought { sessions: 2, events: 9 }));
    assert_eq!(entries.last().unwrap().session, Some((session, 1)));
}

#[tokio::test]
async fn it_is_read_by_page_by_kind_and_by_words() {
    let (_folder, store) = store();
    store.write(everything).await.unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let wanted = Wanted { before, ..Wanted::default() };
        let (entries, next) = store.read(move |r| page(r, &wanted, 5)).await.unwrap();
        seen.extend(entries.into_iter().map(|e| e.kind));
        before = next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, kinds(&store, Wanted::default()).await);
    assert_eq!(kinds(&store, of(&["said", "revoked", "asked"])).await, ["revoked", "asked", "said"]);
    assert_eq!(kinds(&store, words("invoices")).await, ["asked", "said"]);
    assert_eq!(kinds(&store, words("docs.exam")).await, ["host_blocked", "host_allowed"]);
    assert_eq!(kinds(&store, words("15551230001")).await, ["text_waiting"]);
    assert_eq!(kinds(&store, words("ada safari")).await, ["revoked", "paired"]);
    let both = Wanted { kinds: vec!["said".into(), "text_sent".into()], ..words("invoices") };
    assert_eq!(kinds(&store, both).await, ["said"]);
    assert!(kinds(&store, Wanted { kinds: vec!["\" OR x".into()], ..words("invoices") }).await.is_empty());
}

#[tokio::test]
async fn a_letters_row_changes_with_its_fate_and_stays_in_its_place() {
    let (_folder, store) = store();
    store.write(everything).await.unwrap();
    store.write(|tx| outbox::sent(tx, 1, "SM1", "queued", 1, T)).await.unwrap();
    assert_eq!(kinds(&store, words("done")).await, ["text_sent"]);
    let receipt = outbox::Receipt {
        letter: None,
        sid: "SM1".into(),
        status: "undelivered".into(),
        rank: 4,
        error: Some(30003),
        why: Some("The phone is off.".into()),
    };
    store.write(move |tx| outbox::receipt(tx, &receipt, T)).await.unwrap();
    assert_eq!(kinds(&store, of(&["text_failed"])).await, ["text_failed"]);
    assert_eq!(kinds(&store, Wanted { kinds: vec!["text_failed".into()], ..words("done") }).await, ["text_failed"]);
    assert!(kinds(&store, of(&["text_sent", "text_waiting"])).await.is_empty());
}

#[tokio::test]
async fn a_notice_is_one_row_and_what_takes_it_back_is_none() {
    let (_folder, store) = store();
    let session = store.write(everything).await.unwrap();
    let approval = ApprovalId::new();
    let pushed = move |tx: &Tx<'_>| {
        phones::pair(tx, &phone(PhoneId::new()), "other")?;
        let subscribe = "INSERT INTO push_subscriptions (phone, endpoint, p256dh, auth, made_at)
                         SELECT id, 'x', x'', x'', 0 FROM phones WHERE revoked_at IS NULL";
        tx.conn().execute(subscribe, [])?;
        push_letters::put(tx, push_letters::About::Approval(approval), session, 1, None, T)?;
        push_letters::begin_attempt(tx, 1, T, T)?;
        push_letters::sent(tx, 1, T)?;
        push_letters::close(tx, approval, session, None, T)
    };
    store.write(pushed).await.unwrap();
    assert_eq!(kinds(&store, of(&["pushed", "push_waiting", "push_failed"])).await, ["pushed"]);
}

#[tokio::test]
async fn what_is_asked_of_the_list_is_searched_not_scanned() {
    let (_folder, store) = store();
    let plans = plan::of_all(&store, |r| {
        page(r, &Wanted::default(), 50)?;
        page(r, &of(&["said", "asked"]), 50)?;
        page(r, &words("invoice"), 50)?;
        page(r, &Wanted { before: Some(9), kinds: vec!["said".into()], ..words("invoice") }, 50)
    });
    // By its key, in the order that is asked for, a page is read from where it begins; that is told as a search.
    plans.await.scan_none_of(&["activity", "a", "events", "sessions"]);
}
