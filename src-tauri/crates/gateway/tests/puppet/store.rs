//! A store that refuses: what the owner is told, and what stays when it serves again.

use super::{
    agent::Puppet,
    world::{SOON, Wish, World, capture_logs, events},
};
use domain::{
    SessionId,
    event::{Channel, Event, Outcome, When},
    session::Input,
};
use gateway::sessions::{Opening, Saying, open_session, say};
use std::time::Duration;
use store::{Rows, inbox};

/// Changes the database behind the store's back.
async fn sabotage(app: &gateway::App, sql: &'static str) {
    app.store.write(move |tx| Ok(tx.conn().execute_batch(sql)?)).await.unwrap();
}

#[tokio::test]
async fn what_the_store_refuses_for_good_fails_its_turn_once_and_the_session_goes_on() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.body LIKE '%unspeakable%'
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sabotage(&running.app, refuse).await;
    let mut agent = Puppet::stands_ready(&running.app).await;
    w.text("one").await;
    let (one, _) = agent.hears().await;
    agent.begins(&one);
    agent.writes("unspeakable");
    assert_eq!(w.arrives(SOON).await.body, "Something went wrong at home. It is in the log.");
    let ended = |e: &Event| matches!(e, Event::TurnEnded { outcome: Outcome::Failed, .. });
    assert_eq!(events(&running).await.iter().filter(|e| ended(e)).count(), 1);
    let mut agent = Puppet::stands_ready(&running.app).await;
    w.text("new two").await;
    let (two, text) = agent.hears().await;
    assert_eq!(text, "two");
    agent.begins(&two);
    agent.ends("Two is done.");
    assert_eq!(w.arrives(SOON).await.body, "Two is done.");
    running.stop().await;
    let running = w.start().await;
    w.text("status").await;
    let status = w.arrives(SOON).await;
    assert!(!status.body.contains("waiting") && !status.body.contains("to answer"), "{}", status.body);
    running.stop().await;
}

#[tokio::test]
async fn words_whose_turn_cannot_be_begun_are_not_tried_for_ever() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sabotage(&running.app, refuse).await;
    let _agent = Puppet::stands_ready(&running.app).await;
    w.text("one").await;
    assert_eq!(w.arrives(SOON).await.body, "Something went wrong at home. It is in the log.");
    assert_eq!(running.app.store.read(|r| inbox::sessions_waiting(r)).await.unwrap(), []);
    running.stop().await;
}

/// A session with `count` messages that wait.
async fn with_waiting(app: &gateway::App, count: i64) -> SessionId {
    let (id, opening, now) = (SessionId::new(), Opening::usual(app), domain::Timestamp(1));
    let place = app.registry.admit(id).unwrap();
    let filled = app.store.write(move |tx| {
        open_session(tx, id, &opening, now)?;
        for n in 0..count {
            let arrival = inbox::Arrival {
                channel: Channel::Cli,
                external: format!("n{n}"),
                sender: None,
                receiver: None,
                text: format!("words {n}"),
                media: vec![],
            };
            let message = inbox::receive(tx, &arrival, now)?.message;
            let text = &arrival.text;
            let (channel, when) = (Channel::Cli, When::Queue);
            let saying = Saying { message, place: &place, channel, text, pictures: &[], when };
            say(tx, &saying, now)?;
        }
        Ok(())
    });
    filled.await.unwrap();
    id
}

#[tokio::test]
async fn a_ring_is_kept_while_the_store_fails_and_a_full_queue_holds_nobody_back() {
    let log = capture_logs();
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let session = with_waiting(app, 300).await;
    sabotage(app, "UPDATE inbox SET pictures = 'broken'").await;
    let mut agent = Puppet::stands_ready(app).await;
    let ring_all = async {
        for _ in 0..300 {
            app.registry.ring(app, session, Input::GoOn).await;
        }
        app.registry.ring(app, session, Input::SetMode(app.config.written.agent.mode)).await;
    };
    tokio::time::timeout(SOON, ring_all).await.expect("nobody is held back for long");
    let failed = async {
        while !log().contains("a session could not be loaded") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, failed).await.expect("it was tried");
    sabotage(app, "UPDATE inbox SET pictures = '[]'").await;
    let (_, text) = agent.hears().await;
    assert_eq!(text, "words 0");
    let waits = async {
        while app.registry.glance(session).is_none_or(|g| g.waiting != 299) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, waits).await.expect("all the others wait");
    running.stop().await;
}

#[tokio::test]
async fn words_that_found_no_room_in_the_queue_are_read_from_the_store() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let session = with_waiting(app, 1).await;
    let mut agent = Puppet::stands_ready(app).await;
    app.registry.ring(app, session, Input::GoOn).await;
    let (first, _) = agent.hears().await;
    agent.begins(&first);
    let later = app.store.write(move |tx| {
        let arrival = inbox::Arrival {
            channel: Channel::Cli,
            external: "later".into(),
            sender: None,
            receiver: None,
            text: "later".into(),
            media: vec![],
        };
        let message = inbox::receive(tx, &arrival, domain::Timestamp(2))?.message;
        inbox::route(tx, message, session, "later", &[], When::Queue)
    });
    later.await.unwrap();
    // The driver of this thread's runtime takes nothing while it is being rung.
    for _ in 0..400 {
        let ring = app.registry.ring(app, session, Input::GoOn);
        assert!(futures::FutureExt::now_or_never(ring).is_some());
    }
    agent.ends("The first is done.");
    assert_eq!(agent.hears().await.1, "later");
    running.stop().await;
}
