//! Durable facts as frames carry them, and the live words between them. Every durable one says its session and its time.

use super::{
    ChannelWord, LettersFact, ModeWord, OutcomeWord, Sent, SessionShown, TokenCounts, WhenWord,
    approvals::ApprovalState, chat, house::HouseStatus,
};
use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// Frame `streamData`, sorted by `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StreamData {
    /// Words the agent is writing. No `seq`: lossy, gone when the finished block comes.
    Partial(PartialWords),
    /// A person said something, by whatever channel.
    Said(SaidFact),
    /// A finished block of the agent's words. It repeats what its partials said.
    Text(TextFact),
    /// A turn made a file.
    Artifact(ArtifactFact),
}

/// `offset` counts the UTF-8 bytes of this block that came before: where it is not what the page holds, pieces were lost, and
/// the page waits for the finished block.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct PartialWords {
    pub session_id: Uuid,
    pub message: String,
    pub block: u32,
    pub offset: usize,
    pub text: String,
    pub thinking: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct SaidFact {
    pub session_id: Uuid,
    pub at: i64,
    /// Its number in the inbox, by which a turn names what it answers.
    pub message: i64,
    pub channel: ChannelWord,
    pub text: String,
    /// Artifact ids.
    pub pictures: Vec<Uuid>,
    pub when: WhenWord,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct TextFact {
    pub session_id: Uuid,
    pub at: i64,
    pub turn: Option<Uuid>,
    /// The partials' `message`.
    pub message: String,
    /// Markdown.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct ArtifactFact {
    pub session_id: Uuid,
    pub at: i64,
    pub turn: Option<Uuid>,
    pub artifact: Uuid,
    pub media_type: String,
    pub caption: Option<String>,
}

/// Frame `streamToolUse`: the call, then under the same `id` its result.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToolUse {
    Used(ToolUsed),
    Finished(ToolFinished),
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct ToolUsed {
    pub session_id: Uuid,
    pub at: i64,
    pub turn: Option<Uuid>,
    pub id: String,
    pub tool: String,
    pub input: Value,
    /// The call whose subagent makes this one.
    pub parent: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct ToolFinished {
    pub session_id: Uuid,
    pub at: i64,
    pub id: String,
    pub ok: bool,
    /// What the model read.
    pub text: String,
    /// Structured where the tool has it (patches, stdout).
    pub detail: Value,
    /// Artifact ids.
    pub pictures: Vec<Uuid>,
}

/// Frame `permissionResolved`: by whom, and how.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct Resolved {
    pub session_id: Uuid,
    pub at: i64,
    /// The approval's.
    pub id: Uuid,
    pub decision: ApprovalState,
    /// None: nobody answered (it expired or was withdrawn).
    pub channel: Option<ChannelWord>,
    /// The phone's name, or the number that texted (its end only).
    pub by: Option<String>,
}

/// Frame `streamComplete`: a turn is over.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct Complete {
    pub session_id: Uuid,
    pub at: i64,
    pub turn: Uuid,
    pub outcome: OutcomeWord,
    pub usage: TokenCounts,
    pub cost_dollars: f64,
    pub duration_ms: u64,
    /// Ids of what the turn made.
    pub artifacts: Vec<Uuid>,
    /// By which ways the owner was told of it, as they stand now.
    pub sent: Vec<Sent>,
}

/// Frame `status`, sorted by `kind`: how something stands. Those with a `seq` are durable.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Status {
    /// The answer to `streamSend`, `streamClose`, `interrupt`, `permission` and `presence` (same `requestId`).
    Accepted(Accepted),
    /// The gateway and what is around it; no `seq`, sent when it changes.
    House(HouseStatus),
    /// One session as it stands now; no `seq`, sent when it changes. A session not seen before is new.
    Session(SessionShown),
    /// Where an answer or a question went, and whether it arrived; no `seq` of its own, sent when it changes.
    Letters(LettersFact),
    /// Durable: work on what was said began.
    TurnStarted(TurnFact),
    /// Durable: words went into the running turn.
    Steered(Steered),
    /// Durable: something a person should know that ends nothing.
    Notice(Notice),
    /// Durable.
    ModeChanged(ModeFact),
    /// Durable: the session was closed; its history stays.
    Closed(SessionFact),
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct Accepted {
    /// For `streamSend`: the words are on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub said: Option<chat::Said>,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct TurnFact {
    pub session_id: Uuid,
    pub at: i64,
    pub turn: Uuid,
    /// The inbox numbers it answers; none: nobody asked (a background job ended).
    pub messages: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct Steered {
    pub session_id: Uuid,
    pub at: i64,
    pub turn: Uuid,
    pub message: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct Notice {
    pub session_id: Uuid,
    pub at: i64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct ModeFact {
    pub session_id: Uuid,
    pub at: i64,
    pub permission_mode: ModeWord,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct SessionFact {
    pub session_id: Uuid,
    pub at: i64,
}
