//! A bug that panics in the middle of a text. A planted panic holds for the whole process, so this file has one test alone.

mod world;

use domain::event::Event;
use store::{events, inbox};
use world::{SOON, Wish, World};

#[tokio::test]
async fn a_text_at_which_the_desk_panics_is_put_aside_and_the_desk_goes_on() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.text("new").await;
    w.arrives(SOON).await;
    fail::cfg("desk-before", "3*panic(planted)").unwrap();
    w.text("fix the test").await;
    assert!(w.arrives(SOON).await.body.contains("went wrong"));
    fail::remove("desk-before");
    let failed = running.app.store.read(|r| inbox::all_failed(r)).await.unwrap();
    assert_eq!(failed, [(2, "INTERNAL".to_owned())]);
    let seen = running.app.store.read(|r| events::after(r, 0, 10)).await.unwrap();
    assert!(seen.iter().any(|e| matches!(e.event, Event::Failed { turn: None, .. })), "{seen:?}");
    w.text("menu").await;
    assert!(w.arrives(SOON).await.body.contains("Just write"));
    running.stop().await;
}
