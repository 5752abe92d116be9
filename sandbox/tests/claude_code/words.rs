//! Words both ways: streamed, thought, shown, taken as text.

use super::world::{DEADLINE, VERSIONS, World};
use domain::agent::{Activity, AgentCommand, AgentEvent as E, Picture};
use standins::anthropic::{Block, Script, Step};
use std::path::PathBuf;
use uuid::Uuid;

#[tokio::test]
async fn a_process_started_ahead_is_ready_then_streams_words_and_keeps_its_session() {
    for version in VERSIONS {
        let mut world =
            World::new(version, [Script::when("hello").step(Step::text("Hello, word by word, to you."))]).await;
        let ready = world.agent.control.ready(DEADLINE).await.unwrap();
        assert!(ready.pid.is_some(), "{version}");
        let first = world.agent.control.agent_session();
        world.say("hello").await;
        let (end, before) = world.until(|e| if let E::TurnEnded(end) = e { Some(end.clone()) } else { None }).await;
        let streamed: String = before
            .iter()
            .filter_map(|e| if let E::Partial { text, .. } = e { Some(text.as_str()) } else { None })
            .collect();
        assert_eq!(
            (streamed.as_str(), end.text.as_str()),
            ("Hello, word by word, to you.", "Hello, word by word, to you.")
        );
        assert!(before.iter().any(|e| matches!(e, E::TurnStarted { version: v, .. } if v == version)), "{version}");
        assert!(end.tokens.output > 0 && end.process_cost.is_some());
        world.until(|e| matches!(e, E::Activity(Activity::Idle)).then_some(())).await;
        assert_eq!(world.turn("again").await.agent_session, first, "{version}");
    }
}

#[tokio::test]
async fn a_text_that_begins_with_a_slash_reaches_the_model_and_lanyard_s_own_does_not() {
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        assert_eq!(world.turn("/cost").await.model_turns, 1, "{version}");
        let command = AgentCommand::Say { id: Uuid::new_v4(), text: "/cost".into(), pictures: vec![], slash: true };
        world.tell(command).await;
        assert_eq!((world.ended().await.model_turns, world.model.count()), (0, 1), "{version}");
    }
}

#[tokio::test]
async fn a_picture_of_the_owner_s_reaches_the_model() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dot.png");
    let png = std::fs::read(file).unwrap();
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        let picture = Picture { media_type: "image/png".into(), bytes: png.clone().into() };
        world
            .tell(AgentCommand::Say { id: Uuid::new_v4(), text: "look".into(), pictures: vec![picture], slash: false })
            .await;
        world.ended().await;
        assert!(world.sent().contains("\"media_type\":\"image/png\""), "{version}");
    }
}

#[tokio::test]
async fn thinking_is_told_apart_from_words() {
    for version in VERSIONS {
        let thought = Step {
            blocks: vec![Block::Thinking("Hm, let me see.".into()), Block::Text("Yes.".into())],
            ..Step::default()
        };
        let mut world = World::new(version, [Script::when("think").step(thought)]).await;
        world.say("think").await;
        let (end, before) = world.until(|e| if let E::TurnEnded(end) = e { Some(end.clone()) } else { None }).await;
        assert_eq!(end.text, "Yes.");
        assert!(before.iter().any(|e| matches!(e, E::Thinking { text, .. } if text == "Hm, let me see.")), "{version}");
    }
}
