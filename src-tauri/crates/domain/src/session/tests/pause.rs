//! A paused sandbox, with a warm process and with a turn in it.

use super::*;

#[test]
fn a_paused_agent_is_not_a_silent_one() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(Input::Paused, T0);
    assert_eq!(s.wake_at(), None);
    assert_eq!(s.step(Input::Tick, later(100_000)), Step::default());
    s.step(Input::Resumed, later(100_000));
    assert_eq!(s.wake_at(), Some(later(100_000) + Patience::default().silence));
    assert!(reply(&s.step(ended("two"), later(100_001))).is_some());
}

#[test]
fn words_said_while_paused_wait_and_are_answered_after() {
    let mut s = warm();
    s.step(Input::Paused, T0);
    let step = s.step(Input::Said(said(2)), T0);
    assert_eq!(step.writes, [Write::Tell(phrases::failed(Code::SandboxPaused).into())]);
    assert_eq!(step.acts, []);
    assert_eq!(s.step(Input::Said(said(3)), T0), Step::default(), "the owner is told once");
    assert_eq!(s.step(Input::GoOn, T0), Step::default());
    assert_eq!(says(&s.step(Input::Resumed, later(9))), [2]);
    assert_eq!(says(&s.step(ended("two"), later(9))), [3]);
}

#[test]
fn a_process_is_started_for_them_only_after_the_pause() {
    let mut s = cold();
    s.step(Input::Paused, T0);
    assert_eq!(s.step(Input::Said(said(1)), T0).acts, []);
    assert_eq!(s.step(Input::Resumed, T0).acts, [Act::Start { resume: None }]);
}

#[test]
fn what_the_agent_is_to_be_told_is_told_when_it_goes_on() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(Input::Paused, T0);
    s.step(Input::Said(Said { when: When::Steer, ..said(3) }), T0);
    assert_eq!(s.step(Input::Halt, T0).acts, []);
    let step = s.step(Input::Resumed, later(600));
    assert_eq!(step.acts, [Act::Command(AgentCommand::Interrupt)]);
    assert_eq!(s.wake_at(), Some(later(600) + Patience::default().halt));
}

#[test]
fn steering_while_paused_goes_into_the_turn_that_goes_on() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(Input::Paused, T0);
    s.step(Input::Said(said(3)), T0);
    s.step(Input::Said(Said { when: When::Steer, ..said(4) }), T0);
    assert_eq!(says(&s.step(Input::Resumed, T0)), [4]);
    assert_eq!(s.waiting(), 1);
}

#[test]
fn an_end_that_was_under_way_when_it_was_paused_is_told_and_the_next_words_wait() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(Input::Said(said(3)), T0);
    s.step(Input::Paused, T0);
    let step = s.step(ended("two"), T0);
    assert!(reply(&step).is_some() && says(&step).is_empty());
    assert_eq!(says(&s.step(Input::Resumed, T0)), [3]);
}

#[test]
fn what_was_held_for_a_process_that_is_gone_reaches_no_other() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(Input::Paused, T0);
    s.step(Input::Halt, T0);
    s.step(exited(), T0);
    assert_eq!(s.step(Input::Resumed, T0), Step::default());
}
