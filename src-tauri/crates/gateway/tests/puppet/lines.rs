//! What an agent may say, up to the words the owner gets.

use super::{
    agent::Puppet,
    world::{Running, SOON, Wish, World, events},
};
use domain::event::Event;

/// An agent that was told "one" and begins with it.
async fn begun(w: &World) -> (Running, Puppet) {
    let running = w.start().await;
    let mut agent = Puppet::stands_ready(&running.app).await;
    w.text("one").await;
    let (one, text) = agent.hears().await;
    assert_eq!(text, "one");
    agent.begins(&one);
    (running, agent)
}

#[tokio::test]
async fn each_answer_goes_to_its_words_when_steering_came_too_late() {
    let w = World::new(Wish::default()).await;
    let (running, mut agent) = begun(&w).await;
    w.text("steer two").await;
    let (two, text) = agent.hears().await;
    assert_eq!(text, "two");
    agent.ends("One is done.");
    agent.begins(&two);
    agent.ends("Two is done.");
    assert_eq!(w.arrives(SOON).await.body, "One is done.");
    assert_eq!(w.arrives(SOON).await.body, "Two is done.");
    let turns: Vec<Vec<i64>> = events(&running)
        .await
        .into_iter()
        .filter_map(|e| if let Event::TurnStarted { messages, .. } = e { Some(messages) } else { None })
        .collect();
    assert_eq!(turns, [[1], [2]]);
    w.text("three").await;
    let (three, text) = agent.hears().await;
    assert_eq!(text, "three");
    agent.begins(&three);
    agent.ends("Three is done.");
    assert_eq!(w.arrives(SOON).await.body, "Three is done.");
    running.stop().await;
}

#[tokio::test]
async fn a_turn_that_ends_after_all_was_answered_is_told_as_one_nobody_asked_for() {
    let w = World::new(Wish::default()).await;
    let (running, agent) = begun(&w).await;
    agent.ends("One is done.");
    agent.ends("And the job.");
    assert_eq!(w.arrives(SOON).await.body, "One is done.");
    assert_eq!(w.arrives(SOON).await.body, "(by itself) And the job.");
    running.stop().await;
}

#[tokio::test]
async fn garbage_and_a_line_of_50_mb_cost_only_themselves() {
    let w = World::new(Wish::default()).await;
    let (running, agent) = begun(&w).await;
    agent.prints(&b"no json at all\n{\"type\":\"never seen\"}\n\xff\xfe\x00\n"[..]);
    for _ in 0..50 {
        agent.prints(vec![b'x'; 1_000_000]);
    }
    agent.prints(&b"\n"[..]);
    agent.writes("Still here.");
    agent.ends("Still here.");
    assert_eq!(w.arrives(SOON).await.body, "Still here.");
    let seen = events(&running).await;
    let noticed = |part: &str| seen.iter().any(|e| matches!(e, Event::Noticed { text } if text.contains(part)));
    assert!(noticed("14 bytes") && noticed("50000000 bytes"), "{seen:?}");
    running.stop().await;
}

#[tokio::test]
async fn an_agent_that_reads_nothing_is_ended_and_the_owner_is_told() {
    let w = World::new(Wish { config: "[sms]\nper_minute = 1000\n", ..Wish::default() }).await;
    let (running, _agent) = begun(&w).await;
    let long = "x".repeat(1500);
    for n in 0..80 {
        w.text(&format!("steer {n} {long}")).await;
    }
    let told = w.phone.wait_for(|m| m.body.contains("ended in the middle of that"), 2 * SOON).await;
    assert!(told.is_ok(), "{:?}", w.phone.received());
    running.stop().await;
}
