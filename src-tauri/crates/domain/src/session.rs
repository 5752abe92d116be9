//! One thread of work with an agent, as a machine: [`Session::step`] takes what happened and says what to write down and
//! what to do. It holds no handle, reads no clock and touches no store; the driver in the gateway carries its steps out:
//! first every [`Write`] of a step in one transaction, then its [`Act`]s in order.
//!
//! The invariant the driver relies on: a step's acts assume its writes are on disk, never the other way round.

mod ending;
mod hear;
mod patience;
mod pause;
mod step;
mod turn;

use crate::{
    Code, PermissionMode, SessionId, Timestamp, TurnId,
    agent::AgentCommand,
    approval::{Decision, Subject},
    event::{Event, Outcome, When},
    phrases,
    usage::Tokens,
};
pub use patience::Patience;
use pause::Pause;
use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};
pub use step::{Act, Input, Reply, Step, Write};
use turn::Handed;
pub use turn::Turn;

/// Something said in this session that no turn has taken yet. `message` is its number in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub message: i64,
    pub text: String,
    pub pictures: Vec<crate::ArtifactId>,
    pub when: When,
}

/// A request of the agent that waits for the owner.
#[derive(Debug)]
struct Open {
    request: String,
    by_subagent: bool,
    /// The turn in which it was asked has ended: it holds up none of the turns after it.
    outlived: bool,
}

/// Where the session's process stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// No process. After a failed start, when the next is tried for the words that wait.
    Cold {
        retry_at: Option<Timestamp>,
    },
    /// A process is being started.
    Starting,
    /// A process without work.
    Warm {
        since: Timestamp,
    },
    Working(Turn),
    /// Closed by the owner: history stays, nothing runs.
    Closed,
}

/// A sandbox that was paused just as a process was to start: resuming is heard of at once, this is for the unheard.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

const COLD: Phase = Phase::Cold { retry_at: None };

/// One session's state in memory. All of it can be rebuilt from the store.
#[derive(Debug)]
pub struct Session {
    pub id: SessionId,
    phase: Phase,
    waiting: VecDeque<Said>,
    asked: Vec<Open>,
    /// Set while a process was being started, which may not know it.
    mode_to_tell: Option<PermissionMode>,
    agent_session: Option<String>,
    /// Whether this process tells which words its turns take in ([`AgentEvent::Took`](crate::agent::AgentEvent::Took)).
    tells: bool,
    patience: Patience,
    /// Its process is to end before the next turn.
    anew: bool,
    /// Set while the sandbox is paused: nothing is asked of the agent, and no patience runs out.
    paused: Option<Pause>,
    /// Messages taken in since this machine was built: the same one rung twice is said once.
    seen: HashSet<i64>,
    failed_starts: u32,
}

impl Session {
    /// A session without a process. `waiting` is what was said and not yet taken by a turn, oldest first.
    pub fn new(id: SessionId, agent_session: Option<String>, waiting: Vec<Said>, patience: Patience) -> Self {
        Self {
            id,
            phase: COLD,
            seen: waiting.iter().map(|said| said.message).collect(),
            waiting: waiting.into(),
            asked: Vec::new(),
            mode_to_tell: None,
            agent_session,
            tells: false,
            patience,
            anew: false,
            paused: None,
            failed_starts: 0,
        }
    }

    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The running turn.
    pub fn turn(&self) -> Option<TurnId> {
        match &self.phase {
            Phase::Working(turn) => Some(turn.id),
            Phase::Cold { .. } | Phase::Starting | Phase::Warm { .. } | Phase::Closed => None,
        }
    }

    /// Whether it may take one more message.
    pub fn has_room(&self) -> bool {
        self.waiting.len() < self.patience.waiting
    }

