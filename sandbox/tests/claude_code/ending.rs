//! Stops: of a turn, of a busy process, of one that will not leave.

use super::{
    puppet::puppet,
    world::{VERSIONS, World},
};
use domain::agent::{AgentCommand, AgentEvent as E, TurnOutcome};
use sandbox::{Ended, agent::Patience};
use standins::anthropic::{Script, Step};
use std::time::Duration;

#[tokio::test]
async fn a_stop_ends_the_turn_and_the_next_one_works() {
    for version in VERSIONS {
        let mut world =
            World::new(version, [Script::when("slow").step(Step::text("one two three four five six").hold())]).await;
        world.say("slow").await;
        world.until(|e| matches!(e, E::Partial { .. }).then_some(())).await;
        world.tell(AgentCommand::Interrupt).await;
        assert_eq!(world.ended().await.outcome, TurnOutcome::Interrupted, "{version}");
        assert_eq!(world.turn("and now").await.outcome, TurnOutcome::Completed, "{version}");
    }
}

#[tokio::test]
async fn ending_a_busy_process_interrupts_it_and_hands_over_its_last_words() {
    for version in VERSIONS {
        let mut world =
            World::new(version, [Script::when("slow").step(Step::text("one two three four five six").hold())]).await;
        world.say("slow").await;
        world.until(|e| matches!(e, E::Partial { .. }).then_some(())).await;
        let ending = world.agent.end(Patience::default()).await.unwrap();
        let stopped = |e: &E| matches!(e, E::TurnEnded(end) if end.outcome == TurnOutcome::Interrupted);
        assert!(ending.last.iter().any(stopped), "{version}: {ending:?}");
        assert!(matches!(ending.last.last(), Some(E::Exited { .. })), "{version}: {ending:?}");
        assert!(!world.agent.control.alive());
    }
}

#[tokio::test]
async fn a_process_that_will_not_leave_is_killed_within_its_patience() {
    let mut agent = puppet([], true);
    let patience = Patience { interrupt: Duration::from_millis(50), leave: Duration::from_millis(50) };
    let ending = agent.end(patience).await.unwrap();
    assert_eq!(ending.how, Ended::Killed(1));
}
