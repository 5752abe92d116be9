//! Threads of work in a real sandbox over time: two beside each other, paused, stopped in the middle, forgotten.

mod world;

use domain::{Code, phrases};
use standins::anthropic::{Script, Step};
use std::time::Duration;
use store::turns;
use world::{LATER, Running, SOON, Wish, World, container, docker};

fn holds(part: &str, text: &str) -> Script {
    Script::when(part).step(Step::text(text).hold())
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LATER, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn asks_the_model(w: &World, count: u64) {
    until("the model is asked", async || w.anthropic.count() >= count).await;
}

async fn open_turns(running: &Running) -> usize {
    running.app.store.read(|r| turns::left_open(r)).await.unwrap().len()
}

/// An agent that answers everything with "Here.", and has once.
async fn answered_once() -> (World, Running) {
    world::relay();
    let scripts = vec![Script::always().step(Step::text("Here."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("first").await;
    assert_eq!(w.arrives(LATER).await.body, "Here.");
    (w, running)
}

#[tokio::test]
async fn two_sessions_work_beside_each_other_and_each_answer_says_whose_it_is() {
    world::relay();
    let scripts = vec![holds("alpha", "Alpha is done."), Script::when("beta").step(Step::text("Beta is done."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("alpha").await;
    asks_the_model(&w, 1).await;
    w.text("new beta").await;
    assert_eq!(w.arrives(LATER).await.body, "Beta is done.");
    w.anthropic.release();
    assert_eq!(w.arrives(SOON).await.body, "[1] Alpha is done.");
    w.text("use 1").await;
    assert_eq!(w.arrives(SOON).await.body, "Now in 1: alpha");
    w.text("beta again").await;
    assert_eq!(w.arrives(LATER).await.body, "Beta is done.");
    let last = w.anthropic.requests().pop().unwrap().body.to_string();
    assert!(last.contains("alpha") && !last.contains("new beta"), "it was said in the first conversation");
    running.remove().await;
}

#[tokio::test]
async fn a_turn_that_is_paused_goes_on_and_words_said_meanwhile_are_answered_after_it() {
    world::relay();
    let scripts = vec![holds("long", "The long one is done."), Script::always().step(Step::text("So is the other."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("long").await;
    asks_the_model(&w, 1).await;
    running.app.workshop.pause().await.unwrap();
    w.text("and the other").await;
    assert_eq!(w.arrives(SOON).await.body, phrases::failed(Code::SandboxPaused));
    assert!(running.app.workshop.shot("http://localhost/").await.is_err());
    assert_eq!(
        running.app.workshop.state().await,
        gateway::sessions::SandboxState::Paused,
        "nothing else ends a pause"
    );
    w.anthropic.release();
    assert_eq!(open_turns(&running).await, 1);
    running.app.workshop.resume().await.unwrap();
    assert_eq!(w.arrives(LATER).await.body, "The long one is done.");
    assert_eq!(w.arrives(LATER).await.body, "So is the other.");
    running.remove().await;
}

#[tokio::test]
async fn words_said_to_a_warm_session_while_paused_are_answered_after() {
    let (w, running) = answered_once().await;
    running.app.workshop.pause().await.unwrap();
    w.text("second").await;
    assert_eq!(w.arrives(SOON).await.body, phrases::failed(Code::SandboxPaused));
    assert_eq!((w.anthropic.count(), open_turns(&running).await), (1, 0));
    running.app.workshop.resume().await.unwrap();
    assert_eq!(w.arrives(LATER).await.body, "Here.");
    running.remove().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_turn_leaves_nothing_and_offers_the_turn_again() {
    world::relay();
    let scripts = vec![holds("long", "The long one is done.")];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    for paused in [false, true] {
        let running = w.start().await;
        let before = w.anthropic.count();
        w.text("new long").await;
        asks_the_model(&w, before + 1).await;
        if paused {
            running.app.workshop.pause().await.unwrap();
        }
        let name = container(&running);
        running.stop().await;
        let state = docker(&["inspect", "-f", "{{.State.Status}} {{.State.Pid}} {{.ExecIDs}}", &name]);
        assert_eq!(state.trim(), "exited 0 []", "no process, no exec, no container that runs (paused: {paused})");
        let running = w.start().await;
        let offered = w.arrives(LATER).await.body;
        assert!(offered.contains("Interrupted: \"long\". Run it again?"), "{offered}");
        w.text("no").await;
        w.arrives(SOON).await;
        match paused {
            false => running.stop().await,
            true => running.remove().await,
        }
    }
}

#[tokio::test]
async fn a_conversation_that_cannot_be_resumed_is_said_to_be_forgotten() {
    let (w, running) = answered_once().await;
    docker(&["exec", "-u", "1000", &container(&running), "sh", "-c", "rm -rf /home/agent/.claude/projects"]);
    docker(&["kill", &container(&running)]);
    w.text("second").await;
    assert_eq!(w.arrives(LATER).await.body, phrases::forgotten());
    assert_eq!(w.arrives(LATER).await.body, "Here.");
    let noticed =
        |e: &domain::event::Event| matches!(e, domain::event::Event::Noticed { text } if text == phrases::forgotten());
    assert!(world::events(&running).await.iter().any(noticed));
    running.remove().await;
}