    /// When [`Input::Tick`] is next of use.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match &self.phase {
            // A frozen agent is not a silent one.
            _ if self.paused.is_some() => None,
            Phase::Working(turn) => turn.wake_at(&self.patience, self.turn_waits()),
            // A subagent in the background waits for the owner.
            Phase::Warm { .. } if !self.asked.is_empty() => None,
            Phase::Warm { since } => Some(*since + self.patience.idle),
            Phase::Cold { retry_at } => *retry_at,
            Phase::Starting | Phase::Closed => None,
        }
    }

    /// Takes one input. Nothing is ever lost by calling it at any time: what does not fit the phase is ignored or queued.
    pub fn step(&mut self, input: Input, now: Timestamp) -> Step {
        let mut step = Step::default();
        match input {
            Input::GoOn => self.go_on(now, &mut step),
            Input::Said(said) => {
                if self.seen.insert(said.message) {
                    self.said(said, now, &mut step);
                }
            }
            Input::Again(said) => {
                for one in said.into_iter().rev().filter(|one| !self.holds(one.message)).collect::<Vec<_>>() {
                    self.seen.insert(one.message);
                    self.waiting.push_front(one);
                }
                self.go_on(now, &mut step);
            }
            Input::Started { agent_session } => self.started(agent_session, now, &mut step),
            Input::StartFailed { code, detail } => self.start_failed(code, detail, now, &mut step),
            Input::Agent(event) => self.agent(event, now, &mut step),
            Input::OutOfMemory { stderr } => self.exited(Code::MemoryLimit, stderr, now, &mut step),
            Input::Decided { request, subject, decision } => self.decided(&request, subject, decision, now, &mut step),
            Input::Halt => self.halt(now, &mut step),
            Input::SetMode(mode) => self.set_mode(mode, &mut step),
            Input::Close => self.close(now, &mut step),
            Input::MakeRoom => self.make_room(&mut step),
            Input::Anew => self.anew = !matches!(self.phase, Phase::Cold { .. } | Phase::Closed),
            Input::Paused => self.pause(),
            Input::Resumed => self.resume(now, &mut step),
            Input::Tick => self.tick(now, &mut step),
        }
        if self.anew && matches!(self.phase, Phase::Warm { .. } | Phase::Cold { .. } | Phase::Closed) {
            self.make_room(&mut step);
            self.anew = matches!(self.phase, Phase::Warm { .. });
        }
        let stands_still = self.turn_waits() || self.paused.is_some();
        if let Phase::Working(turn) = &mut self.phase {
            turn.stands_still(stands_still, now);
        }
        self.hold_back(&mut step);
        step
    }

    /// Whether the owner is asked something that the running turn waits for.
    fn turn_waits(&self) -> bool {
        self.asked.iter().any(|open| !open.outlived)
    }

    /// Whether this message waits here or is being answered.
    fn holds(&self, message: i64) -> bool {
        let answered = matches!(&self.phase, Phase::Working(turn) if turn.holds(message));
        answered || self.waiting.iter().any(|said| said.message == message)
    }

    fn said(&mut self, said: Said, now: Timestamp, step: &mut Step) {
        if self.paused.is_some() {
            self.tell_paused(step);
            self.waiting.push_back(said);
        } else if said.when == When::Steer && self.takes_steering() {
            self.steer(said, step);
        } else {
            self.waiting.push_back(said);
            self.go_on(now, step);
        }
    }

    fn takes_steering(&self) -> bool {
        matches!(&self.phase, Phase::Working(turn) if !turn.is_halting())
    }

    /// Hands words to the running turn. Whether it takes them in is known later.
    fn steer(&mut self, said: Said, step: &mut Step) {
        if let Phase::Working(turn) = &mut self.phase {
            let id = turn.steered(said.clone());
            step.append(Event::Steered { turn: turn.id, message: said.message }).act(Act::Say { id, said });
        }
    }

    /// Takes the next message if the process is free, and starts one if there is none.
    fn go_on(&mut self, now: Timestamp, step: &mut Step) {
        if self.paused.is_some() {
            return;
        }
        match self.phase {
            Phase::Warm { .. } => {
                if let Some(said) = self.waiting.pop_front() {
                    let handed = Handed::new(said.clone());
                    let id = handed.id;
                    self.begin_turn(vec![handed], now, step);
                    step.act(Act::Say { id, said });
                }
            }
            Phase::Cold { .. } | Phase::Closed if !self.waiting.is_empty() => {
                self.phase = Phase::Starting;
                self.mode_to_tell = None;
                step.act(Act::Start { resume: self.agent_session.clone() });
            }
            Phase::Cold { .. } | Phase::Starting | Phase::Working(_) | Phase::Closed => {}
        }
    }

    /// A turn for `handed`, which the agent has or is about to get; for nothing where nobody asked.
    fn begin_turn(&mut self, handed: Vec<Handed>, now: Timestamp, step: &mut Step) {
        let turn = Turn::new(handed, now);
        let (id, messages) = (turn.id, turn.messages());
        step.write(Write::BeginTurn { turn: id, messages: messages.clone() })
            .append(Event::TurnStarted { turn: id, messages });
        self.phase = Phase::Working(turn);
    }

    fn started(&mut self, agent_session: String, now: Timestamp, step: &mut Step) {
        if self.phase != Phase::Starting {
            return;
        }
        if self.agent_session.as_ref().is_some_and(|wanted| *wanted != agent_session) {
            self.tell_forgotten(step);
        }
        self.note_agent_session(agent_session, step);
        self.withdraw_all(step);
        self.tells = false;
        self.failed_starts = 0;
        self.phase = Phase::Warm { since: now };
        if let Some(mode) = self.mode_to_tell.take() {
            step.act(Act::Command(AgentCommand::SetMode(mode)));
        }
        self.go_on(now, step);
    }

    fn tell_forgotten(&mut self, step: &mut Step) {
        step.append(Event::Noticed { text: phrases::forgotten().to_owned() });
        step.write(Write::Tell(phrases::forgotten().to_owned()));
    }

    /// The waiting messages stay and are tried again, a little later each time. The owner is told of the first failure.
    fn start_failed(&mut self, code: Code, detail: String, now: Timestamp, step: &mut Step) {
        if self.phase != Phase::Starting {
            return;
        }
        if code == Code::SandboxPaused {
            self.tell_paused(step);
            self.phase = Phase::Cold { retry_at: Some(now + LOOK_AGAIN) };
            return;
        }
        let wait = Duration::from_secs((15 << self.failed_starts.min(5)).min(300));
        self.failed_starts += 1;
        self.phase = Phase::Cold { retry_at: Some(now + wait) };
        if self.failed_starts == 1 {
            step.append(Event::Failed { turn: None, code, detail });
            step.write(Write::Tell(phrases::failed(code).to_owned()));
        }
    }

    fn note_agent_session(&mut self, id: String, step: &mut Step) {
        if !id.is_empty() && self.agent_session.as_ref() != Some(&id) {
            step.write(Write::AgentSession(id.clone()));
            self.agent_session = Some(id);
        }
    }

    fn decided(&mut self, request: &str, subject: Subject, decision: Decision, now: Timestamp, step: &mut Step) {
        match &mut self.phase {
            Phase::Working(turn) => turn.heard(now),
            Phase::Warm { since } => *since = now,
            Phase::Cold { .. } | Phase::Starting | Phase::Closed => {}
        }
        let before = self.asked.len();
        self.asked.retain(|open| open.request != request);
        if self.asked.len() == before {
            return;
        }
        let Some(command) = turn::answer(request, subject, decision) else { return };
        if let AgentCommand::Allow { mode: Some(mode), .. } = command {
            // What the agent is told to go on in is what the next process begins in.
            step.append(Event::ModeChanged { mode });
        }
        step.act(Act::Command(command));
    }

    /// Stops the running turn; while none runs yet, takes back the words that would start the next.
    fn halt(&mut self, now: Timestamp, step: &mut Step) {
        match &mut self.phase {
            Phase::Working(turn) => {
                let first = turn.begin_halt(now);
                step.act(if first { Act::Command(AgentCommand::Interrupt) } else { Act::End });
            }
            Phase::Cold { .. } | Phase::Starting => {
                if let Some(said) = self.waiting.pop_front() {
                    step.write(Write::Drop { message: said.message });
                    step.write(Write::Tell(phrases::halted().to_owned()));
                }
            }
            Phase::Warm { .. } | Phase::Closed => {}
        }
    }

    fn set_mode(&mut self, mode: PermissionMode, step: &mut Step) {
        step.append(Event::ModeChanged { mode });
        match self.phase {
            Phase::Warm { .. } | Phase::Working(_) => drop(step.act(Act::Command(AgentCommand::SetMode(mode)))),
            Phase::Starting => self.mode_to_tell = Some(mode),
            Phase::Cold { .. } | Phase::Closed => {}
        }
    }

    fn close(&mut self, now: Timestamp, step: &mut Step) {
        if let Phase::Working(_) = self.phase {
            self.end_turn(Outcome::Halted, Tokens::default(), None, now, step);
        }
        if !matches!(self.phase, Phase::Cold { .. } | Phase::Closed) {
            step.act(Act::End);
        }
        self.withdraw_all(step);
        for said in self.waiting.drain(..) {
            step.write(Write::Drop { message: said.message });
        }
        step.append(Event::Closed);
        self.phase = Phase::Closed;
    }

    fn withdraw_all(&mut self, step: &mut Step) {
        for open in self.asked.drain(..) {
            step.write(Write::Withdraw { request: open.request });
        }
    }

    /// A turn has ended: nobody waits for an answer any more but subagents that go on in the background. The questions of
    /// one that was stopped the agent takes back itself. (Measured with Claude Code 2.1.197 and 2.1.329.)
    fn withdraw_the_turns(&mut self, step: &mut Step) {
        let (stay, gone): (Vec<_>, Vec<_>) = self.asked.drain(..).partition(|open| open.by_subagent);
        self.asked = stay.into_iter().map(|open| Open { outlived: true, ..open }).collect();
        for open in gone {
            step.write(Write::Withdraw { request: open.request });
        }
    }

    fn make_room(&mut self, step: &mut Step) {
        if matches!(self.phase, Phase::Warm { .. }) && self.asked.is_empty() {
            self.phase = COLD;
            step.act(Act::End);
        }
    }

    /// Whether nothing is to be done for it until somebody says something: all there is of it is in the store.
    pub fn rests(&self) -> bool {
        matches!(self.phase, Phase::Cold { retry_at: None } | Phase::Closed) && self.waiting.is_empty()
    }

    fn tick(&mut self, now: Timestamp, step: &mut Step) {
        if self.wake_at().is_none_or(|at| now < at) {
            return;
        }
        match &mut self.phase {
            Phase::Warm { .. } => {
                self.phase = COLD;
                step.act(Act::End);
            }
            Phase::Cold { .. } => self.go_on(now, step),
            Phase::Working(turn) if turn.is_ending() => {
                self.exited(Code::AgentDied, "the process could not be ended".into(), now, step)
            }
            Phase::Working(turn) if turn.is_halting() => {
                step.act(Act::End);
                turn.give_up(now);
            }
            Phase::Working(turn) => {
                turn.overran = now >= turn.ends_by(&self.patience);
                turn.fell_silent = !turn.overran;
                step.act(Act::Command(AgentCommand::Interrupt));
                turn.begin_halt(now);
            }
            Phase::Starting | Phase::Closed => {}
        }
    }

    /// Closes the running turn and goes on with what waits.
    fn end_turn(&mut self, outcome: Outcome, tokens: Tokens, reply: Option<Reply>, now: Timestamp, step: &mut Step) {
        if !matches!(self.phase, Phase::Working(_)) {
            return;
        }
        let Phase::Working(turn) = std::mem::replace(&mut self.phase, Phase::Warm { since: now }) else { return };
        self.withdraw_the_turns(step);
        let duration_ms = now.since(turn.started).as_millis() as u64;
        step.write(Write::EndTurn { turn: turn.id, outcome, tokens, duration_ms, reply });
    }
}

#[cfg(test)]
mod tests;
