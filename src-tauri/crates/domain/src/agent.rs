//! What an agent says and what it can be told, in Lanyard's words. The formats of any one agent stop in the sandbox crate.

use crate::{
    Code, PermissionMode,
    usage::{MicroDollars, Tokens},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A picture as bytes with its media type (`image/png`, `image/jpeg`, `image/gif`, `image/webp`).
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub media_type: String,
    pub bytes: std::sync::Arc<[u8]>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// One thing an agent said or did, in the order it came.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentEvent {
    /// A turn begins (the first event of every turn), with the settings it runs under.
    TurnStarted { agent_session: String, model: String, mode: Option<PermissionMode>, version: String },
    /// Words said under this id are before the model: the running turn took them in, or begins with them. Not every version
    /// tells it.
    Took { id: uuid::Uuid },
    /// The agent's own word on whether it works. `Idle` comes after the last turn, unasked ones included.
    Activity(Activity),
    /// Partial words of block `block` of message `message`; `offset` counts the UTF-8 bytes before them in that block. Lossy.
    Partial { message: String, block: u32, offset: usize, text: String, kind: PartialKind },
    /// A finished block of text. It repeats what its partials said.
    Text { message: String, text: String },
    /// A finished block of thinking.
    Thinking { message: String, text: String },
    /// The agent calls a tool. `parent` is the call whose subagent makes this one.
    ToolUsed { id: String, tool: String, input: Value, parent: Option<String> },
    /// What a tool gave back. `text` is what the model read; `detail` is structured where the tool has it (patches, stdout).
    ToolFinished { id: String, ok: bool, text: String, pictures: Vec<Picture>, detail: Option<Value> },
    /// The agent asks whether it may. It waits until answered, or withdraws.
    Asked(Ask),
    /// The agent no longer wants an answer.
    Withdrawn { request: String },
    /// The agent calls one of Lanyard's own tools; answer with [`AgentCommand::ToolAnswered`].
    Called(GatewayCall),
    /// The model did not answer; the agent tries again by itself.
    Retrying { attempt: u32, of: u32, delay_ms: u64, status: Option<u16>, error: String },
    /// A turn is over.
    TurnEnded(TurnEnd),
    /// The conversation was cleared or compacted; the agent's own session id may have changed.
    ConversationReset { agent_session: String },
    /// Something a person should know that ends nothing.
    Notice(Notice),
    /// A line this version does not know. Never ends a session.
    Unknown { kind: String },
    /// The process is gone. Always the last event. `status` is its exit code where the engine knows it;
    /// `stderr` the last 4 kB it wrote there.
    Exited { status: Option<i64>, stderr: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartialKind {
    Text,
    Thinking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Running,
    RequiresAction,
    Idle,
}

/// Something a person should know that ends nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The turn printed more than its cap (bytes); the rest of it is dropped.
    OutputCapped { cap: usize },
    /// A line was too long or was no JSON (bytes); it was dropped.
    Garbage { bytes: usize },
    /// Words the agent wrote for its operator (stderr, hook messages).
    Said(String),
}

/// A question only the owner may answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The agent's id for this question; the answer names it.
    pub request: String,
    pub tool_use: Option<String>,
    /// The subagent that asks, by the agent's name for it. One in the background goes on after the turn's end.
    pub subagent: Option<String>,
    pub about: AskAbout,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AskAbout {
    /// May this tool run with exactly this input? `rules` are what "always" would allow, as the agent suggests it.
    Tool { tool: String, input: Value, why: Option<String>, rules: Vec<Rule> },
    /// The agent wants to know something. `input` is kept whole, for the answer goes back inside it.
    Question { questions: Vec<Question>, input: Value },
    /// The agent shows its plan and wants to start.
    Plan { plan: String, input: Value },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub question: String,
    pub header: Option<String>,
    pub several: bool,
    pub options: Vec<QuestionOption>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionOption {
    pub label: String,
    pub description: String,
}

/// "Always allow": a tool, and where `content` is set only calls that match it (`npm test *`), as Claude Code writes rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    pub tool: String,
    pub content: Option<String>,
}

impl Rule {
    /// `Bash(npm test *)` or `Read`: the form the agent takes on its command line.
    pub fn as_flag(&self) -> String {
        match &self.content {
            Some(content) => format!("{}({content})", self.tool),
            None => self.tool.clone(),
        }
    }
}

/// A call of one of Lanyard's own tools by the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayCall {
    /// Goes back in [`AgentCommand::ToolAnswered`].
    pub call: CallId,
    pub tool: GatewayTool,
}

