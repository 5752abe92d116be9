mod any;
mod pause;
mod steering;

use super::*;
use crate::agent::{AgentEvent, AgentFault, Ask, AskAbout, TurnEnd, TurnOutcome};
use serde_json::json;

const T0: Timestamp = Timestamp(1_000_000);

fn later(seconds: u64) -> Timestamp {
    T0 + Duration::from_secs(seconds)
}

fn said(message: i64) -> Said {
    Said { message, text: format!("message {message}"), pictures: vec![], when: When::Queue }
}

fn cold() -> Session {
    Session::new(SessionId::new(), None, vec![], Patience::default())
}

fn warm() -> Session {
    let mut s = cold();
    s.step(Input::Said(said(1)), T0);
    s.step(Input::Started { agent_session: "a1".into() }, T0);
    s.step(ended("done 1"), T0);
    assert!(matches!(s.phase(), Phase::Warm { .. }));
    s
}

fn end(text: &str, outcome: TurnOutcome, unasked: bool) -> Input {
    Input::Agent(AgentEvent::TurnEnded(TurnEnd {
        outcome,
        text: text.into(),
        unasked,
        agent_session: "a1".into(),
        tokens: Tokens::default(),
        process_cost: None,
        duration_ms: 5,
        model_turns: 1,
        denials: vec![],
    }))
}

fn ended(text: &str) -> Input {
    end(text, TurnOutcome::Completed, false)
}

fn turn_began() -> Input {
    Input::Agent(AgentEvent::TurnStarted {
        agent_session: "a1".into(),
        model: "m".into(),
        mode: None,
        version: "v".into(),
    })
}

fn asks(request: &str) -> Input {
    let about = AskAbout::Tool { tool: "Bash".into(), input: json!({"command": "npm test"}), why: None, rules: vec![] };
    Input::Agent(AgentEvent::Asked(Ask { request: request.into(), tool_use: None, subagent: None, about }))
}

fn says(step: &Step) -> Vec<i64> {
    step.acts.iter().filter_map(|a| if let Act::Say { said, .. } = a { Some(said.message) } else { None }).collect()
}

/// What the agent knows the words of an [`Act::Say`] by.
fn name(step: &Step) -> uuid::Uuid {
    step.acts.iter().find_map(|a| if let Act::Say { id, .. } = a { Some(*id) } else { None }).unwrap()
}

fn took(id: uuid::Uuid) -> Input {
    Input::Agent(AgentEvent::Took { id })
}

fn exited() -> Input {
    Input::Agent(AgentEvent::Exited { status: None, stderr: String::new() })
}

fn reply(step: &Step) -> Option<Reply> {
    step.writes.iter().find_map(|w| if let Write::EndTurn { reply, .. } = w { reply.clone() } else { None })
}

#[test]
fn the_first_words_start_a_process_and_are_said_when_it_is_up() {
    let mut s = cold();
    let step = s.step(Input::Said(said(1)), T0);
    assert_eq!(step.acts, [Act::Start { resume: None }]);
    let step = s.step(Input::Started { agent_session: "a1".into() }, T0);
    assert_eq!(says(&step), [1]);
    assert!(step.writes.contains(&Write::AgentSession("a1".into())));
    assert!(matches!(&step.writes[1], Write::BeginTurn { messages, .. } if messages == &[1]));
}

#[test]
fn what_is_said_while_it_works_is_held_and_sent_one_turn_at_a_time() {
    let mut s = warm();
    assert_eq!(says(&s.step(Input::Said(said(2)), T0)), [2]);
    assert_eq!(s.step(Input::Said(said(3)), T0), Step::default());
    assert_eq!(s.step(Input::Said(said(4)), T0), Step::default());
    let step = s.step(ended("two"), T0);
    assert_eq!(says(&step), [3]);
    assert_eq!(reply(&step), Some(Reply::Answer { text: "two".into(), unasked: false }));
    assert_eq!(says(&s.step(ended("three"), T0)), [4]);
}

