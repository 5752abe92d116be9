//! The running turn, and the translations at its edges.

use super::Patience;
use crate::{
    Code, PermissionMode, Timestamp, TurnId,
    agent::{AgentCommand, Rule},
    approval::{Decision, Subject},
    event::Outcome,
};
use serde_json::{Map, Value};
use std::time::Duration;

/// One request and everything up to its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub id: TurnId,
    pub started: Timestamp,
    /// The messages it answers; empty for a turn nobody asked for.
    pub messages: Vec<i64>,
    pub(super) steered: Vec<i64>,
    pub(super) tools: Vec<String>,
    last_heard: Timestamp,
    halt: Halt,
    pub(super) fell_silent: bool,
    /// It took longer than a turn may.
    pub(super) overran: bool,
    /// Since when it waits for the owner, and how long it did before.
    asked_at: Option<Timestamp>,
    waited: Duration,
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
    pub(super) fn asked(message: i64, now: Timestamp) -> Self {
        Self { messages: vec![message], ..Self::unasked(now) }
    }

    pub(super) fn unasked(now: Timestamp) -> Self {
        Self {
            id: TurnId::new(),
            started: now,
            messages: Vec::new(),
            steered: Vec::new(),
            tools: Vec::new(),
            last_heard: now,
            halt: Halt::No,
            fell_silent: false,
            overran: false,
            asked_at: None,
            waited: Duration::ZERO,
        }
    }

    pub fn was_asked(&self) -> bool {
        !self.messages.is_empty()
    }

    pub fn is_halting(&self) -> bool {
        self.halt != Halt::No
    }

    pub(super) fn heard(&mut self, now: Timestamp) {
        self.last_heard = now;
    }

    /// From now on it waits for the owner, or no longer does.
    pub(super) fn waits_for_owner(&mut self, waits: bool, now: Timestamp) {
        match (waits, self.asked_at) {
            (true, None) => self.asked_at = Some(now),
            (false, Some(since)) => {
                self.waited += now.since(since);
                self.asked_at = None;
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
    pub(super) fn how_it_died(&self) -> (Outcome, Option<Code>) {
        if let Some(code) = self.why_stopped() {
            (Outcome::Failed, Some(code))
        } else if self.is_halting() {
            (Outcome::Halted, None)
        } else {
            (Outcome::Failed, Some(Code::AgentDied))
        }
    }
}

/// What the agent is told of the owner's decision; nothing if it no longer asks.
pub(super) fn answer(request: &str, subject: Subject, decision: Decision) -> Option<AgentCommand> {
    let request = request.to_owned();
    let deny = |request, message: &str| AgentCommand::Deny { request, message: message.to_owned(), interrupt: false };
    match (subject, decision) {
        (_, Decision::Withdrawn) | (Subject::Rerun { .. }, _) => None,
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
        (Subject::Question { .. }, Decision::Allowed | Decision::AllowedAlways { .. }) => {
            Some(deny(request, "The owner gave no answer."))
        }
        (Subject::Plan { input, .. }, _) => Some(allow(request, input, Vec::new(), Some(PermissionMode::Default))),
        (Subject::Tool { input, .. }, Decision::AllowedAlways { rules }) => Some(allow(request, input, rules, None)),
        (Subject::Tool { input, .. }, Decision::Allowed | Decision::Answered { .. }) => {
            Some(allow(request, input, Vec::new(), None))
        }
    }
}

fn allow(request: String, input: Value, always: Vec<Rule>, mode: Option<PermissionMode>) -> AgentCommand {
    AgentCommand::Allow { request, input, always, mode }
}
