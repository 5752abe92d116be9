//! Words said in the middle of a turn: taken in with what a tool gave back, or left over to begin a turn of their own.

use super::world::{VERSIONS, World, bash};
use domain::agent::{Activity, AgentEvent as E};
use standins::{
    CLAUDE,
    anthropic::{Script, Step},
};

/// What tells a turn from the next, in order: words taken in, beginnings and ends; up to the idleness after `ends` turns.
async fn heard(world: &mut World, ends: usize) -> Vec<String> {
    let (mut heard, mut ended) = (Vec::new(), 0);
    loop {
        match world.next().await {
            E::Took { id } => heard.push(format!("took {}", world.words(id))),
            E::TurnStarted { .. } => heard.push("began".into()),
            E::TurnEnded(end) => {
                heard.push(format!("ended: {}", end.text));
                ended += 1;
            }
            E::Activity(Activity::Idle) if ended == ends => return heard,
            _ => {}
        }
    }
}

/// What a version that does not tell of taking leaves out.
fn told(version: &str, all: &[&str]) -> Vec<String> {
    let tells = version == CLAUDE;
    all.iter().filter(|h| tells || !h.starts_with("took")).map(|h| h.to_string()).collect()
}

#[tokio::test]
async fn words_said_before_a_tool_is_done_are_taken_in_by_the_turn() {
    for version in VERSIONS {
        let script = Script::when("go").step(bash("touch made")).step(Step::text("Both."));
        let mut world = World::new(version, [script]).await;
        world.say("go").await;
        let ask = world.asked().await;
        world.say("and this").await;
        world.allow(&ask).await;
        assert_eq!(heard(&mut world, 1).await, told(version, &["took and this", "ended: Both."]), "{version}");
        assert!(world.sent().contains("and this"), "{version}");
    }
}

#[tokio::test]
async fn words_said_too_late_for_a_turn_begin_one_after_its_end() {
    for version in VERSIONS {
        let first = Script::when("heron one").step(Step::text("The first is being answered.").hold());
        let scripts = [Script::when("heron two").step(Step::text("So is the second.")), first];
        let mut world = World::new(version, scripts).await;
        world.say("heron one").await;
        world.until(|e| matches!(e, E::Partial { .. }).then_some(())).await;
        world.say("heron two").await;
        world.model.release();
        let order = ["ended: The first is being answered.", "took heron two", "began", "ended: So is the second."];
        assert_eq!(heard(&mut world, 2).await, told(version, &order), "{version}");
    }
}
