//! Whatever comes in whatever order: a ledger of what the writes say is kept beside, and the two may never disagree.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One thing that may happen. Numbers pick among what exists.
#[derive(Clone, Debug)]
enum Op {
    Say(bool),
    SayTwice,
    Started { forgot: bool },
    StartFailed(bool),
    TurnStarted,
    TurnEnded { how: u8, unasked: bool },
    Took(usize),
    Tool(bool),
    Idle,
    Asks,
    Withdraws,
    Exited,
    Decided,
    Again,
    Halt,
    Close,
    SetMode,
    Paused,
    Resumed,
    Tick(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any::<bool>().prop_map(Op::Say),
        1 => Just(Op::SayTwice),
        3 => proptest::bool::weighted(0.2).prop_map(|forgot| Op::Started { forgot }),
        1 => any::<bool>().prop_map(Op::StartFailed),
        1 => Just(Op::TurnStarted),
        4 => (0u8..5, proptest::bool::weighted(0.3)).prop_map(|(how, unasked)| Op::TurnEnded { how, unasked }),
        3 => (0usize..4).prop_map(Op::Took),
        1 => any::<bool>().prop_map(Op::Tool),
        1 => Just(Op::Idle),
        1 => Just(Op::Asks),
        1 => Just(Op::Withdraws),
        1 => Just(Op::Exited),
        1 => Just(Op::Decided),
        1 => Just(Op::Again),
        1 => Just(Op::Halt),
        1 => Just(Op::Close),
        1 => Just(Op::SetMode),
        1 => Just(Op::Paused),
        1 => Just(Op::Resumed),
        2 => (0u64..4000).prop_map(Op::Tick),
    ]
}

/// Where a message is, by the writes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lies {
    Waiting,
    Taken(TurnId),
    Dropped,
}

#[derive(Default)]
struct Ledger {
    messages: BTreeMap<i64, Lies>,
    open: Option<TurnId>,
    asked: Vec<(String, Subject)>,
    /// Said to the agent, newest last.
    names: Vec<uuid::Uuid>,
    process: bool,
    paused: bool,
}

impl Ledger {
    fn take(&mut self, message: i64, turn: TurnId) {
        assert_eq!(self.messages.insert(message, Lies::Taken(turn)), Some(Lies::Waiting), "{message} was taken twice");
    }

    fn keep(&mut self, step: &Step) {
        for write in &step.writes {
            match write {
                Write::BeginTurn { turn, messages } => {
                    assert_eq!(self.open.replace(*turn), None, "two turns at once");
                    messages.iter().for_each(|m| self.take(*m, *turn));
                }
                Write::EndTurn { turn, .. } => assert_eq!(self.open.take(), Some(*turn)),
                Write::Append(Event::Steered { turn, message }) => {
                    assert_eq!(self.open, Some(*turn));
                    self.take(*message, *turn);
                }
                Write::Append(event) => {
                    if let Some(turn) = event.turn() {
                        assert_eq!(self.open, Some(turn), "{event:?}");
                    }
                }
                Write::GiveBack { message } => {
                    let before = self.messages.insert(*message, Lies::Waiting);
                    assert_eq!(before, self.open.map(Lies::Taken), "{message} was given back by another turn");
                }
                Write::Drop { message } => {
                    assert_eq!(self.messages.insert(*message, Lies::Dropped), Some(Lies::Waiting));
                }
                Write::Ask { request, subject, turn } => {
                    assert_eq!(*turn, self.open);
                    self.asked.push((request.clone(), subject.clone()));
                }
                Write::Withdraw { request } => self.asked.retain(|(open, _)| open != request),
                Write::Unasked { .. } => panic!("no step knows the owner's rules"),
                Write::AgentSession(_) | Write::Tell(_) => {}
            }
        }
        for act in &step.acts {
            self.act(act);
        }
    }

    fn act(&mut self, act: &Act) {
        let lossy = matches!(act, Act::Partial { .. } | Act::SendPhoto { .. });
        assert!(lossy || !self.paused, "{act:?} while paused");
        match act {
            Act::Say { id, said } => {
                let taken = self.open.map(Lies::Taken);
                assert!(taken.is_some() && self.messages.get(&said.message).copied() == taken, "{said:?}");
                assert!(self.process, "said to nobody: {said:?}");
                assert!(!self.names.contains(id));
                self.names.push(*id);
            }
            Act::Start { .. } => self.process = false,
            Act::Command(_) | Act::Partial { .. } | Act::SendPhoto { .. } | Act::End => {}
        }
    }

    fn waiting(&self) -> Vec<i64> {
        self.messages.iter().filter(|(_, lies)| **lies == Lies::Waiting).map(|(message, _)| *message).collect()
    }

    fn agrees_with(&self, s: &Session) {
        let mut waiting: Vec<i64> = s.waiting.iter().map(|said| said.message).collect();
        waiting.sort_unstable();
        assert_eq!(self.waiting(), waiting, "what waits on disk waits in the machine, once");
        assert_eq!(self.open, s.turn());
        assert!(!self.paused || s.wake_at().is_none());
    }
}

struct World {
    s: Session,
    ledger: Ledger,
    now: Timestamp,
    last: i64,
}

