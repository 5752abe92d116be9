//! The lines Claude Code writes, as far as they matter. Fields come and go between versions and their order differs, so
//! every field is optional, and what is not known is not looked at.

use serde::Deserialize;
use serde_json::Value;

/// Enough of a line to know what to read it as.
#[derive(Deserialize)]
pub struct Head {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub subtype: Option<String>,
}

/// `system`, `conversation_reset`: small lines in one shape.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct System {
    pub session_id: Option<String>,
    pub model: Option<String>,
    #[serde(rename = "permissionMode")]
    pub mode: Option<String>,
    pub claude_code_version: Option<String>,
    pub state: Option<String>,
    pub attempt: Option<u32>,
    pub max_retries: Option<u32>,
    pub retry_delay_ms: Option<f64>,
    pub error_status: Option<u16>,
    pub error: Option<String>,
    pub new_conversation_id: Option<String>,
}

/// `stream_event`: an event of the API with its envelope.
#[derive(Deserialize)]
pub struct StreamEvent {
    pub event: ApiEvent,
    pub parent_tool_use_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ApiEvent {
    #[serde(rename = "type")]
    pub kind: String,
    pub index: Option<u32>,
    pub message: Option<MessageHead>,
    pub delta: Option<Delta>,
}

#[derive(Deserialize)]
pub struct MessageHead {
    pub id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Delta {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub text: Option<String>,
    pub thinking: Option<String>,
}

/// `assistant`: one finished block of a message.
#[derive(Deserialize)]
pub struct Assistant {
    pub message: AssistantMessage,
    pub parent_tool_use_id: Option<String>,
    /// Set where the words are Claude Code's own, about an error.
    pub error: Option<String>,
}

#[derive(Deserialize)]
pub struct AssistantMessage {
    pub id: Option<String>,
    #[serde(default)]
    pub content: Vec<Block>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Block {
    #[serde(rename = "type")]
    pub kind: String,
    pub text: Option<String>,
    pub thinking: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub input: Option<Value>,
    pub tool_use_id: Option<String>,
    pub content: Option<Value>,
    pub is_error: Option<bool>,
}

/// `user`: what tools gave back, and words Claude Code puts in the person's mouth.
#[derive(Deserialize)]
pub struct User {
    pub message: UserMessage,
    pub tool_use_result: Option<Value>,
}

#[derive(Deserialize)]
pub struct UserMessage {
    pub content: UserContent,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum UserContent {
    Blocks(Vec<Block>),
    Other(serde::de::IgnoredAny),
}

/// `command_lifecycle`: what became of words that were said with an id.
#[derive(Deserialize)]
pub struct Lifecycle {
    pub command_uuid: uuid::Uuid,
    pub state: String,
}

/// `result`: a turn is over.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct TurnResult {
    pub subtype: Option<String>,
    pub is_error: Option<bool>,
    pub api_error_status: Option<u16>,
    pub result: Option<String>,
    pub errors: Option<Vec<String>>,
    pub terminal_reason: Option<String>,
    pub session_id: Option<String>,
    pub usage: Option<Usage>,
    pub total_cost_usd: Option<f64>,
    pub duration_ms: Option<f64>,
    pub num_turns: Option<u32>,
    pub permission_denials: Option<Vec<Denial>>,
    pub origin: Option<Origin>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Usage {
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub cache_creation_input_tokens: Option<u64>,
    pub cache_read_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
pub struct Denial {
    pub tool_name: Option<String>,
}

#[derive(Deserialize)]
pub struct Origin {
    pub kind: Option<String>,
}

/// `control_request` and `control_cancel_request`.
#[derive(Deserialize)]
pub struct ControlRequest {
    pub request_id: String,
    #[serde(default)]
    pub request: Request,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Request {
    pub subtype: String,
    pub tool_name: Option<String>,
    pub input: Option<Value>,
    pub description: Option<String>,
    pub decision_reason: Option<Value>,
    pub agent_id: Option<String>,
    pub tool_use_id: Option<String>,
    pub permission_suggestions: Option<Vec<Suggestion>>,
    pub server_name: Option<String>,
    pub message: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Suggestion {
    #[serde(rename = "type")]
    pub kind: String,
    pub behavior: Option<String>,
    pub rules: Option<Vec<SuggestedRule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuggestedRule {
    pub tool_name: String,
    pub rule_content: Option<String>,
}

/// `control_response`: an answer to one of our own requests.
#[derive(Deserialize)]
pub struct ControlResponse {
    pub response: Response,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Response {
    pub subtype: String,
    pub request_id: String,
    pub error: Option<String>,
    pub response: Option<Initialized>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Initialized {
    pub pid: Option<u32>,
}
