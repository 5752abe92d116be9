//! What the agent said and did, as steps of its session.

use super::{Act, COLD, Phase, Reply, Session, Step, Turn, Write};
use crate::{
    Code, Timestamp,
    agent::{Activity, AgentEvent, AgentFault, Ask, GatewayTool, Notice, PartialKind, TurnEnd, TurnOutcome},
    event::{Event, Outcome},
    phrases,
    usage::Tokens,
};

impl Session {
    pub(super) fn agent(&mut self, event: AgentEvent, now: Timestamp, step: &mut Step) {
        if let Phase::Working(turn) = &mut self.phase {
            turn.heard(now);
        }
        let turn = self.turn();
        match event {
            AgentEvent::TurnStarted { agent_session, .. } => self.turn_started(agent_session, now, step),
            AgentEvent::ConversationReset { agent_session } => self.note_agent_session(agent_session, step),
            AgentEvent::Partial { message, block, offset, text, kind } => {
                let thinking = kind == PartialKind::Thinking;
                step.act(Act::Partial { message, block, offset, text, thinking });
            }
            AgentEvent::Text { message, text } => drop(step.append(Event::Answered { turn, message, text })),
            AgentEvent::ToolUsed { id, tool, input, parent } => {
                self.tool_began(&id);
                step.append(Event::ToolUsed { turn, id, tool, input, parent });
            }
            AgentEvent::ToolFinished { id, ok, text, detail, .. } => {
                self.tool_ended(&id);
                step.append(Event::ToolFinished { id, ok, text, detail, pictures: Vec::new() });
            }
            AgentEvent::Asked(ask) => self.asked(ask, step),
            AgentEvent::Withdrawn { request } => {
                self.asked.retain(|open| *open != request);
                step.write(Write::Withdraw { request });
            }
            AgentEvent::Called(call) => match call.tool {
                GatewayTool::SendPhoto { .. } => drop(step.act(Act::SendPhoto { turn, call })),
            },
            AgentEvent::Retrying { attempt, of, error, .. } => {
                if attempt == 1 {
                    step.append(Event::Noticed {
                        text: format!("The model did not answer ({error}); trying up to {of} times."),
                    });
                }
            }
            AgentEvent::TurnEnded(end) => self.turn_ended(end, now, step),
            AgentEvent::Notice(Notice::OutputCapped { .. }) => {
                let detail = String::new();
                step.append(Event::Failed { turn, code: Code::OutputCapped, detail });
            }
            AgentEvent::Notice(Notice::Garbage { bytes }) => {
                step.append(Event::Noticed {
                    text: format!("{bytes} bytes from the agent could not be read and were left out."),
                });
            }
            AgentEvent::Notice(Notice::Said(text)) => drop(step.append(Event::Noticed { text })),
            AgentEvent::Exited { stderr, .. } => self.exited(stderr, now, step),
            AgentEvent::Activity(Activity::Running | Activity::RequiresAction | Activity::Idle)
            | AgentEvent::Thinking { .. }
            | AgentEvent::Unknown { .. } => {}
        }
    }

    fn turn_started(&mut self, agent_session: String, now: Timestamp, step: &mut Step) {
        self.note_agent_session(agent_session, step);
        if let Phase::Warm { .. } = self.phase {
            let turn = Turn::unasked(now);
            step.write(Write::BeginTurn { turn: turn.id, messages: Vec::new() })
                .append(Event::TurnStarted { turn: turn.id, messages: Vec::new() });
            self.phase = Phase::Working(turn);
        }
    }

    fn tool_began(&mut self, id: &str) {
        if let Phase::Working(turn) = &mut self.phase {
            turn.tools.push(id.to_owned());
        }
    }

    fn tool_ended(&mut self, id: &str) {
        if let Phase::Working(turn) = &mut self.phase {
            turn.tools.retain(|running| running != id);
        }
    }

    fn asked(&mut self, ask: Ask, step: &mut Step) {
        self.asked.push(ask.request.clone());
        step.write(Write::Ask { request: ask.request, subject: ask.about.into(), turn: self.turn() });
    }

    pub(super) fn exited(&mut self, stderr: String, now: Timestamp, step: &mut Step) {
        if self.phase == Phase::Starting {
            // It was the process before the one that is being started.
            return;
        }
        let was_closed = self.phase == Phase::Closed;
        if let Phase::Working(turn) = &self.phase {
            let (outcome, code) = turn.how_it_died();
            let id = turn.id;
            let reply = match code {
                Some(code) => {
                    step.append(Event::Failed { turn: Some(id), code, detail: stderr });
                    Reply::Failure(code)
                }
                None => Reply::Halted,
            };
            self.end_turn(outcome, Tokens::default(), Some(reply), now, step);
        }
        self.withdraw_all(step);
        if !was_closed {
            self.phase = COLD;
            self.go_on(now, step);
        }
    }

    fn turn_ended(&mut self, end: TurnEnd, now: Timestamp, step: &mut Step) {
        self.note_agent_session(end.agent_session.clone(), step);
        let Phase::Working(turn) = &self.phase else {
            return;
        };
        if end.unasked && turn.was_asked() {
            // A background job's turn ended just as words came in: ours is still to come.
            step.write(Write::Tell(phrases::unasked(&phrases::for_sms(&end.text))));
            return;
        }
        let id = turn.id;
        let (outcome, reply) = match end.outcome {
            TurnOutcome::Completed => {
                (Outcome::Completed, Reply::Answer { text: end.text, unasked: !turn.was_asked() })
            }
            TurnOutcome::Interrupted => match turn.why_stopped() {
                Some(code) => {
                    step.append(Event::Failed { turn: Some(id), code, detail: String::new() });
                    (Outcome::Failed, Reply::Failure(code))
                }
                None => (Outcome::Halted, Reply::Halted),
            },
            TurnOutcome::Failed(AgentFault::UnknownSession) => {
                // It can never be resumed: the next start begins a new conversation.
                self.agent_session = None;
                step.append(Event::Failed { turn: Some(id), code: Code::AgentError, detail: end.text });
                (Outcome::Failed, Reply::Failure(Code::AgentError))
            }
            TurnOutcome::Failed(fault) => {
                let code = fault.code();
                step.append(Event::Failed { turn: Some(id), code, detail: end.text });
                (Outcome::Failed, Reply::Failure(code))
            }
        };
        self.end_turn(outcome, end.tokens, Some(reply), now, step);
        self.go_on(now, step);
    }
}
