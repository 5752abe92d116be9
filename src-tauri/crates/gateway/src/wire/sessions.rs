//! Sessions and what is in them.

use super::{Frame, ModeWord, SessionState, TokenCounts};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// A session as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct SessionShown {
    pub id: Uuid,
    /// What a person types to name it.
    pub number: u32,
    pub title: String,
    pub agent: String,
    pub permission_mode: ModeWord,
    /// None: the config's, or Claude Code's own default.
    pub model: Option<String>,
    pub state: SessionState,
    /// The tool that runs.
    pub doing: Option<String>,
    /// Messages that wait for the running turn's end.
    pub waiting: usize,
    pub tags: Vec<String>,
    pub created_at: i64,
    pub last_at: i64,
    /// What the model's responses in it cost, as the egress door counted them.
    pub cost_dollars: f64,
    pub tokens: TokenCounts,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct SessionPage {
    /// The one last used first.
    pub sessions: Vec<SessionShown>,
    /// Give it as `cursor` for the next page; none: this was the last.
    pub next: Option<String>,
}

/// `PATCH /api/sessions/{id}`: what is not named stays.
#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
pub struct SessionChange {
    #[schema(max_length = 200)]
    #[ts(optional)]
    pub title: Option<String>,
    /// All of its tags from now on: at most 20, cut at 50 characters.
    #[schema(max_items = 20)]
    #[ts(optional)]
    pub tags: Option<Vec<String>>,
}

/// A piece of a session's history: the same frames the WebSocket carries, oldest first.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Events {
    pub events: Vec<Frame>,
    /// Whether there is more in the direction that was asked for.
    pub more: bool,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct SearchHits {
    /// Best first.
    pub hits: Vec<SearchHit>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct SearchHit {
    pub seq: i64,
    pub session_id: Uuid,
    pub session_number: u32,
    pub session_title: String,
    pub at: i64,
    /// `said`, `answered`, `tool_used` and so on: what the words stand in.
    pub kind: String,
    /// The words around what was found; what matches stands between U+E000 and U+E001 (private characters that the text
    /// itself never has), so that a page can mark it without reading HTML.
    pub snippet: String,
}

/// A file that a turn made or that came with words. Its bytes: `GET /api/artifacts/{id}`, or `url` without a token until it
/// runs out (`expires_at`).
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ArtifactShown {
    pub id: Uuid,
    pub media_type: String,
    pub caption: Option<String>,
    pub bytes: u64,
    pub created_at: i64,
    /// A path on this host, for an `<img>`.
    pub url: String,
    pub expires_at: i64,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Artifacts {
    pub artifacts: Vec<ArtifactShown>,
}
