//! The running turn, and the translations at its edges.

use super::{Patience, Said};
use crate::{
    Code, PermissionMode, Timestamp, TurnId,
    agent::{AgentCommand, Rule},
    approval::{Decision, Subject},
    event::Outcome,
};
use serde_json::{Map, Value};
use std::time::Duration;
use uuid::Uuid;

/// One request and everything up to its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub id: TurnId,
    pub started: Timestamp,
    handed: Vec<Handed>,
    pub(super) tools: Vec<String>,
    last_heard: Timestamp,
    halt: Halt,
    pub(super) fell_silent: bool,
    /// It took longer than a turn may.
    pub(super) overran: bool,
    /// Since when it waits for the owner or is paused, and how long it did before.
    still_since: Option<Timestamp>,
    waited: Duration,
}

/// Words the agent was given for this turn: those it began with, and those steered into it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Handed {
    /// What the agent knows them by.
    pub id: Uuid,
    pub said: Said,
    /// The turn took them in: they are before the model.
    taken: bool,
    steered: bool,
    /// Said in the turn before this one.
    carried: bool,
}

impl Handed {
    pub(super) fn new(said: Said) -> Self {
        Self { id: Uuid::now_v7(), said, taken: false, steered: false, carried: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Halt {
    No,
    /// The agent was asked to stop.
    Asked {
        at: Timestamp,
    },
    /// Its process is being ended.
    Ending {
        at: Timestamp,
    },
}

impl Turn {
    /// A turn that begins with `handed`; with nothing where nobody asked for it.
    pub(super) fn new(handed: Vec<Handed>, now: Timestamp) -> Self {
        Self {
            id: TurnId::new(),
            started: now,
            handed,
            tools: Vec::new(),
            last_heard: now,
            halt: Halt::No,
            fell_silent: false,
            overran: false,
            still_since: None,
            waited: Duration::ZERO,
        }
    }

    /// The messages it began with; empty for a turn nobody asked for.
    pub fn messages(&self) -> Vec<i64> {
        self.handed.iter().filter(|h| !h.steered).map(|h| h.said.message).collect()
    }

    pub fn was_asked(&self) -> bool {
        self.handed.iter().any(|h| !h.steered)
    }

    pub(super) fn holds(&self, message: i64) -> bool {
        self.handed.iter().any(|h| h.said.message == message)
    }

    /// Somebody asked for it, or said something that it took in.
    pub(super) fn answers_somebody(&self) -> bool {
        self.was_asked() || self.took_any()
    }

    pub(super) fn steered(&mut self, said: Said) -> Uuid {
        let handed = Handed { steered: true, ..Handed::new(said) };
        let id = handed.id;
        self.handed.push(handed);
        id
    }

    pub(super) fn took(&mut self, id: Uuid) {
        for handed in self.handed.iter_mut().filter(|h| h.id == id) {
            handed.taken = true;
        }
    }

    pub(super) fn took_all(&mut self) {
        for handed in &mut self.handed {
            handed.taken = true;
        }
    }

    pub(super) fn took_any(&self) -> bool {
        self.handed.iter().any(|h| h.taken)
    }

    /// It began with words of the turn before and has not been seen to begin.
    pub(super) fn was_carried_over(&self) -> bool {
        self.handed.iter().any(|h| h.carried) && !self.took_any()
    }

    /// What the agent holds beyond this turn's end, to begin the next with.
    pub(super) fn take_left_over(&mut self) -> Vec<Handed> {
        let took_any = self.took_any();
        // If it was not told of any, the words it began with are those it answered.
        let (left, answered) = self.handed.drain(..).partition(|h| !h.taken && (h.steered || took_any));
        self.handed = answered;
        let left: Vec<Handed> = left;
        left.into_iter().map(|h| Handed { steered: false, carried: true, ..h }).collect()
    }

    pub fn is_halting(&self) -> bool {
        self.halt != Halt::No
    }

    pub(super) fn heard(&mut self, now: Timestamp) {
        self.last_heard = now;
    }

    /// The sandbox was paused until now: time stood still.
    pub(super) fn went_on(&mut self, now: Timestamp) {
        self.last_heard = now;
        self.halt = match self.halt {
            Halt::No => Halt::No,
            Halt::Asked { .. } => Halt::Asked { at: now },
            Halt::Ending { .. } => Halt::Ending { at: now },
        };
    }

    /// From now on it waits for the owner or is paused, or neither any longer.
    pub(super) fn stands_still(&mut self, waits: bool, now: Timestamp) {
        match (waits, self.still_since) {
            (true, None) => self.still_since = Some(now),
            (false, Some(since)) => {
                self.waited += now.since(since);
                self.still_since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// When it will have taken as long as a turn may.
    pub(super) fn ends_by(&self, patience: &Patience) -> Timestamp {
        self.started + patience.turn + self.waited
    }

    /// True the first time; a second halt means that asking was not enough.
    pub(super) fn begin_halt(&mut self, now: Timestamp) -> bool {
        let first = self.halt == Halt::No;
        self.halt = if first { Halt::Asked { at: now } } else { Halt::Ending { at: now } };
        first
    }

    pub(super) fn give_up(&mut self, now: Timestamp) {
        self.halt = Halt::Ending { at: now };
    }

    pub(super) fn is_ending(&self) -> bool {
        matches!(self.halt, Halt::Ending { .. })
    }

    pub(super) fn wake_at(&self, patience: &Patience, waits_for_owner: bool) -> Option<Timestamp> {
        match self.halt {
            Halt::Ending { at } => Some(at + patience.end),
            Halt::Asked { at } => Some(at + patience.halt),
            Halt::No if waits_for_owner => None,
            Halt::No => {
                let silence = if self.tools.is_empty() { patience.silence } else { patience.tool_silence };
                Some((self.last_heard + silence).min(self.ends_by(patience)))
            }
        }
    }

    /// Why Lanyard itself stopped it.
    pub(super) fn why_stopped(&self) -> Option<Code> {
        match (self.overran, self.fell_silent) {
            (true, _) => Some(Code::TurnTimeout),
            (false, true) => Some(Code::AgentSilent),
            (false, false) => None,
        }
    }

    /// What a process's end means for this turn.
    pub(super) fn how_it_died(&self, died: Code) -> (Outcome, Option<Code>) {
        if let Some(code) = self.why_stopped() {
            (Outcome::Failed, Some(code))
        } else if self.is_halting() {
            (Outcome::Halted, None)
        } else {
            (Outcome::Failed, Some(died))
        }
    }
}

/// What the agent is told of the owner's decision; nothing if it no longer asks.
pub(super) fn answer(request: &str, subject: Subject, decision: Decision) -> Option<AgentCommand> {
    let request = request.to_owned();
    let deny = |request, message: &str| AgentCommand::Deny { request, message: message.to_owned(), interrupt: false };
    match (subject, decision) {
        (_, Decision::Withdrawn) => None,
        (Subject::Rerun { .. } | Subject::Host { .. } | Subject::Spend { .. } | Subject::Push { .. }, _) => None,
        (_, Decision::Expired) => {
            Some(deny(request, "The owner did not answer in time. Do not do this; go on without it or stop."))
        }
        (_, Decision::Denied { message }) => {
            let words = message.unwrap_or_else(|| "The owner refused this.".into());
            Some(deny(request, &words))
        }
        (Subject::Question { questions, input }, Decision::Answered { answers }) => {
            let answers: Map<String, Value> =
                questions.iter().zip(answers).map(|(q, a)| (q.question.clone(), Value::String(a))).collect();
            let mut input = input;
            if let Value::Object(fields) = &mut input {
                fields.insert("answers".into(), Value::Object(answers));
            }
            Some(allow(request, input, Vec::new(), None))
        }
        (Subject::Question { .. }, Decision::Allowed | Decision::AllowedSession | Decision::AllowedAlways { .. }) => {
            Some(deny(request, "The owner gave no answer."))
        }
        (Subject::Plan { input, .. }, _) => Some(allow(request, input, Vec::new(), Some(PermissionMode::Default))),
        (Subject::Tool { input, .. }, Decision::AllowedAlways { rules }) => Some(allow(request, input, rules, None)),
        (Subject::Tool { input, .. }, Decision::Allowed | Decision::AllowedSession | Decision::Answered { .. }) => {
            Some(allow(request, input, Vec::new(), None))
        }
    }
}

fn allow(request: String, input: Value, always: Vec<Rule>, mode: Option<PermissionMode>) -> AgentCommand {
    AgentCommand::Allow { request, input, always, mode }
}
