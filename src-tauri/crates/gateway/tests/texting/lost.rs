//! Texts whose webhook was lost or refused are fetched from Twilio's list.

use crate::{
    received, reconciled,
    world::{SOON, Wish, World, png, until},
};
use standins::twilio::{Direction, NUMBER};
use store::inbox;

#[tokio::test]
async fn a_text_whose_webhook_was_lost_is_fetched_at_the_next_start() {
    let w = World::new(Wish::default()).await;
    w.start().await.stop().await;
    w.twilio.set_outage(true);
    let lost = w.phone.text(NUMBER, "menu").await.unwrap();
    assert_eq!(lost.status, None);
    w.twilio.set_outage(false);
    let running = w.start().await;
    assert!(w.arrives(SOON).await.body.contains("Just write"));
    running.stop().await;
    let again = w.start().await;
    w.twilio.settled(SOON).await.unwrap();
    assert_eq!(received(&again.app).await, 1, "and only once");
    again.stop().await;
}

#[tokio::test]
async fn what_was_said_before_the_first_start_is_not_for_lanyard() {
    let w = World::new(Wish::default()).await;
    w.twilio.set_outage(true);
    w.phone.text(NUMBER, "menu").await.unwrap();
    w.twilio.set_outage(false);
    let running = w.start().await;
    reconciled(&running.app).await;
    assert_eq!(received(&running.app).await, 0);
    running.stop().await;
}

#[tokio::test]
async fn a_lost_text_is_fetched_with_its_pictures() {
    let w = World::new(Wish::default()).await;
    let first = w.start().await;
    reconciled(&first.app).await;
    first.stop().await;
    w.twilio.set_outage(true);
    w.phone.text_with(NUMBER, "what is this?", vec![("image/png".into(), png().into())]).await.unwrap();
    w.twilio.set_outage(false);
    let running = w.start().await;
    let app = &running.app;
    let routed = async || {
        let message = app.store.read(|r| inbox::get(r, 1)).await.ok()?;
        message.session.is_some().then_some(message)
    };
    let message = until(SOON, routed).await;
    assert_eq!((message.text.as_str(), message.pictures.len()), ("what is this?", 1));
    let id = message.pictures[0];
    let kept = app.store.read(move |r| store::artifacts::get(r, id)).await.unwrap().unwrap();
    assert_eq!(kept.bytes, png());
    assert!(!w.twilio.credentials_leaked());
    running.stop().await;
}

#[tokio::test]
async fn what_a_full_disk_refused_is_fetched_later() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    reconciled(&running.app).await;
    let full = running.app.store.write(|tx| Ok(store::Rows::conn(tx).pragma_update(None, "max_page_count", 1)?));
    full.await.unwrap();
    let mut refused = None;
    for n in 0..50 {
        let called = w.phone.text(NUMBER, &format!("{n} {}", "x".repeat(1500))).await.unwrap();
        if called.status != Some(200) {
            refused = called.status;
            break;
        }
    }
    assert_eq!(refused, Some(507), "Twilio learns that it was not taken");
    running.stop().await;
    let again = w.start().await;
    let all = w.twilio.messages().iter().filter(|m| m.direction == Direction::Inbound).count() as i64;
    until(SOON, async || (received(&again.app).await == all).then_some(())).await;
    again.stop().await;
}
