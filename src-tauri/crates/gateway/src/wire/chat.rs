//! Saying things: one-time asks, and streams (sessions) that live.

use super::{ModeWord, OutcomeWord, SessionState, TokenCounts, WhenWord, sessions::ArtifactShown};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// A picture that goes with words. At most 5 MB; JPEG, PNG, GIF or WebP, judged by its first bytes.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Image {
    /// `image/png` and so on; must be what the bytes are.
    pub media_type: String,
    /// The bytes in Base64 (standard alphabet, padded).
    pub data: String,
}

/// A question whose whole answer is waited for. It gets a session of its own. Frame `ask`; `POST /api/ask`.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Ask {
    /// 1 to 100 000 bytes, something beside white space among them.
    // Unicode's white space, written out: no two languages mean the same by `\s`.
    #[schema(
        min_length = 1,
        max_length = 100_000,
        pattern = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    )]
    pub prompt: String,
    #[ts(optional)]
    pub agent: Option<String>,
    /// At most 4.
    #[serde(default)]
    #[schema(max_items = 4)]
    #[ts(optional, as = "Option<Vec<Image>>")]
    pub images: Vec<Image>,
    /// How long to wait for the answer, at most 600 000; 120 000 if not said. Past it the turn is stopped: `TURN_TIMEOUT`.
    #[serde(default, deserialize_with = "super::phones::whole")]
    #[schema(minimum = 1, maximum = 600_000)]
    #[ts(optional)]
    pub timeout_ms: Option<u64>,
}

/// The whole answer. Frame `askResponse`.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Answer {
    pub session_id: Uuid,
    pub turn: Uuid,
    /// The agent's words, Markdown.
    pub text: String,
    pub outcome: OutcomeWord,
    pub usage: TokenCounts,
    pub cost_dollars: f64,
    pub duration_ms: u64,
    pub artifacts: Vec<ArtifactShown>,
}

/// Opens a session, or takes one up again. Frame `streamStart`; `POST /api/stream/start`.
#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
pub struct Start {
    /// The first words; without them the session waits.
    #[schema(min_length = 1, max_length = 100_000)]
    #[ts(optional)]
    pub prompt: Option<String>,
    #[ts(optional)]
    pub agent: Option<String>,
    /// A session to go on with instead of a new one. `permission_mode`, `model` and `title` then change it.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    #[ts(optional)]
    pub resume: Option<Uuid>,
    /// Any but `plan` and a new session's usual one takes scope `approve`: it answers questions before they are asked.
    #[ts(optional)]
    pub permission_mode: Option<ModeWord>,
    /// As Claude Code names it.
    #[schema(max_length = 100)]
    #[ts(optional)]
    pub model: Option<String>,
    #[schema(max_length = 200)]
    #[ts(optional)]
    pub title: Option<String>,
    /// With it, the same start sent again opens no second session.
    #[schema(min_length = 1, max_length = 100)]
    #[ts(optional)]
    pub client_id: Option<String>,
}

/// Frame `streamStarted`, the answer to `streamStart`.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Started {
    pub session_id: Uuid,
    /// What a person types to name it.
    pub number: u32,
    pub state: SessionState,
    /// The newest event of any session: where a client without a cursor goes on.
    pub last_event: i64,
}

/// Something said in a session. `POST /api/stream/{id}`; in frame `streamSend` with `session_id` beside it.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Say {
    /// 1 to 100 000 bytes, something beside white space among them.
    // Unicode's white space, written out: no two languages mean the same by `\s`.
    #[schema(
        min_length = 1,
        max_length = 100_000,
        pattern = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    )]
    pub text: String,
    /// At most 4.
    #[serde(default)]
    #[schema(max_items = 4)]
    #[ts(optional, as = "Option<Vec<Image>>")]
    pub images: Vec<Image>,
    /// The client's own id of these words: sent again with the same one, they are said once and get the same answer. Keep it
    /// with the words until they are acknowledged. 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub client_id: String,
    /// `queue` if not said.
    #[ts(optional)]
    pub when: Option<WhenWord>,
}

/// The words are on disk. Over REST with status 202; on the WebSocket as `status` of kind `accepted`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct Said {
    pub session_id: Uuid,
    /// The number of the event that says so (`streamData` of kind `said`).
    pub event: i64,
    /// The words' number in the inbox.
    pub message: i64,
    /// False if the same `client_id` was said before.
    pub fresh: bool,
}
