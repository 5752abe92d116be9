//! The one gate without a sandbox: who wins, what a text may say, and what a start does with a damaged database.

mod world;

use domain::{
    ApprovalId, Code, PermissionMode, SessionId, TurnId,
    agent::Rule,
    approval::{Approval, Decision, Subject},
    event::{Channel, Event},
    phrases,
    risk::Target,
};
use gateway::{
    App, Gateway,
    approvals::{Answer, answer},
    clock,
    sessions::{Opening, Scene, open_session},
};
use serde_json::json;
use store::{approvals, events, inbox, numbers, rules, turns};
use world::{OWNER, SOON, Wish, World};

/// A session that the owner's number is in.
async fn session(app: &App) -> SessionId {
    let id = SessionId::new();
    let opening = Opening { agent: "claude".into(), mode: PermissionMode::Default };
    let now = clock::now();
    let open = move |tx: &store::Tx<'_>| {
        open_session(tx, id, &opening, now)?;
        numbers::set_current(tx, OWNER, id)
    };
    app.store.write(open).await.unwrap();
    id
}

fn bash(command: &str, rules: &[&str]) -> Subject {
    let rule = |content: &&str| Rule { tool: "Bash".into(), content: Some((*content).into()) };
    let rules = rules.iter().map(rule).collect();
    Subject::Tool { tool: "Bash".into(), input: json!({ "command": command }), why: None, rules, target: None }
}

/// Asks as an agent's question is written down.
async fn ask(app: &App, session: SessionId, subject: Subject) -> Approval {
    let scene = Scene::of(app, session);
    let request = Some(uuid::Uuid::new_v4().to_string());
    app.store
        .write(move |tx| {
            scene.ask(tx, request, subject, None, clock::now())?;
            Ok(approvals::all_open(tx)?.pop().unwrap())
        })
        .await
        .unwrap()
}

async fn resolved(app: &App, id: ApprovalId) -> Vec<(Decision, Option<Channel>)> {
    let all = app.store.read(|r| events::after(r, 0, 10_000)).await.unwrap();
    let of = |event: Event| match event {
        Event::Resolved { approval, decision, channel } if approval == id => Some((decision, channel)),
        _ => None,
    };
    all.into_iter().filter_map(|stored| of(stored.event)).collect()
}

/// The number that is asked is the one that spoke last in the session.
async fn the_owner_spoke(app: &App, session: SessionId) {
    let now = clock::now();
    let told = move |tx: &store::Tx<'_>| {
        let arrival = inbox::Arrival {
            channel: Channel::Sms,
            external: "first".into(),
            sender: Some(OWNER.into()),
            receiver: None,
            text: "hello".into(),
            media: vec![],
        };
        let received = inbox::receive(tx, &arrival, now)?;
        inbox::route(tx, received.message, session, "hello", &[], domain::event::When::Queue)?;
        inbox::handled(tx, received.message)
    };
    app.store.write(told).await.unwrap();
}