#[test]
fn a_turn_nobody_asked_for_is_shown_as_such() {
    let mut s = warm();
    let step = s.step(turn_began(), T0);
    assert!(matches!(&step.writes[0], Write::BeginTurn { messages, .. } if messages.is_empty()));
    let step = s.step(end("the job is done", TurnOutcome::Completed, true), T0);
    assert_eq!(reply(&step), Some(Reply::Answer { text: "the job is done".into(), unasked: true }));
}

#[test]
fn an_unasked_end_does_not_end_the_turn_that_was_asked() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    let step = s.step(end("job", TurnOutcome::Completed, true), T0);
    assert_eq!(reply(&step), None);
    assert!(s.turn().is_some());
    assert!(reply(&s.step(ended("two"), T0)).is_some());
}

#[test]
fn a_yes_reaches_the_agent_once_with_the_exact_input() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    let step = s.step(asks("r1"), T0);
    let Write::Ask { subject, .. } = &step.writes[0] else { panic!("{step:?}") };
    let decided = Input::Decided { request: "r1".into(), subject: subject.clone(), decision: Decision::Allowed };
    let allow =
        AgentCommand::Allow { request: "r1".into(), input: json!({"command": "npm test"}), always: vec![], mode: None };
    assert_eq!(s.step(decided.clone(), T0).acts, [Act::Command(allow)]);
    assert_eq!(s.step(decided, T0), Step::default());
}

#[test]
fn what_is_still_asked_when_the_turn_ends_is_withdrawn() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(asks("r1"), T0);
    let step = s.step(ended("never mind"), T0);
    assert!(step.writes.contains(&Write::Withdraw { request: "r1".into() }));
}

#[test]
fn a_subagent_in_the_background_may_be_answered_after_the_turn_s_end() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    let about = AskAbout::Tool { tool: "Bash".into(), input: json!({"command": "make"}), why: None, rules: vec![] };
    let ask = Ask { request: "r1".into(), tool_use: None, subagent: Some("sub".into()), about: about.clone() };
    s.step(Input::Agent(AgentEvent::Asked(ask)), T0);
    let step = s.step(ended("it goes on in the background"), T0);
    assert!(!step.writes.contains(&Write::Withdraw { request: "r1".into() }), "{step:?}");
    assert_eq!(s.wake_at(), None, "its process is not ended while it asks");
    s.step(Input::Said(said(3)), T0);
    assert!(s.wake_at().is_some(), "the next turn does not wait for it");
    let (request, subject) = ("r1".to_owned(), about.into());
    let acts = s.step(Input::Decided { request, subject, decision: Decision::Allowed }, T0).acts;
    assert!(matches!(&acts[..], [Act::Command(AgentCommand::Allow { request, .. })] if request == "r1"), "{acts:?}");
    assert_eq!(s.step(exited(), later(1)).writes.iter().filter(|w| matches!(w, Write::Withdraw { .. })).count(), 0);
}

#[test]
fn a_mode_that_is_set_while_a_process_starts_is_told_to_it() {
    let mut s = cold();
    s.step(Input::Said(said(1)), T0);
    let step = s.step(Input::SetMode(PermissionMode::Plan), T0);
    assert_eq!((step.writes.len(), step.acts.len()), (1, 0));
    let acts = s.step(Input::Started { agent_session: "a1".into() }, T0).acts;
    assert_eq!(acts[0], Act::Command(AgentCommand::SetMode(PermissionMode::Plan)));
    assert!(matches!(acts[1], Act::Say { .. }), "{acts:?}");
}

#[test]
fn after_an_approved_plan_the_session_is_in_plan_mode_no_more() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    let about = AskAbout::Plan { plan: "# Plan".into(), input: json!({}) };
    let ask = Ask { request: "r1".into(), tool_use: None, subagent: None, about: about.clone() };
    s.step(Input::Agent(AgentEvent::Asked(ask)), T0);
    let (request, subject) = ("r1".to_owned(), about.into());
    let step = s.step(Input::Decided { request, subject, decision: Decision::Allowed }, T0);
    assert_eq!(step.writes, [Write::Append(Event::ModeChanged { mode: PermissionMode::Default })]);
}

