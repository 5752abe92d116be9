//! Tasks where no sandbox can be had.

mod api_world;
mod world;

use api_world::local;
use domain::event::Event;
use std::time::Duration;
use world::{SOON, Wish, World};

#[tokio::test(flavor = "multi_thread")]
async fn without_an_engine_a_task_waits_for_it_and_says_so_once() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.text("task git.example/acme/shop fix the login test").await;
    assert!(w.arrives(SOON).await.body.starts_with("Task 1 for git.example/acme/shop is in the queue."));
    let waits = w.arrives(SOON).await.body;
    assert!(waits.starts_with("Task 1 waits: No Docker engine answers."), "{waits}");
    // It has been tried again by then.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let shown = local(&running.app, "GET", "/api/tasks/1", None).await.body;
    assert_eq!((shown["state"].as_str(), shown["error"].is_null()), (Some("starting"), true), "{shown}");
    let notices = world::events(&running).await.into_iter().filter(|event| matches!(event, Event::Noticed { .. }));
    assert_eq!(notices.count(), 1);
    w.text("drop 1").await;
    assert_eq!(w.arrives(SOON).await.body, "Task 1 is taken back.");
    assert_eq!(local(&running.app, "GET", "/api/tasks/1", None).await.body["state"], "cancelled");
    running.stop().await;
}