#[tokio::test]
async fn of_a_text_and_the_desk_answering_at_once_exactly_one_takes_effect() {
    let w = World::new(Wish { config: "[sms]\nper_minute = 1000\n", ..Wish::default() }).await;
    let running = w.start().await;
    let app = &running.app;
    let session = session(app).await;
    let mut won = [0, 0];
    for _ in 0..50 {
        let asked = ask(app, session, bash("npm test", &[])).await;
        let desk = answer(app, Answer::to(&asked, Decision::Denied { message: None }, Channel::Cli));
        let (_texted, desk) = tokio::join!(w.text("yes"), desk);
        let closed = async {
            loop {
                let resolved = resolved(app, asked.id).await;
                let unread = app.store.read(|r| inbox::unread(r, 0, 10)).await.unwrap();
                if !resolved.is_empty() && unread.is_empty() {
                    return resolved;
                }
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        let resolved = tokio::time::timeout(SOON, closed).await.unwrap();
        let id = asked.id;
        let kept = app.store.read(move |r| approvals::expect(r, id)).await.unwrap().decision.unwrap();
        let expected = match &desk {
            Ok(_) => (Decision::Denied { message: None }, Some(Channel::Cli)),
            Err(problem) => {
                assert_eq!(problem.code, Code::ApprovalGone);
                (Decision::Allowed, Some(Channel::Sms))
            }
        };
        assert_eq!((resolved.as_slice(), &kept), ([expected.clone()].as_slice(), &expected.0));
        won[usize::from(desk.is_ok())] += 1;
    }
    assert_eq!(won.iter().sum::<i32>(), 50);
    running.stop().await;
}

#[tokio::test]
async fn always_by_text_is_granted_only_within_the_tier_and_kept_for_the_session() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let session = session(app).await;
    the_owner_spoke(&running.app, session).await;
    ask(app, session, bash("npm test", &["npm test *"])).await;
    let asked = w.arrives(SOON).await.body;
    assert_eq!(asked, "#1 may it run: npm test?\nyes 1 or no 1", "any further words are more than low");
    w.text("always").await;
    assert_eq!(w.arrives(SOON).await.body, phrases::always_at_the_desk(1));
    w.text("no").await;
    ask(app, session, bash("npm test", &["npm test"])).await;
    let asked = w.arrives(SOON).await.body;
    assert_eq!(asked, "#2 may it run: npm test?\nyes 2, no 2, or always 2: this very command");
    w.text("always 2").await;
    let kept = async {
        while app.store.read(move |r| rules::of_session(r, session)).await.unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, kept).await.unwrap();
    ask(app, session, bash("ls", &[])).await;
    w.arrives(SOON).await;
    w.text("always").await;
    assert_eq!(w.arrives(SOON).await.body, phrases::only_once(3));
    running.stop().await;
}

#[tokio::test]
async fn a_text_says_where_a_link_leads_and_what_does_not_fit_it() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let session = session(&running.app).await;
    the_owner_spoke(&running.app, session).await;
    let input = json!({ "file_path": "/workspace/notes.md", "content": "x".repeat(900), "mode": "append" });
    let target = Some(Target::At("/home/agent/.bashrc".into()));
    let write = Subject::Tool { tool: "Write".into(), input, why: None, rules: vec![], target };
    let asked = ask(&running.app, session, write).await;
    let body = w.arrives(SOON).await.body;
    assert!(
        body.starts_with("#1 may it write /workspace/notes.md (a link: really /home/agent/.bashrc): \"xxx"),
        "{body}"
    );
    assert!(
        body.contains("more]")
            && body.contains("\nwith mode \"append\"\nHigh risk: allow it on a paired phone or at the desk"),
        "{body}"
    );
    assert!(body.contains("See it whole, or refuse it:\nhttps://desk.example/p/"), "{body}");
    let page = body.rsplit('/').next().unwrap();
    let shown = world::get(&running.app, &format!("/api/link/{page}")).await;
    assert!(shown.contains("\"target\":\"/home/agent/.bashrc\""), "{shown}");
    assert!(shown.contains(&format!("\"id\":\"{}\"", asked.id)) && shown.contains("\"now\":"), "{shown}");
    running.stop().await;
}

#[tokio::test]
async fn what_the_last_run_left_is_taken_up_whole_or_the_start_is_refused() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let session = session(&running.app).await;
    let turn = TurnId::new();
    running.app.store.write(move |tx| turns::begin(tx, turn, session, clock::now())).await.unwrap();
    let asked = ask(&running.app, session, bash("npm test", &[])).await;
    running.stop().await;
    damage(&w.paths().database(), &asked.hash);
    let gateway = Gateway::build(w.resolved(), w.paths()).await.unwrap();
    let store = gateway.app.store.clone();
    let refused = gateway.run().await.unwrap_err();
    assert_eq!(refused.code, Code::DatabaseDamaged);
    assert!(refused.message.contains("left unchanged") && refused.suggestion.contains("restore a backup"), "{refused}");
    let left = store.read(|r| turns::left_open(r)).await.unwrap();
    assert_eq!(left.len(), 1, "nothing was done by halves");
    assert!(!w.paths().local_door().exists());
}

/// Rubbish where the database's page with `words` is.
fn damage(database: &std::path::Path, words: &str) {
    let mut bytes = std::fs::read(database).unwrap();
    let page = bytes.chunks(4096).position(|page| page.windows(words.len()).any(|w| w == words.as_bytes())).unwrap();
    bytes[page * 4096..(page + 1) * 4096].fill(0xA5);
    std::fs::write(database, bytes).unwrap();
}
