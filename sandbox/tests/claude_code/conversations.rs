//! Conversations: cleared, resumed, unknown, in use.

use super::world::{DEADLINE, VERSIONS, World, start};
use domain::agent::{AgentCommand, AgentEvent as E, AgentFault as F, TurnOutcome};
use sandbox::agent::{NotReady, Patience, Session};
use standins::anthropic::{Script, Step};
use uuid::Uuid;

#[tokio::test]
async fn clearing_gives_the_conversation_a_new_id() {
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        let before = world.turn("hello").await.agent_session;
        world
            .tell(AgentCommand::Say { id: Uuid::new_v4(), text: "/clear".into(), pictures: vec![], slash: true })
            .await;
        world.ended().await;
        let after = world.turn("hello").await.agent_session;
        assert_ne!(before, after, "{version}");
        assert_eq!(world.agent.control.agent_session(), after, "{version}");
    }
}

#[tokio::test]
async fn a_conversation_is_resumed_with_its_history() {
    for version in VERSIONS {
        let mut world = World::new(version, [Script::when("first").step(Step::text("The word is heron."))]).await;
        let session = world.turn("first").await.agent_session;
        world.agent.end(Patience::default()).await.unwrap();
        world.agent = start(&world.den, &world.model, Session::Resume(session.clone()), |_| {});
        assert_eq!(world.turn("second").await.agent_session, session, "{version}");
        let last = world.model.requests().pop().unwrap().body.to_string();
        assert!(last.contains("The word is heron."), "{version}");
    }
}

#[tokio::test]
async fn a_session_that_is_unknown_or_in_use_is_never_ready() {
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        let session: Uuid = world.turn("hello").await.agent_session.parse().unwrap();
        for (session, expected) in [
            (Session::Start(session), F::SessionInUse),
            (Session::Resume(Uuid::new_v4().to_string()), F::UnknownSession),
        ] {
            let mut second = start(&world.den, &world.model, session, |_| {});
            let refused = second.control.ready(DEADLINE).await.unwrap_err();
            assert!(
                matches!(&refused, NotReady::Exited { fault, .. } if *fault == Some(expected.clone())),
                "{version}: {refused:?}"
            );
            let mut events = Vec::new();
            while let Some(event) = second.events.recv().await {
                events.push(event);
            }
            let ends = events
                .iter()
                .filter(|e| matches!(e, E::TurnEnded(end) if end.outcome == TurnOutcome::Failed(expected.clone())));
            assert_eq!(ends.count(), 1, "{version}");
            assert!(matches!(events.last(), Some(E::Exited { status: Some(1), .. })), "{version}: {events:?}");
        }
    }
}
