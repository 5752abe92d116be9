//! One turn after another: its words, its tools, its end, and how much of it is passed on.

use super::{
    fault::{Clues, fault},
    read::{read, system},
    tools::tools_finished,
    wire::{ApiEvent, Assistant, Block, Lifecycle, StreamEvent, System, TurnResult, Usage},
};
use domain::{
    PermissionMode,
    agent::{Activity, AgentEvent, Notice, PartialKind, TurnEnd, TurnOutcome},
    usage::{MicroDollars, Tokens},
};
use std::collections::HashMap;

/// What is remembered from line to line.
pub struct Turn {
    cap: usize,
    printed: usize,
    agent_session: String,
    /// The message being streamed, and the bytes of each of its blocks so far.
    message: String,
    offsets: HashMap<u32, usize>,
    last_text: String,
    clues: Clues,
}

impl Turn {
    pub fn new(cap: usize, agent_session: String) -> Self {
        Self {
            cap,
            printed: 0,
            agent_session,
            message: String::new(),
            offsets: HashMap::new(),
            last_text: String::new(),
            clues: Clues::default(),
        }
    }

    pub fn agent_session(&self) -> &str {
        &self.agent_session
    }

    /// `None`: a line this version does not know, or of an unexpected shape.
    pub fn frame(&mut self, kind: &str, subtype: &str, text: &str) -> Option<Vec<AgentEvent>> {
        match kind {
            "stream_event" => Some(self.streamed(read(text)?).into_iter().collect()),
            "assistant" => Some(self.assistant(read(text)?)),
            "user" => Some(tools_finished(read(text)?)),
            "result" => Some(vec![self.ended(read(text)?)]),
            "system" => self.system(subtype, text),
            "conversation_reset" => Some(self.moved(system(text).new_conversation_id).into_iter().collect()),
            "command_lifecycle" => Some(self.took(read(text)?).into_iter().collect()),
            "tool_progress" | "rate_limit_event" => Some(Vec::new()),
            _ => None,
        }
    }

    /// Counts what was printed and drops words and tool output past the cap. What the session lives by always passes.
    pub fn capped(&mut self, found: Vec<AgentEvent>, bytes: usize) -> Vec<AgentEvent> {
        if found.iter().any(|e| matches!(e, AgentEvent::TurnEnded(_) | AgentEvent::TurnStarted { .. })) {
            self.printed = 0;
            return found;
        }
        let before = self.printed;
        self.printed = before.saturating_add(bytes);
        if self.printed <= self.cap {
            return found;
        }
        let notice = (before <= self.cap).then_some(AgentEvent::Notice(Notice::OutputCapped { cap: self.cap }));
        notice.into_iter().chain(found.into_iter().filter(|e| !is_output(e))).collect()
    }

    fn system(&mut self, subtype: &str, text: &str) -> Option<Vec<AgentEvent>> {
        let events = match subtype {
            "init" => self.started(system(text)),
            "session_state_changed" => vec![AgentEvent::Activity(activity(&system(text))?)],
            "api_retry" => vec![self.retrying(system(text))],
            "compact_boundary" => vec![AgentEvent::ConversationReset { agent_session: self.agent_session.clone() }],
            // Of no use to anybody here: progress of the agent's own machinery.
            "status"
            | "thinking_tokens"
            | "background_tasks_changed"
            | "permission_denied"
            | "session_title_changed"
            | "task_started"
            | "task_progress"
            | "task_updated"
            | "task_notification" => Vec::new(),
            _ => return None,
        };
        Some(events)
    }

    fn started(&mut self, init: System) -> Vec<AgentEvent> {
        let moved = self.moved(init.session_id);
        self.last_text.clear();
        self.clues = Clues::default();
        let started = AgentEvent::TurnStarted {
            agent_session: self.agent_session.clone(),
            model: init.model.unwrap_or_default(),
            mode: init.mode.as_deref().and_then(mode),
            version: init.claude_code_version.unwrap_or_default(),
        };
        moved.into_iter().chain([started]).collect()
    }

    /// `/clear` gives the conversation another id: 2.1.329 says so, 2.1.197 only begins its next turn with it.
    fn moved(&mut self, to: Option<String>) -> Option<AgentEvent> {
        let to = to.filter(|id| *id != self.agent_session)?;
        let before = std::mem::replace(&mut self.agent_session, to.clone());
        (!before.is_empty()).then_some(AgentEvent::ConversationReset { agent_session: to })
    }

    /// Where words with an id stand (2.1.329): queued, started, completed or cancelled. `started` comes before the result of
    /// the turn that takes them in, or after it and before the `init` of a turn of their own.
    fn took(&self, life: Lifecycle) -> Option<AgentEvent> {
        (life.state == "started").then_some(AgentEvent::Took { id: life.command_uuid })
    }

    fn retrying(&mut self, retry: System) -> AgentEvent {
        self.clues.retried = retry.error_status;
        AgentEvent::Retrying {
            attempt: retry.attempt.unwrap_or(1),
            of: retry.max_retries.unwrap_or(0),
            delay_ms: retry.retry_delay_ms.map_or(0, whole),
            status: retry.error_status,
            error: retry.error.unwrap_or_default(),
        }
    }