#[test]
fn halt_asks_first_and_ends_the_process_when_that_is_not_enough() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    assert_eq!(s.step(Input::Halt, T0).acts, [Act::Command(AgentCommand::Interrupt)]);
    assert_eq!(s.step(Input::Tick, later(1)), Step::default());
    assert_eq!(s.step(Input::Tick, later(6)).acts, [Act::End]);
    let step = s.step(exited(), later(7));
    assert_eq!(reply(&step), Some(Reply::Halted));
    assert_eq!(*s.phase(), COLD);
}

#[test]
fn a_silent_agent_is_ended_but_not_while_it_waits_for_the_owner() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(asks("r1"), T0);
    assert_eq!(s.wake_at(), None);
    s.step(Input::Agent(AgentEvent::Withdrawn { request: "r1".into() }), T0);
    let at = s.wake_at().unwrap();
    assert_eq!(s.step(Input::Tick, at).acts, [Act::Command(AgentCommand::Interrupt)]);
    let step = s.step(end("", TurnOutcome::Interrupted, false), at);
    assert_eq!(reply(&step), Some(Reply::Failure(Code::AgentSilent)));
}

#[test]
fn a_running_tool_has_more_patience() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    let used = AgentEvent::ToolUsed { id: "t1".into(), tool: "Bash".into(), input: json!({}), parent: None };
    s.step(Input::Agent(used), T0);
    assert_eq!(s.wake_at(), Some(T0 + Patience::default().tool_silence));
}

#[test]
fn a_process_that_the_memory_limit_killed_says_so_and_one_that_was_stopped_before_does_not() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    let step = s.step(Input::OutOfMemory { stderr: String::new() }, T0);
    assert_eq!(reply(&step), Some(Reply::Failure(Code::MemoryLimit)));
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(Input::Halt, T0);
    assert_eq!(reply(&s.step(Input::OutOfMemory { stderr: String::new() }, T0)), Some(Reply::Halted));
}

#[test]
fn a_process_that_dies_fails_its_turn_and_the_next_words_resume_the_conversation() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(asks("r1"), T0);
    let step = s.step(Input::Agent(AgentEvent::Exited { status: Some(137), stderr: "Killed".into() }), T0);
    assert_eq!(reply(&step), Some(Reply::Failure(Code::AgentDied)));
    assert!(step.writes.contains(&Write::Withdraw { request: "r1".into() }));
    let step = s.step(Input::Said(said(3)), T0);
    assert_eq!(step.acts, [Act::Start { resume: Some("a1".into()) }]);
}

#[test]
fn a_sandbox_that_will_not_start_keeps_the_words_and_says_so() {
    let mut s = cold();
    s.step(Input::Said(said(1)), T0);
    let step = s.step(Input::StartFailed { code: Code::NoEngine, detail: "refused".into() }, T0);
    assert!(step.writes.contains(&Write::Tell(Code::NoEngine.entry().sms.into())));
    assert_eq!(s.waiting(), 1);
    assert_eq!(s.step(Input::Said(said(2)), T0).acts, [Act::Start { resume: None }]);
    assert_eq!(says(&s.step(Input::Started { agent_session: "a".into() }, T0)), [1]);
}

#[test]
fn an_idle_process_is_ended_and_the_session_resumes_later() {
    let mut s = warm();
    let at = s.wake_at().unwrap();
    assert_eq!(s.step(Input::Tick, at).acts, [Act::End]);
    assert_eq!(s.step(Input::Said(said(2)), at).acts, [Act::Start { resume: Some("a1".into()) }]);
}

#[test]
fn every_fault_has_its_reply() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    let step = s.step(end("Credit balance is too low", TurnOutcome::Failed(AgentFault::CreditTooLow), false), T0);
    assert_eq!(reply(&step), Some(Reply::Failure(Code::CreditTooLow)));
    assert!(matches!(s.phase(), Phase::Warm { .. }));
}

