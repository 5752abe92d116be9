//! A paused sandbox: its agent is frozen in the middle of whatever it did. Nothing is asked of it, no patience runs out, and
//! what is said waits; at resume everything goes on where it stood.

use super::{Act, COLD, Phase, Session, Step, Write};
use crate::{Code, Timestamp, event::When, phrases};

/// What gathers while the sandbox is paused.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// What the process is told when it goes on.
    pub held: Vec<Act>,
    /// Whether the owner knows why words wait.
    told: bool,
}

impl Session {
    pub(super) fn pause(&mut self) {
        self.paused.get_or_insert_default();
    }

    pub(super) fn resume(&mut self, now: Timestamp, step: &mut Step) {
        let Some(pause) = self.paused.take() else { return };
        step.acts.extend(pause.held);
        match &mut self.phase {
            Phase::Working(turn) => turn.went_on(now),
            Phase::Warm { since } => *since = now,
            Phase::Cold { .. } => self.phase = COLD,
            Phase::Starting | Phase::Closed => {}
        }
        self.steer_what_waits(step);
        self.go_on(now, step);
    }

    /// Words that were to go into the turn that was frozen.
    fn steer_what_waits(&mut self, step: &mut Step) {
        if self.takes_steering() {
            let (steer, queue): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(|said| said.when == When::Steer);
            self.waiting = queue.into();
            for said in steer {
                self.steer(said, step);
            }
        }
    }

    /// Once for each pause.
    pub(super) fn tell_paused(&mut self, step: &mut Step) {
        if !self.paused.as_mut().is_some_and(|pause| std::mem::replace(&mut pause.told, true)) {
            step.write(Write::Tell(phrases::failed(Code::SandboxPaused).to_owned()));
        }
    }

    /// While paused, what is for the process is kept until it goes on.
    pub(super) fn hold_back(&mut self, step: &mut Step) {
        if let Some(pause) = &mut self.paused {
            let lossy = |act: &Act| matches!(act, Act::Partial { .. } | Act::SendPhoto { .. });
            let (now, later): (Vec<_>, Vec<_>) = step.acts.drain(..).partition(lossy);
            step.acts = now;
            pause.held.extend(later);
        }
    }
}
