//! ngrok's edge is cut, or swallows everything without a word, while Twilio posts a text: the text is done once.

mod tunnel_world;
mod world;

use standins::{
    ngrok::DOMAIN,
    twilio::{Attempt, NUMBER},
};
use std::{
    sync::{Arc, Once},
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify, time::timeout};
use tunnel_world::{Tunnelled, proved, received};
use world::{LATER, Running, SOON, Wish, until};

/// Where a webhook's text is on disk and its answer is not sent yet.
const WRITTEN: &str = "webhook-after-inbox";

/// Does this the next time a text is on disk and its answer is not sent yet; rings when it is done.
fn when_written(act: impl Fn() + Send + Sync + 'static) -> Arc<Notify> {
    let rung = Arc::new(Notify::new());
    let ring = rung.clone();
    let acted = Once::new();
    fail::cfg_callback(WRITTEN, move || {
        acted.call_once(&act);
        ring.notify_one();
    })
    .unwrap();
    rung
}

async fn started() -> (Tunnelled, Running) {
    let t = Tunnelled::with_token(Wish::default()).await;
    let running = t.start().await;
    proved(&running).await;
    (t, running)
}

/// Each text was answered, and nothing came twice.
async fn answered_once(t: &Tunnelled, running: &Running, words: &[&str]) {
    for expected in words {
        t.w.phone.wait_for(|m| m.body.contains(expected), SOON).await.unwrap();
    }
    t.w.twilio.settled(SOON).await.unwrap();
    let twice = t.w.phone.wait_for(|_| true, Duration::from_secs(1)).await;
    assert!(twice.is_err(), "{twice:?}");
    assert_eq!(received(running).await, i64::try_from(words.len()).unwrap());
}

#[tokio::test]
async fn a_webhook_cut_in_half_is_posted_again_and_done_once() {
    let (t, running) = started().await;
    let post = t.w.phone.compose(NUMBER, "menu", Vec::new()).unwrap();
    let half = &post.body[..post.body.len() / 2];
    let head = format!(
        "POST /sms HTTP/1.1\r\nhost: {DOMAIN}\r\nx-twilio-signature: {}\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n",
        post.signature,
        post.body.len()
    );
    let before = t.edge.seen().requests;
    let mut visitor = TcpStream::connect(t.edge.plain_addr()).await.unwrap();
    visitor.write_all(&[head.as_bytes(), half].concat()).await.unwrap();
    t.edge.wait_for(SOON, |seen| seen.requests > before).await.unwrap();
    t.edge.cut();
    assert_eq!(received(&running).await, 0, "half a text is none");
    let tried = until(SOON, async || t.w.phone.post(&post).await.ok().filter(|called| called.is_success())).await;
    assert_eq!(tried.status, Some(200));
    answered_once(&t, &running, &["Just write"]).await;
    running.stop().await;
}

#[tokio::test]
async fn a_webhook_whose_answer_is_cut_off_is_posted_again_and_done_once() {
    let (t, running) = started().await;
    let edge = t.edge.hand();
    let written = when_written(move || edge.cut());
    let called = t.w.phone.text(NUMBER, "menu").await.unwrap();
    timeout(SOON, written.notified()).await.expect("it was cut off");
    assert!(called.attempts.len() > 1 && called.attempts[0] != Attempt::Answered(200), "{called:?}");
    answered_once(&t, &running, &["Just write"]).await;
    running.stop().await;
}

#[tokio::test]
async fn what_a_silent_edge_swallows_is_fetched_from_twilios_list_and_done_once() {
    let (t, running) = started().await;
    let edge = t.edge.hand();
    let written = when_written(move || edge.black_hole(true));
    let first = t.w.phone.text(NUMBER, "menu");
    let (first, second) = tokio::join!(first, async {
        timeout(SOON, written.notified()).await.expect("the first was written");
        t.w.phone.text(NUMBER, "list").await
    });
    for called in [first.unwrap(), second.unwrap()] {
        assert!(!called.is_success(), "Twilio never hears of it: {called:?}");
    }
    t.edge.black_hole(false);
    until(LATER, async || (received(&running).await == 2).then_some(())).await;
    answered_once(&t, &running, &["Just write", "No sessions"]).await;
    running.stop().await;
}
