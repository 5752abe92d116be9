//! What is sent: once, in order, as whom, and what becomes of it.

use crate::world::{self, SOON, Wish, World, until};
use gateway::sms::letters::To;
use standins::twilio::{Direction, Fault, SERVICE};
use std::time::Duration;
use store::{artifacts, outbox};

#[tokio::test]
async fn an_answer_whose_send_ended_unclear_arrives_once() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    for fault in [Fault::TakenThenCut, Fault::TakenThenStatus(500)] {
        w.twilio.fail_next_send(fault);
        w.text("menu").await;
        w.arrives(SOON).await;
    }
    let settled = async || {
        let fates = running.app.store.read(|r| outbox::latest(r, 10)).await.unwrap();
        fates.iter().all(|f| f.state == "sent").then_some(())
    };
    until(Duration::from_secs(60), settled).await;
    assert_eq!(w.phone.received().len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_refused_send_is_shown_with_twilios_reason() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.twilio.refuse_recipient(world::OWNER, 21408);
    w.text("menu").await;
    let failed = async || {
        let fates = running.app.store.read(|r| outbox::latest(r, 1)).await.unwrap();
        fates.into_iter().find(|f| f.state == "failed")
    };
    let fate = until(SOON, failed).await;
    assert_eq!(fate.error, Some(21408));
    assert!(fate.why.is_some_and(|why| why.len() > 20));
    running.stop().await;
}

#[tokio::test]
async fn receipts_out_of_order_never_go_back() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.twilio.set_receipts_backwards(true);
    w.text("menu").await;
    w.arrives(SOON).await;
    w.twilio.settled(SOON).await.unwrap();
    let fate = running.app.store.read(|r| outbox::latest(r, 1)).await.unwrap().remove(0);
    assert_eq!(fate.status.as_deref(), Some("delivered"));
    running.stop().await;
}

#[tokio::test]
async fn a_messaging_service_chooses_the_sender() {
    let w = World::new(Wish::default()).await;
    w.send_as(SERVICE);
    let running = w.start().await;
    w.twilio.fail_next_send(Fault::TakenThenCut);
    w.text("menu").await;
    assert!(w.arrives(SOON).await.body.contains("Just write"));
    w.text("list").await;
    assert!(w.arrives(Duration::from_secs(60)).await.body.contains("No sessions"));
    let sent: Vec<_> = w.twilio.messages().into_iter().filter(|m| m.direction == Direction::Outbound).collect();
    assert_eq!(sent.len(), 2, "and what ended unclear was found on the service's list");
    assert!(sent.iter().all(|m| m.service.as_deref() == Some(SERVICE)));
    running.stop().await;
}

#[tokio::test]
async fn a_picture_leaves_as_mms_from_an_address_that_only_twilio_was_told() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let (now, post) = (gateway::clock::now(), running.app.post());
    let (id, artifact) = world::picture(now);
    let put = running.app.store.write(move |tx| {
        artifacts::put(tx, &artifact)?;
        post.picture(tx, &To::address(world::OWNER), "A page", id, now)
    });
    put.await.unwrap();
    let arrived = w.arrives(SOON).await;
    assert_eq!((arrived.body.as_str(), arrived.pictures.len()), ("A page", 1));
    assert_eq!(
        (arrived.pictures[0].media_type.as_str(), &arrived.pictures[0].bytes[..]),
        ("image/png", &world::png()[..])
    );
    running.stop().await;
}
