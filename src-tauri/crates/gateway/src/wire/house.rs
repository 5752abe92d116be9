//! How the gateway stands.

use super::{ModeWord, words::SessionState};
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// `GET /health`. Without a token only `status`.
#[derive(Clone, Debug, Default, Serialize, TS, ToSchema)]
pub struct Health {
    /// `ok`, or `trouble` if no agent can work.
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<&'static str>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub uptime: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub claude: Option<Claude>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sessions: Option<SessionCount>,
    /// `unknown` (nobody needed it yet), `preparing`, `ready`, `paused` or `trouble`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sandbox: Option<String>,
    /// The public address, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tunnel: Option<String>,
    /// How the tunnel stands: `off`, `connecting` (lost, and on its way back), `open` or `refused`. Its address is kept meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tunnel_state: Option<String>,
}

/// `GET /api/claude/status`, and in `/health`.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Claude {
    /// Whether a turn could run: a key is there, the sandbox is not in trouble, and the last agent did not fail in a way that
    /// the next would too (the key refused, no credit, a model that is not to be had, a process that died).
    pub available: bool,
    /// Claude Code's version in the sandbox image.
    pub version: String,
    /// Whether an Anthropic key is kept.
    pub key: bool,
    /// The sentence of the last failure of the agent or the sandbox, if nothing has worked since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct SessionCount {
    /// With a process.
    pub active: usize,
    pub max: usize,
}

/// In `welcome`, and as `status` of kind `house` when it changes.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct HouseStatus {
    /// `unknown` (nobody needed it yet), `preparing`, `ready`, `paused` or `trouble`.
    pub sandbox: String,
    /// What it is at while it prepares, or what is wrong.
    pub sandbox_says: Option<String>,
    /// The public address, if there is one.
    pub tunnel: Option<String>,
    /// How the tunnel stands: `off` (the address is then the config's own), `connecting` (not there yet, or lost and on its way
    /// back), `open` or `refused`. Its address is kept meanwhile, but leads nowhere unless it is open.
    pub tunnel_state: String,
    /// What holds it up, where that is known.
    pub tunnel_says: Option<String>,
    /// Where the same gateway is on the local network, over TLS by its own CA, the best first; none while that door is shut.
    /// A phone may use any of these addresses with the tokens it has.
    pub lan: Vec<String>,
    pub sessions: SessionCount,
}

/// `GET /api/info`.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Info {
    /// The computer's.
    pub name: String,
    pub version: &'static str,
    /// `chat`, `approvals`, `search`, `export`, `texting` ...: what this gateway can do.
    pub features: Vec<&'static str>,
    pub limits: Limits,
    pub permission_modes: Vec<ModeWord>,
    /// Names the config or Claude Code knows; others may work.
    pub models: Vec<String>,
    pub agents: Vec<String>,
    pub session_states: Vec<SessionState>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Limits {
    pub sessions: usize,
    /// Messages that may wait in one session.
    pub waiting: usize,
    pub turn_minutes: u64,
    pub idle_minutes: u64,
    pub frame_bytes: usize,
    pub prompt_bytes: usize,
    pub image_bytes: usize,
    pub images: usize,
    pub requests_per_minute: u32,
}

/// `POST /api/claude/test`: one tiny turn.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ClaudeTest {
    pub ok: bool,
    pub session_id: Uuid,
    pub text: String,
    pub duration_ms: u64,
    pub cost_dollars: f64,
}