#[test]
fn a_closed_session_opens_again_when_words_come() {
    let mut s = warm();
    let step = s.step(Input::Close, T0);
    assert_eq!(step.acts, [Act::End]);
    s.step(Input::Agent(AgentEvent::Exited { status: Some(0), stderr: String::new() }), T0);
    assert_eq!(*s.phase(), Phase::Closed);
    assert_eq!(s.step(Input::Said(said(3)), T0).acts, [Act::Start { resume: Some("a1".into()) }]);
}

#[test]
fn an_interrupted_message_that_waits_already_is_said_once() {
    let mut s = Session::new(SessionId::new(), None, vec![said(1)], Patience::default());
    s.step(Input::GoOn, T0);
    s.step(Input::Again(vec![said(1)]), T0);
    assert_eq!(says(&s.step(Input::Started { agent_session: "a".into() }, T0)), [1]);
    s.step(Input::Again(vec![said(1)]), T0);
    assert_eq!(says(&s.step(ended("done"), T0)), [] as [i64; 0]);
}

#[test]
fn the_end_of_an_old_process_does_not_start_a_third() {
    let mut s = warm();
    let at = s.wake_at().unwrap();
    s.step(Input::Tick, at);
    assert_eq!(s.step(Input::Said(said(2)), at).acts.len(), 1);
    let old = Input::Agent(AgentEvent::Exited { status: Some(0), stderr: String::new() });
    assert_eq!(s.step(old, at), Step::default());
    assert_eq!(says(&s.step(Input::Started { agent_session: "a1".into() }, at)), [2]);
}

#[test]
fn a_process_that_cannot_be_ended_does_not_hold_its_session_for_ever() {
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    s.step(Input::Halt, T0);
    assert_eq!(s.step(Input::Halt, T0).acts, [Act::End]);
    let at = s.wake_at().unwrap();
    assert_eq!(reply(&s.step(Input::Tick, at)), Some(Reply::Halted));
    assert_eq!(s.step(Input::Said(said(3)), at).acts.len(), 1);
}

#[test]
fn a_conversation_that_is_begun_anew_is_said_to_be_forgotten() {
    let mut s = Session::new(SessionId::new(), Some("old".into()), vec![said(1)], Patience::default());
    s.step(Input::GoOn, T0);
    let step = s.step(Input::Started { agent_session: "new".into() }, T0);
    assert_eq!(step.writes[0], Write::Append(Event::Noticed { text: phrases::forgotten().into() }));
    assert_eq!(step.writes[1], Write::Tell(phrases::forgotten().into()));
    assert_eq!(says(&step), [1]);
    let mut s = Session::new(SessionId::new(), Some("old".into()), vec![said(1)], Patience::default());
    s.step(Input::GoOn, T0);
    let step = s.step(Input::Started { agent_session: "old".into() }, T0);
    assert!(!step.writes.iter().any(|w| matches!(w, Write::Tell(_))), "{step:?}");
}

#[test]
fn the_end_of_a_turn_that_was_never_heard_to_begin_is_told() {
    let mut s = warm();
    let step = s.step(end("the job is done", TurnOutcome::Completed, true), later(9));
    let [Write::BeginTurn { turn, messages }, _, Write::EndTurn { turn: ended, reply, .. }] = &step.writes[..] else {
        panic!("{step:?}")
    };
    assert_eq!((turn, messages.is_empty()), (ended, true));
    assert_eq!(*reply, Some(Reply::Answer { text: "the job is done".into(), unasked: true }));
    assert_eq!(*s.phase(), Phase::Warm { since: later(9) });
}

#[test]
fn words_that_wait_when_a_session_is_closed_are_dropped_for_good() {
    let mut s = cold();
    s.step(Input::Said(said(1)), T0);
    s.step(Input::Said(said(2)), T0);
    let step = s.step(Input::Close, T0);
    assert!(step.writes.contains(&Write::Drop { message: 1 }) && step.writes.contains(&Write::Drop { message: 2 }));
}

