//! What the holder of a link sees, without a token.

use super::{ApprovalState, RiskWord};
use domain::approval::{Approval, Subject};
use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// `GET /api/link/{name}`: a whole answer, or what an approval would run.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum LinkShown {
    Answer(LinkAnswer),
    Approval(Box<LinkApproval>),
}

/// The agent's words of a turn, whole, with what it made.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct LinkAnswer {
    pub session: LinkSession,
    /// When it ended.
    pub at: Option<i64>,
    pub markdown: String,
    pub artifacts: Vec<LinkArtifact>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct LinkSession {
    pub title: String,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct LinkArtifact {
    /// A path on this host, for an `<img>`, until it runs out.
    pub url: String,
    pub media_type: String,
    pub caption: Option<String>,
}

/// An approval as its link shows it. It may be refused there; granting needs a paired phone.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct LinkApproval {
    pub id: Uuid,
    /// What a person types to name it.
    pub number: u32,
    /// The tool's name, or `question`, `plan`, `rerun`.
    pub tool: String,
    /// Exactly what would run, as the agent wrote it. Show `shown` to a person, not this.
    pub input: Value,
    /// Where the file that the tool names really is, if that is elsewhere than its name says (a link leads there).
    pub target: Option<String>,
    /// All of it as text, with every character that could mislead made visible.
    pub shown: String,
    pub risk: RiskWord,
    pub state: ApprovalState,
    pub asked_at: i64,
    /// Without an answer until then it means no.
    pub expires_at: i64,
    /// The gateway's time.
    pub now: i64,
}

impl LinkApproval {
    pub fn of(a: &Approval, now: i64) -> Self {
        let (tool, input) = match &a.subject {
            Subject::Tool { tool, input, .. } => (tool.as_str(), input.clone()),
            Subject::Question { input, .. } => ("question", input.clone()),
            Subject::Plan { .. } => ("plan", Value::Null),
            Subject::Rerun { .. } => ("rerun", Value::Null),
            Subject::Host { host, port, doing } => {
                ("host", serde_json::json!({ "host": host, "port": port, "doing": doing }))
            }
            Subject::Spend { .. } => ("spend", Value::Null),
            Subject::Push { .. } => ("push", Value::Null),
        };
        Self {
            id: a.id.0,
            number: a.number,
            tool: tool.to_owned(),
            input,
            target: a.subject.really().map(str::to_owned),
            shown: a.subject.in_full(),
            risk: a.risk.into(),
            state: ApprovalState::of(a.decision.as_ref()),
            asked_at: a.asked_at.0,
            expires_at: a.expires_at.0,
            now,
        }
    }
}
