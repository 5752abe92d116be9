//! The last failure of an agent, kept in memory until one has worked again: whether a turn could run is known by it, beside the
//! key and the sandbox.

use domain::{
    Code,
    code::Kind,
    event::{Event, Outcome},
    session::Write,
};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub struct LastFailure(Mutex<Option<Code>>);

impl LastFailure {
    /// Takes what a session's step wrote: a failure of the agent or its model is kept, a turn that was completed ends it.
    pub fn note(&self, writes: &[Write]) {
        for write in writes {
            match write {
                Write::Append(Event::Failed { code, .. }) if code.entry().kind == Kind::Process => {
                    self.set(Some(*code))
                }
                Write::EndTurn { outcome: Outcome::Completed, .. } => self.set(None),
                _ => {}
            }
        }
    }

    /// What was in the way may be gone: the key was changed.
    pub fn forget(&self) {
        self.set(None);
    }

    pub fn code(&self) -> Option<Code> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, code: Option<Code>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = code;
    }
}

/// Whether another turn would fail in the same way: the key, the credit, the model or the program is at fault, not the words.
pub fn stops_every_turn(code: Code) -> bool {
    use Code::{AgentDied, AgentSilent, ClaudeUnavailable, CreditTooLow, KeyRefused, ModelUnavailable, NoKey};
    matches!(code, AgentDied | AgentSilent | ClaudeUnavailable | CreditTooLow | KeyRefused | ModelUnavailable | NoKey)
}