#[test]
fn halt_takes_back_words_that_no_turn_took() {
    let mut s = cold();
    s.step(Input::Said(said(1)), T0);
    assert!(s.step(Input::Halt, T0).writes.contains(&Write::Drop { message: 1 }));
    assert_eq!(says(&s.step(Input::Started { agent_session: "a".into() }, T0)), [] as [i64; 0]);
}

#[test]
fn a_turn_that_takes_too_long_is_stopped_and_says_so() {
    let patience =
        Patience { turn: Duration::from_secs(100), silence: Duration::from_secs(1000), ..Patience::default() };
    let mut s = Session::new(SessionId::new(), None, vec![], patience);
    s.step(Input::Said(said(1)), T0);
    s.step(Input::Started { agent_session: "a1".into() }, T0);
    assert_eq!(s.wake_at(), Some(later(100)));
    assert_eq!(s.step(Input::Tick, later(99)), Step::default());
    let stopped = s.step(Input::Tick, later(100));
    assert_eq!(stopped.acts, [Act::Command(AgentCommand::Interrupt)]);
    let over = s.step(end("", TurnOutcome::Interrupted, false), later(101));
    assert!(
        over.writes.iter().any(|w| matches!(w, Write::Append(Event::Failed { code: Code::TurnTimeout, .. }))),
        "{over:?}"
    );
}

#[test]
fn the_time_the_owner_takes_to_answer_does_not_count() {
    let patience =
        Patience { turn: Duration::from_secs(100), silence: Duration::from_secs(1000), ..Patience::default() };
    let mut s = Session::new(SessionId::new(), None, vec![], patience);
    s.step(Input::Said(said(1)), T0);
    s.step(Input::Started { agent_session: "a1".into() }, T0);
    s.step(asks("r1"), later(10));
    assert_eq!(s.wake_at(), None, "it waits as long as the approval lives");
    let subject = Subject::Plan { plan: "p".into(), input: json!({}) };
    s.step(Input::Decided { request: "r1".into(), subject, decision: Decision::Allowed }, later(1010));
    assert_eq!(s.wake_at(), Some(later(1100)));
}

#[test]
fn a_process_that_was_started_with_what_holds_no_more_ends_when_its_turn_does() {
    let mut s = warm();
    assert_eq!(s.step(Input::Anew, T0).acts, [Act::End]);
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    assert_eq!(s.step(Input::Anew, T0).acts, []);
    assert!(s.step(ended("Done."), T0).acts.contains(&Act::End));
    assert!(s.rests());
}

#[test]
fn a_process_without_work_makes_room_and_one_at_work_does_not() {
    let mut s = warm();
    assert_eq!(s.step(Input::MakeRoom, T0).acts, [Act::End]);
    assert!(s.rests());
    let mut s = warm();
    s.step(Input::Said(said(2)), T0);
    assert_eq!(s.step(Input::MakeRoom, T0), Step::default());
    assert!(!s.rests());
}

#[test]
fn a_process_that_does_not_start_is_tried_again_later_each_time_and_told_of_once() {
    let (mut s, mut now, mut waits, mut told) = (cold(), T0, vec![], 0);
    s.step(Input::Said(said(1)), now);
    for _ in 0..7 {
        let failed = Input::StartFailed { code: Code::NoEngine, detail: String::new() };
        told += s.step(failed, now).writes.iter().filter(|write| matches!(write, Write::Tell(_))).count();
        let again = s.wake_at().unwrap();
        waits.push(again.since(now).as_secs());
        assert_eq!(s.step(Input::Tick, now), Step::default(), "not before its time");
        now = again;
        assert!(matches!(s.step(Input::Tick, now).acts[..], [Act::Start { .. }]));
    }
    assert_eq!((waits, told), (vec![15, 30, 60, 120, 240, 300, 300], 1));
    s.step(Input::Started { agent_session: "a1".into() }, now);
    s.step(ended("done"), now);
    assert_eq!(s.waiting(), 0, "its words were kept for it");
}
