//! Killed while a push is on its way and started again: the owner is told once, by push or by text.

mod api_world;
mod push_world;
mod world;

use push_world::{Told, letters, told};
use std::{process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};
use world::{LATER, SOON, World, until};

/// Runs the program on the world's folder until it dies at `step`.
async fn dies_at(w: &World, step: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lanyard"))
        .arg("serve")
        .env("LANYARD_HOME", w.home())
        .env("FAILPOINTS", format!("{step}=return"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let status = timeout(LATER, child.wait()).await.expect("it dies at the named step").unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
}

/// Queues a push, dies at `step`, starts again. Gives how many pushes and texts there were when all was settled.
async fn check(step: &str) -> (usize, usize) {
    let t = Told::new("text_after = 3").await;
    t.push.answers(Some(503));
    let subject = domain::approval::Subject::Rerun { turn: domain::TurnId::new(), words: "go on".into() };
    told(&t.running.app, t.session, None, subject).await;
    until(SOON, async || (t.push.asked() > 0).then_some(())).await;
    until(SOON, async || (letters(&t.running.app).await[0].state == "queued").then_some(())).await;
    t.running.stop().await;
    t.push.answers(None);
    dies_at(&t.world, step).await;
    let running = t.world.start().await;
    let text = t.world.arrives(SOON).await.body;
    assert!(text.contains("https://desk.example/p/"), "{text}");
    until(SOON, async || (letters(&running.app).await[0].state == "texted").then_some(())).await;
    t.world.twilio.settled(SOON).await.unwrap();
    // Twice the time after which it would be looked at again.
    let none = t.world.phone.wait_for(|m| m.body != text, Duration::from_secs(1)).await;
    assert!(none.is_err(), "{none:?}");
    let told = (t.push.arrived().len(), t.world.phone.received().len());
    running.stop().await;
    told
}

#[tokio::test]
async fn before_it_left_it_is_told_by_text() {
    assert_eq!(check("push-before-send").await, (0, 1));
}

#[tokio::test]
async fn after_it_left_it_is_not_pushed_again() {
    assert_eq!(check("push-after-send").await, (1, 1));
}

#[tokio::test]
async fn after_its_text_was_queued_no_second_goes() {
    assert_eq!(check("push-after-text").await, (1, 1));
}
