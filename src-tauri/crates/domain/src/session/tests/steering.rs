//! Words steered into a turn: taken in by it, or left over at its end to begin one of their own.

use super::*;

/// A turn on message 2 that the agent took, with message 3 steered into it; the name of the steered words.
fn steered() -> (Session, uuid::Uuid) {
    let mut s = warm();
    let first = name(&s.step(Input::Said(said(2)), T0));
    s.step(took(first), T0);
    let step = s.step(Input::Said(steer(3)), T0);
    assert_eq!(says(&step), [3]);
    assert!(matches!(step.writes[..], [Write::Append(Event::Steered { message: 3, .. })]));
    (s, name(&step))
}

fn steer(message: i64) -> Said {
    Said { when: When::Steer, ..said(message) }
}

fn tool_finished() -> Input {
    let finished =
        AgentEvent::ToolFinished { id: "t".into(), ok: true, text: "".into(), pictures: vec![], detail: None };
    Input::Agent(finished)
}

fn idle() -> Input {
    Input::Agent(AgentEvent::Activity(crate::agent::Activity::Idle))
}

#[test]
fn words_that_the_turn_took_in_are_answered_with_it() {
    let (mut s, id) = steered();
    s.step(took(id), T0);
    let step = s.step(ended("two and three"), T0);
    assert_eq!(reply(&step), Some(Reply::Answer { text: "two and three".into(), unasked: false }));
    assert!(matches!(s.phase(), Phase::Warm { .. }));
}

#[test]
fn words_left_over_at_the_end_begin_a_turn_of_their_own_without_being_said_again() {
    let (mut s, id) = steered();
    let first = s.turn();
    let step = s.step(ended("two"), T0);
    let [Write::GiveBack { message: 3 }, Write::EndTurn { turn, .. }, Write::BeginTurn { messages, .. }, _] =
        &step.writes[..]
    else {
        panic!("{step:?}")
    };
    assert_eq!((Some(*turn), &messages[..]), (first, &[3][..]));
    assert_eq!(says(&step), [] as [i64; 0]);
    assert_eq!(s.step(took(id), T0), Step::default());
    s.step(turn_began(), T0);
    let step = s.step(ended("three"), T0);
    assert_eq!(reply(&step), Some(Reply::Answer { text: "three".into(), unasked: false }));
    assert!(matches!(s.phase(), Phase::Warm { .. }));
}

#[test]
fn words_that_wait_are_said_only_after_those_left_over_were_answered() {
    let (mut s, id) = steered();
    s.step(Input::Said(said(4)), T0);
    assert_eq!(says(&s.step(ended("two"), T0)), [] as [i64; 0]);
    s.step(took(id), T0);
    assert_eq!(says(&s.step(ended("three"), T0)), [4]);
}

#[test]
fn words_left_over_by_a_turn_that_was_stopped_are_answered_too() {
    let (mut s, id) = steered();
    s.step(Input::Halt, T0);
    let step = s.step(end("", TurnOutcome::Interrupted, false), T0);
    assert_eq!(reply(&step), Some(Reply::Halted));
    s.step(took(id), T0);
    assert!(matches!(reply(&s.step(ended("three"), T0)), Some(Reply::Answer { .. })));
}

#[test]
fn words_the_agent_never_read_wait_again_when_it_dies() {
    let (mut s, _) = steered();
    let step = s.step(exited(), T0);
    assert_eq!(reply(&step), Some(Reply::Failure(Code::AgentDied)));
    assert!(step.writes.contains(&Write::GiveBack { message: 3 }));
    assert_eq!(step.acts, [Act::Start { resume: Some("a1".into()) }]);
    assert_eq!(says(&s.step(Input::Started { agent_session: "a1".into() }, T0)), [3]);
}

#[test]
fn words_that_a_job_s_turn_took_in_are_answered_by_it() {
    let mut s = warm();
    let id = name(&s.step(Input::Said(said(2)), T0));
    s.step(took(id), T0);
    let step = s.step(end("both", TurnOutcome::Completed, true), T0);
    assert_eq!(reply(&step), Some(Reply::Answer { text: "both".into(), unasked: false }));
}

#[test]
fn an_older_agent_takes_words_in_with_what_a_tool_gave_back() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(turn_began(), T0);
    s.step(Input::Said(steer(3)), T0);
    s.step(tool_finished(), T0);
    s.step(ended("two and three"), T0);
    assert!(matches!(s.phase(), Phase::Warm { .. }));
}

#[test]
fn an_older_agent_that_goes_idle_has_answered_all() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(turn_began(), T0);
    s.step(Input::Said(steer(3)), T0);
    s.step(ended("two"), T0);
    assert!(s.turn().is_some(), "the agent may still begin with the rest");
    assert_eq!(reply(&s.step(idle(), T0)), None);
    assert!(matches!(s.phase(), Phase::Warm { .. }));
}