/// Opaque to all but the agent adapter: the control request and the JSON-RPC id inside it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallId {
    pub request: String,
    pub rpc: Value,
}

/// The tools Lanyard gives an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayTool {
    /// Send the file at `path` (inside the sandbox) to the owner as a picture.
    SendPhoto { path: String, caption: Option<String> },
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnEnd {
    pub outcome: TurnOutcome,
    /// The last text of the turn, or the error's prose.
    pub text: String,
    /// Nobody asked for this turn: a background job's end started it.
    pub unasked: bool,
    pub agent_session: String,
    /// Of this turn alone.
    pub tokens: Tokens,
    /// Of the whole process so far, by the agent's own reckoning. The egress door's ledger is what is shown and capped.
    pub process_cost: Option<MicroDollars>,
    pub duration_ms: u64,
    pub model_turns: u32,
    /// Tools that were refused in this turn.
    pub denials: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TurnOutcome {
    Completed,
    /// Somebody stopped it.
    Interrupted,
    Failed(AgentFault),
}

/// Why a turn failed. Each has a [`crate::Code`] with its sentence and suggestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "status")]
pub enum AgentFault {
    /// 401 or 403 from the model's door: the key is wrong, revoked, or not allowed.
    KeyRefused,
    /// No key or token at all.
    NotLoggedIn,
    /// The account has no credit left.
    CreditTooLow,
    /// 429 after the agent's own retries.
    RateLimited,
    /// 529 after the agent's own retries.
    Overloaded,
    /// 5xx after the agent's own retries, with the status if it was told.
    ServerError(Option<u16>),
    /// The conversation does not fit any more.
    PromptTooLong,
    /// The model is unknown or not allowed for this key.
    ModelUnavailable,
    /// The answer hit the output limit, more than once.
    OutputLimit,
    /// The request was refused as malformed (400), for another reason than its length.
    BadRequest,
    /// The response broke off.
    StreamBroken,
    /// The session to resume is not known to the agent.
    UnknownSession,
    /// The session id is in use by another process.
    SessionInUse,
    /// Lanyard's own door refused: a spending cap.
    SpendCap,
    /// Anything else the agent reported; the words are in [`TurnEnd::text`].
    Other,
}

impl AgentFault {
    /// The error a person is shown for it.
    pub fn code(&self) -> Code {
        match self {
            Self::KeyRefused => Code::KeyRefused,
            Self::NotLoggedIn => Code::NoKey,
            Self::CreditTooLow => Code::CreditTooLow,
            Self::RateLimited => Code::RateLimited,
            Self::Overloaded => Code::Overloaded,
            Self::ServerError(_) => Code::ModelError,
            Self::PromptTooLong => Code::PromptTooLong,
            Self::ModelUnavailable => Code::ModelUnavailable,
            Self::OutputLimit => Code::OutputLimit,
            Self::BadRequest => Code::ModelRefused,
            Self::StreamBroken => Code::StreamBroken,
            Self::UnknownSession => Code::UnknownSession,
            Self::SessionInUse | Self::Other => Code::AgentError,
            Self::SpendCap => Code::SpendCap,
        }
    }
}

/// What an agent can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentCommand {
    /// A person's words. They are never taken as a command of the agent's own (a leading `/` stays text) unless `slash`.
    Say {
        id: uuid::Uuid,
        text: String,
        pictures: Vec<Picture>,
        slash: bool,
    },
    /// Yes to the ask `request`, with exactly `input`; `always` rules hold in this process from now on.
    Allow {
        request: String,
        input: Value,
        always: Vec<Rule>,
        mode: Option<PermissionMode>,
    },
    /// No; `message` is what the model reads.
    Deny {
        request: String,
        message: String,
        interrupt: bool,
    },
    /// Answer of one of Lanyard's own tools: text, or an error text.
    ToolAnswered {
        call: CallId,
        result: Result<String, String>,
    },
    /// Stop the running turn. Harmless when idle.
    Interrupt,
    SetMode(PermissionMode),
    SetModel(String),
}