impl World {
    fn step(&mut self, input: Input) {
        match &input {
            Input::Started { .. } if *self.s.phase() == Phase::Starting => self.ledger.process = true,
            Input::Agent(AgentEvent::Exited { .. }) => self.ledger.process = false,
            Input::Paused => self.ledger.paused = true,
            Input::Resumed => self.ledger.paused = false,
            _ => {}
        }
        let step = self.s.step(input, self.now);
        self.ledger.keep(&step);
        self.ledger.agrees_with(&self.s);
    }

    fn say(&mut self, when: When) {
        self.last += 1;
        self.ledger.messages.insert(self.last, Lies::Waiting);
        self.step(Input::Said(Said { when, ..said(self.last) }));
    }

    /// A turn that ended is run again by the owner's word: its messages wait once more.
    fn again(&mut self) {
        let open = self.ledger.open;
        let ended = self.ledger.messages.values().find_map(|lies| match lies {
            Lies::Taken(turn) if Some(*turn) != open => Some(*turn),
            _ => None,
        });
        let Some(ended) = ended else { return };
        let of_turn = |lies: &Lies| *lies == Lies::Taken(ended);
        let messages: Vec<i64> = self.ledger.messages.iter().filter(|(_, l)| of_turn(l)).map(|(m, _)| *m).collect();
        self.ledger.messages.extend(messages.iter().map(|m| (*m, Lies::Waiting)));
        self.step(Input::Again(messages.into_iter().map(said).collect()));
    }

    fn happens(&mut self, op: Op) {
        let input = match op {
            Op::Say(steer) => return self.say(if steer { When::Steer } else { When::Queue }),
            Op::SayTwice if self.last > 0 => Input::Said(said(self.last)),
            Op::SayTwice => return,
            Op::Started { forgot } => {
                let id = if forgot { format!("new {}", self.now.0) } else { "a1".into() };
                Input::Started { agent_session: self.s.agent_session.clone().filter(|_| !forgot).unwrap_or(id) }
            }
            Op::StartFailed(paused) => {
                let code = if paused { Code::SandboxPaused } else { Code::NoEngine };
                Input::StartFailed { code, detail: String::new() }
            }
            Op::TurnStarted => turn_began(),
            Op::TurnEnded { how, unasked } => {
                let outcome = match how {
                    0 => TurnOutcome::Interrupted,
                    1 => TurnOutcome::Failed(AgentFault::Overloaded),
                    2 => TurnOutcome::Failed(AgentFault::UnknownSession),
                    _ => TurnOutcome::Completed,
                };
                end("done", outcome, unasked)
            }
            Op::Took(back) => {
                let Some(id) = self.ledger.names.iter().rev().nth(back) else { return };
                took(*id)
            }
            Op::Tool(true) => Input::Agent(AgentEvent::ToolUsed {
                id: "t".into(),
                tool: "Bash".into(),
                input: json!({}),
                parent: None,
            }),
            Op::Tool(false) => Input::Agent(AgentEvent::ToolFinished {
                id: "t".into(),
                ok: true,
                text: String::new(),
                pictures: vec![],
                detail: None,
            }),
            Op::Idle => Input::Agent(AgentEvent::Activity(crate::agent::Activity::Idle)),
            Op::Asks => asks(&format!("r{}", self.now.0)),
            Op::Withdraws => Input::Agent(AgentEvent::Withdrawn { request: "r1".into() }),
            Op::Exited => exited(),
            Op::Decided => {
                let Some((request, subject)) = self.ledger.asked.pop() else { return };
                Input::Decided { request, subject, decision: Decision::Allowed }
            }
            Op::Again => return self.again(),
            Op::Halt => Input::Halt,
            Op::Close => Input::Close,
            Op::SetMode => Input::SetMode(PermissionMode::Plan),
            Op::Paused => Input::Paused,
            Op::Resumed => Input::Resumed,
            Op::Tick(seconds) => {
                self.now = self.now + Duration::from_secs(seconds);
                Input::Tick
            }
        };
        self.now = self.now + Duration::from_millis(1);
        self.step(input);
    }

    /// From here all goes well: everything that waits must come to be taken.
    fn all_goes_well(&mut self) {
        self.step(Input::Resumed);
        for _ in 0..10 * (self.last + 2) {
            self.now = self.now + Duration::from_secs(1);
            match self.s.phase() {
                Phase::Working(_) => self.step(ended("done")),
                Phase::Starting => self.step(Input::Started { agent_session: "a1".into() }),
                Phase::Warm { .. } | Phase::Cold { .. } | Phase::Closed if self.s.waiting() == 0 => return,
                Phase::Warm { .. } | Phase::Cold { .. } | Phase::Closed => self.step(Input::GoOn),
            }
        }
        panic!("it came to no rest: {:?}", self.s);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_said_is_lost_or_answered_twice_and_no_two_turns_run_at_once(
        ops in proptest::collection::vec(op(), 1..80)
    ) {
        let mut world = World { s: cold(), ledger: Ledger::default(), now: T0, last: 0 };
        for op in ops {
            world.happens(op);
        }
        world.all_goes_well();
        prop_assert_eq!(world.ledger.waiting(), Vec::<i64>::new());
    }
}
