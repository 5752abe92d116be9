//! What the agent said and did, as steps of its session.

use super::{Act, Open, Phase, Session, Step, Write};
use crate::{
    Code, Timestamp,
    agent::{Activity, AgentEvent, Ask, GatewayTool, Notice, PartialKind},
    event::Event,
};
use uuid::Uuid;

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
                self.asked.retain(|open| open.request != request);
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
            AgentEvent::Exited { stderr, .. } => self.exited(Code::AgentDied, stderr, now, step),
            AgentEvent::Took { id } => self.took(id),
            AgentEvent::Activity(Activity::Idle) => self.idle(now, step),
            AgentEvent::Activity(Activity::Running | Activity::RequiresAction)
            | AgentEvent::Thinking { .. }
            | AgentEvent::Unknown { .. } => {}
        }
    }

    fn turn_started(&mut self, agent_session: String, now: Timestamp, step: &mut Step) {
        self.note_agent_session(agent_session, step);
        match &mut self.phase {
            Phase::Warm { .. } => self.begin_turn(Vec::new(), now, step),
            // An agent that does not tell takes all that it holds when a turn begins.
            Phase::Working(turn) if !self.tells => turn.took_all(),
            Phase::Working(_) | Phase::Cold { .. } | Phase::Starting | Phase::Closed => {}
        }
    }

    fn took(&mut self, id: Uuid) {
        self.tells = true;
        if let Phase::Working(turn) = &mut self.phase {
            turn.took(id);
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
            if !self.tells {
                // Words that were said meanwhile go to the model with what the tool gave back.
                turn.took_all();
            }
        }
    }

    fn asked(&mut self, ask: Ask, step: &mut Step) {
        self.asked.push(Open { request: ask.request.clone(), by_subagent: ask.subagent.is_some(), outlived: false });
        step.write(Write::Ask { request: ask.request, subject: ask.about.into(), turn: self.turn() });
    }
}
