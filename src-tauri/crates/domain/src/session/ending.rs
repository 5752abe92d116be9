//! The ends of turns and of the process: what was answered, what the agent still holds, what nobody asked for.
//!
//! Words that are steered into a turn as it ends are not lost on the agent: it begins a turn of their own with them, all of
//! them together, without being asked. (Measured with Claude Code 2.1.197 and 2.1.329.)

use super::{COLD, Handed, Phase, Reply, Session, Step, Write};
use crate::{
    Code, Timestamp, TurnId,
    agent::{AgentFault, TurnEnd, TurnOutcome},
    event::{Event, Outcome},
    phrases,
    usage::Tokens,
};

impl Session {
    pub(super) fn turn_ended(&mut self, end: TurnEnd, now: Timestamp, step: &mut Step) {
        self.note_agent_session(end.agent_session.clone(), step);
        match &self.phase {
            Phase::Working(turn) if end.unasked && turn.was_asked() && !turn.took_any() => {
                // A background job's turn ended just as words came in: ours is still to come.
                step.write(Write::Tell(phrases::unasked(&phrases::for_sms(&end.text))));
            }
            Phase::Working(turn) => {
                let (id, unasked, why) = (turn.id, !turn.answers_somebody(), turn.why_stopped());
                self.close_turn(end, id, unasked, why, now, step);
            }
            Phase::Warm { .. } | Phase::Cold { .. } => self.unasked(end, now, step),
            // The process of a session that is starting or closed is on its way out.
            Phase::Starting | Phase::Closed => {}
        }
    }

    fn close_turn(
        &mut self,
        end: TurnEnd,
        id: TurnId,
        unasked: bool,
        why: Option<Code>,
        now: Timestamp,
        step: &mut Step,
    ) {
        let tokens = end.tokens;
        let (outcome, reply) = self.verdict(end, id, unasked, why, step);
        let left = self.take_left_over(step);
        self.end_turn(outcome, tokens, Some(reply), now, step);
        match left.is_empty() {
            true => self.go_on(now, step),
            false => self.begin_turn(left, now, step),
        }
    }

    /// A turn whose beginning was not heard: it is shown whole.
    fn unasked(&mut self, end: TurnEnd, now: Timestamp, step: &mut Step) {
        let before = std::mem::replace(&mut self.phase, COLD);
        self.begin_turn(Vec::new(), now, step);
        let Some(id) = self.turn() else { return };
        let tokens = end.tokens;
        let (outcome, reply) = self.verdict(end, id, true, None, step);
        // Nobody waits for it, so nobody need be told that it was stopped.
        let reply = Some(reply).filter(|reply| *reply != Reply::Halted);
        self.end_turn(outcome, tokens, reply, now, step);
        if !matches!(before, Phase::Warm { .. }) {
            self.phase = before;
        }
    }

    fn verdict(
        &mut self,
        end: TurnEnd,
        id: TurnId,
        unasked: bool,
        why: Option<Code>,
        step: &mut Step,
    ) -> (Outcome, Reply) {
        let failed = |step: &mut Step, code, detail| {
            step.append(Event::Failed { turn: Some(id), code, detail });
            (Outcome::Failed, Reply::Failure(code))
        };
        match end.outcome {
            TurnOutcome::Completed => (Outcome::Completed, Reply::Answer { text: end.text, unasked }),
            TurnOutcome::Interrupted => match why {
                Some(code) => failed(step, code, String::new()),
                None => (Outcome::Halted, Reply::Halted),
            },
            TurnOutcome::Failed(AgentFault::UnknownSession) => {
                // It can never be resumed: the next start begins a new conversation.
                if self.agent_session.take().is_some() {
                    self.tell_forgotten(step);
                }
                failed(step, Code::AgentError, end.text)
            }
            TurnOutcome::Failed(fault) => failed(step, fault.code(), end.text),
        }
    }

    /// What the running turn did not take in belongs to it no more.
    fn take_left_over(&mut self, step: &mut Step) -> Vec<Handed> {
        let Phase::Working(turn) = &mut self.phase else { return Vec::new() };
        let left = turn.take_left_over();
        for handed in &left {
            step.write(Write::GiveBack { message: handed.said.message });
        }
        left
    }

    /// The agent has nothing more to do. One that does not tell what it takes in may have answered the words of this turn
    /// together with those of the turn before.
    pub(super) fn idle(&mut self, now: Timestamp, step: &mut Step) {
        if let Phase::Working(turn) = &self.phase
            && !self.tells
            && turn.was_carried_over()
        {
            self.end_turn(Outcome::Completed, Tokens::default(), None, now, step);
            self.go_on(now, step);
        }
    }

    /// The process is gone; `died` is what that is called where nobody wanted it.
    pub(super) fn exited(&mut self, died: Code, stderr: String, now: Timestamp, step: &mut Step) {
        if self.phase == Phase::Starting {
            // It was the process before the one that is being started.
            return;
        }
        if let Some(pause) = &mut self.paused {
            pause.held.clear();
        }
        let was_closed = self.phase == Phase::Closed;
        if let Phase::Working(turn) = &self.phase {
            let (outcome, code) = turn.how_it_died(died);
            let id = turn.id;
            let reply = match code {
                Some(code) => {
                    step.append(Event::Failed { turn: Some(id), code, detail: stderr });
                    Reply::Failure(code)
                }
                None => Reply::Halted,
            };
            // The agent never read these: they wait again.
            let left = if self.tells { self.take_left_over(step) } else { Vec::new() };
            self.end_turn(outcome, Tokens::default(), Some(reply), now, step);
            for handed in left.into_iter().rev() {
                self.waiting.push_front(handed.said);
            }
        }
        self.withdraw_all(step);
        if !was_closed {
            self.phase = COLD;
            self.go_on(now, step);
        }
    }
}
