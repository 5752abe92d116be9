//! Too much at once: from a number, and from an agent.

use crate::{
    received,
    world::{OTHER, OWNER, SOON, Wish, World, until},
};
use domain::{
    SessionId, Timestamp,
    approval::Subject,
    event::{Channel, When},
};
use gateway::sessions::{Opening, Place, Saying, Scene, open_session, say};
use standins::twilio::NUMBER;
use store::{approvals, inbox};

#[tokio::test]
async fn a_thousand_texts_at_once_are_all_kept() {
    let w = World::new(Wish { config: "[sms]\nper_minute = 5\n", ..Wish::default() }).await;
    let running = w.start().await;
    let posts: Vec<_> = (0..1000).map(|n| w.phone.compose(NUMBER, &format!("message {n}"), vec![]).unwrap()).collect();
    let sent = futures::future::join_all(posts.iter().map(|post| w.phone.post(post))).await;
    assert!(sent.into_iter().all(|called| called.unwrap().status == Some(200)));
    assert_eq!(received(&running.app).await, 1000);
    let slow = w.phone.wait_for(|m| m.body.contains("Slow down"), SOON).await.unwrap();
    assert!(slow.body.contains("kept"));
    running.stop().await;
}

#[tokio::test]
async fn one_numbers_thousand_texts_hold_up_no_other_number_and_not_its_own_halt() {
    let w = World::new(Wish { config: "[sms]\nper_minute = 5\n", ..Wish::default() }).await;
    let running = w.start().await;
    let posts: Vec<_> = (0..1000).map(|n| w.phone.compose(NUMBER, &format!("list {n}"), vec![]).unwrap()).collect();
    let flood = futures::future::join_all(posts.iter().map(|post| w.phone.post(post)));
    let other = w.twilio.phone(OTHER);
    let meanwhile = async {
        until(SOON, async || (received(&running.app).await > 300).then_some(())).await;
        other.text(NUMBER, "status").await.unwrap();
        other.wait_for(|m| m.body.contains("No session yet"), SOON).await.unwrap();
    };
    let (sent, ()) = tokio::join!(flood, meanwhile);
    assert!(sent.into_iter().all(|called| called.unwrap().status == Some(200)));
    w.phone.wait_for(|m| m.body.contains("Slow down"), SOON).await.unwrap();
    for (words, answer) in [("status", "waiting"), ("no", "Nothing is waiting"), ("halt", "Stopped")] {
        w.text(words).await;
        w.phone.wait_for(|m| m.body.contains(answer), SOON).await.unwrap();
    }
    assert_eq!(received(&running.app).await, 1004, "nothing is lost");
    running.stop().await;
}

#[tokio::test]
async fn a_thousand_times_status_is_answered_a_few_times() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let posts: Vec<_> = (0..1000).map(|_| w.phone.compose(NUMBER, "status", vec![]).unwrap()).collect();
    futures::future::join_all(posts.iter().map(|post| w.phone.post(post))).await;
    let unread = async || running.app.store.read(|r| inbox::unread(r, 0, 1)).await.unwrap().is_empty().then_some(());
    until(SOON, unread).await;
    let letters = running.app.store.read(|r| store::outbox::latest(r, 2000)).await.unwrap().len();
    assert!((1..200).contains(&letters), "{letters}");
    running.stop().await;
}

#[tokio::test]
async fn a_thousand_halts_are_done_and_answered_a_few_times() {
    let w = World::new(Wish { config: "[sms]\nper_minute = 5\n", ..Wish::default() }).await;
    let running = w.start().await;
    let posts: Vec<_> = (0..1000).map(|_| w.phone.compose(NUMBER, "halt", vec![]).unwrap()).collect();
    futures::future::join_all(posts.iter().map(|post| w.phone.post(post))).await;
    let unread = async || running.app.store.read(|r| inbox::unread(r, 0, 1)).await.unwrap().is_empty().then_some(());
    until(SOON, unread).await;
    let letters = running.app.store.read(|r| store::outbox::latest(r, 2000)).await.unwrap();
    assert!((2..30).contains(&letters.len()), "{}", letters.len());
    running.stop().await;
}

#[tokio::test]
async fn an_agent_that_asks_too_much_is_not_texted_on_and_nothing_it_asked_is_lost() {
    let w = World::new(Wish { config: "[sms]\nagent_per_hour = 3\n", ..Wish::default() }).await;
    let running = w.start().await;
    let id = SessionId::new();
    let (scene, opening) = (Scene::of(&running.app, id), Opening::usual(&running.app));
    let (now, place) = (gateway::clock::now(), running.app.registry.admit(id).unwrap());
    let asked = running.app.store.write(move |tx| {
        open_session(tx, id, &opening, now)?;
        said(tx, &place, now)?;
        for n in 0..10 {
            let subject = Subject::Plan { plan: format!("Plan {n}"), input: serde_json::Value::Null };
            scene.ask(tx, Some(n.to_string()), subject, None, now)?;
        }
        let artifact = domain::ArtifactId::new();
        scene.picture(tx, None, "one more", artifact, now)
    });
    assert!(!asked.await.unwrap(), "the agent learns that its picture was not sent");
    for expected in ["Plan 0", "Plan 1", "Plan 2", "not texted for a while"] {
        let arrived = w.arrives(SOON).await;
        assert!(arrived.body.contains(expected), "{}", arrived.body);
    }
    w.text("status").await;
    let status = w.arrives(SOON).await;
    assert!(status.body.contains("10 to answer"), "{}", status.body);
    assert_eq!(running.app.store.read(|r| approvals::all_open(r)).await.unwrap().len(), 10);
    running.stop().await;
}

/// The owner said something in this session, so that what is asked there is asked of the owner's phone.
fn said(tx: &store::Tx<'_>, place: &Place, now: Timestamp) -> store::Result<()> {
    let arrival = inbox::Arrival {
        channel: Channel::Sms,
        external: "SM1".into(),
        sender: Some(OWNER.into()),
        receiver: None,
        text: "plan".into(),
        media: vec![],
    };
    let message = inbox::receive(tx, &arrival, now)?.message;
    let saying = Saying { message, place, channel: Channel::Sms, text: "plan", pictures: &[], when: When::Queue };
    say(tx, &saying, now)?;
    store::numbers::set_current(tx, OWNER, place.session)
}