    /// A subagent's words are its parent's business: they come back as the result of the call that started it.
    fn streamed(&mut self, frame: StreamEvent) -> Option<AgentEvent> {
        let StreamEvent { event: ApiEvent { kind, index, message, delta }, parent_tool_use_id } = frame;
        if parent_tool_use_id.is_some() {
            return None;
        }
        match kind.as_str() {
            "message_start" => {
                self.message = message?.id;
                self.offsets.clear();
                None
            }
            "content_block_delta" => {
                let delta = delta?;
                let (kind, text) = match delta.kind.as_deref()? {
                    "text_delta" => (PartialKind::Text, delta.text?),
                    "thinking_delta" => (PartialKind::Thinking, delta.thinking?),
                    _ => return None,
                };
                Some(self.partial(index.unwrap_or(0), kind, text)).filter(|_| !self.message.is_empty())
            }
            _ => None,
        }
    }

    fn partial(&mut self, block: u32, kind: PartialKind, text: String) -> AgentEvent {
        let so_far = self.offsets.entry(block).or_default();
        let offset = *so_far;
        *so_far += text.len();
        AgentEvent::Partial { message: self.message.clone(), block, offset, text, kind }
    }

    fn assistant(&mut self, frame: Assistant) -> Vec<AgentEvent> {
        let Assistant { message, parent_tool_use_id: parent, error } = frame;
        if error.is_some() {
            // Its words come again with the result.
            self.clues.error = error;
            return Vec::new();
        }
        let id = message.id.unwrap_or_default();
        message.content.into_iter().filter_map(|block| self.block(block, &id, parent.as_deref())).collect()
    }

    fn block(&mut self, block: Block, message: &str, parent: Option<&str>) -> Option<AgentEvent> {
        let message = message.to_owned();
        match (block.kind.as_str(), parent) {
            ("text", None) => {
                let text = block.text.filter(|t| !t.is_empty())?;
                self.last_text.clone_from(&text);
                Some(AgentEvent::Text { message, text })
            }
            ("thinking", None) => {
                Some(AgentEvent::Thinking { message, text: block.thinking.filter(|t| !t.is_empty())? })
            }
            ("tool_use", parent) => Some(AgentEvent::ToolUsed {
                id: block.id?,
                tool: block.name?,
                input: block.input.unwrap_or_default(),
                parent: parent.map(str::to_owned),
            }),
            _ => None,
        }
    }

    fn ended(&mut self, result: TurnResult) -> AgentEvent {
        let outcome = self.outcome(&result);
        let said = std::mem::take(&mut self.last_text);
        self.clues = Clues::default();
        if let Some(id) = result.session_id.filter(|_| self.agent_session.is_empty()) {
            self.agent_session = id;
        }
        let text = match &outcome {
            TurnOutcome::Interrupted => said,
            TurnOutcome::Completed => result.result.unwrap_or(said),
            TurnOutcome::Failed(_) => result.result.unwrap_or_else(|| prose(result.errors.unwrap_or_default())),
        };
        AgentEvent::TurnEnded(TurnEnd {
            outcome,
            text,
            unasked: result.origin.is_some_and(|o| o.kind.as_deref() == Some("task-notification")),
            agent_session: self.agent_session.clone(),
            tokens: tokens(result.usage.unwrap_or_default()),
            process_cost: result.total_cost_usd.map(MicroDollars::from_dollars),
            duration_ms: result.duration_ms.map_or(0, whole),
            model_turns: result.num_turns.unwrap_or(0),
            denials: result.permission_denials.unwrap_or_default().into_iter().filter_map(|d| d.tool_name).collect(),
        })
    }

    /// A stop is written as an error; only its reason tells it from a fault.
    fn outcome(&self, result: &TurnResult) -> TurnOutcome {
        let stopped = result.terminal_reason.as_deref().is_some_and(|reason| reason.starts_with("aborted"));
        match (stopped, result.is_error.unwrap_or(false)) {
            (true, _) => TurnOutcome::Interrupted,
            (false, true) => TurnOutcome::Failed(fault(result, &self.clues)),
            (false, false) => TurnOutcome::Completed,
        }
    }
}

fn tokens(usage: Usage) -> Tokens {
    Tokens {
        input: usage.input_tokens.unwrap_or(0),
        output: usage.output_tokens.unwrap_or(0),
        cache_write: usage.cache_creation_input_tokens.unwrap_or(0),
        cache_read: usage.cache_read_input_tokens.unwrap_or(0),
    }
}

/// Without the lines Claude Code writes for its own makers.
fn prose(mut errors: Vec<String>) -> String {
    errors.retain(|error| !error.starts_with("[ede_diagnostic]"));
    errors.join("\n")
}

fn is_output(event: &AgentEvent) -> bool {
    use AgentEvent as E;
    match event {
        E::Partial { .. } | E::Text { .. } | E::Thinking { .. } | E::ToolUsed { .. } | E::ToolFinished { .. } => true,
        E::Notice(Notice::Said(_)) | E::Unknown { .. } => true,
        E::TurnStarted { .. } | E::Took { .. } | E::Activity(_) | E::Asked(_) | E::Withdrawn { .. } | E::Called(_) => {
            false
        }
        E::Retrying { .. } | E::TurnEnded(_) | E::ConversationReset { .. } | E::Exited { .. } => false,
        E::Notice(Notice::OutputCapped { .. } | Notice::Garbage { .. }) => false,
    }
}

fn whole(number: f64) -> u64 {
    number.max(0.0).round() as u64
}

fn mode(written: &str) -> Option<PermissionMode> {
    PermissionMode::ALL.into_iter().find(|mode| mode.as_str() == written)
}

fn activity(state: &System) -> Option<Activity> {
    match state.state.as_deref()? {
        "running" => Some(Activity::Running),
        "requires_action" => Some(Activity::RequiresAction),
        "idle" => Some(Activity::Idle),
        _ => None,
    }
}
