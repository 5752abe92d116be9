//! Questions that only the owner may answer, and the answers.

use super::{RiskWord, Sent};
use domain::approval::{Approval, Decision, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// What is asked. `tool`: may it run with exactly this input? `question`: the agent wants to know something. `plan`: may it
/// start on this plan? `rerun`: a turn was cut off; run it again? `host`: may programs in the sandbox reach this host?
/// `spend`: a spending limit is reached; may more be spent? `push`: may these branches of a repository be changed?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalKind {
    Tool,
    Question,
    Plan,
    Rerun,
    Host,
    Spend,
    Push,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    Open,
    /// Of a host: for 15 minutes.
    Allowed,
    AllowedSession,
    AllowedAlways,
    Answered,
    Denied,
    /// Nobody answered in time: no.
    Expired,
    /// The agent no longer asks.
    Withdrawn,
}

impl ApprovalState {
    pub fn of(decision: Option<&Decision>) -> Self {
        match decision {
            None => Self::Open,
            Some(Decision::Allowed) => Self::Allowed,
            Some(Decision::AllowedSession) => Self::AllowedSession,
            Some(Decision::AllowedAlways { .. }) => Self::AllowedAlways,
            Some(Decision::Answered { .. }) => Self::Answered,
            Some(Decision::Denied { .. }) => Self::Denied,
            Some(Decision::Expired) => Self::Expired,
            Some(Decision::Withdrawn) => Self::Withdrawn,
        }
    }
}

/// An approval as it stands now. Frame `permissionRequest` carries it at the place in the history where it was asked; `state`
/// says what has become of it since.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ApprovalShown {
    pub id: Uuid,
    /// What a person types to name it.
    pub number: u32,
    pub session_id: Uuid,
    pub turn: Option<Uuid>,
    pub kind: ApprovalKind,
    /// The tool's name, where `kind` is `tool`.
    pub tool: Option<String>,
    /// Where the file that the tool names really is, if that is elsewhere than its name says (a link leads there).
    pub target: Option<String>,
    /// Exactly what would run, as the agent wrote it. Show `shown` to a person, not this.
    pub input: Value,
    /// Goes back with the answer: it names exactly what is allowed.
    pub input_hash: String,
    /// All of it as text, with every character that could mislead made visible.
    pub shown: String,
    /// Where `kind` is `question`.
    pub questions: Vec<Question>,
    pub risk: RiskWord,
    /// What `allow_always` would allow from now on: in this session, as Claude Code writes rules; where `kind` is `host`, the
    /// host in every session. Empty: it cannot be.
    pub always: Vec<String>,
    pub asked_at: i64,
    /// Without an answer until then it means no.
    pub expires_at: i64,
    pub state: ApprovalState,
    /// By which ways the owner was asked, as they stand now.
    pub sent: Vec<Sent>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Question {
    pub question: String,
    pub header: Option<String>,
    /// Whether more than one option may be picked.
    pub several: bool,
    pub options: Vec<QuestionOption>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct QuestionOption {
    pub label: String,
    pub description: String,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Approvals {
    /// Open ones, by number.
    pub permissions: Vec<ApprovalShown>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecideWord {
    Allow,
    Deny,
    /// Where `kind` is `host`: as long as the session lasts.
    AllowSession,
    /// Also what `always` lists, from now on.
    AllowAlways,
    /// To a question, with `answer`.
    Answer,
}

/// An answer. The first one wins, whichever channel it comes by. `POST /api/permission/{id}`; in frame `permission` with `id`
/// beside it.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Decide {
    pub decision: DecideWord,
    /// The `input_hash` of what was shown.
    pub input_hash: String,
    /// To questions: an option's label or number, or words of one's own; with several questions one line for each.
    #[ts(optional)]
    pub answer: Option<String>,
    /// With `deny`: what the agent reads.
    #[ts(optional)]
    pub message: Option<String>,
    /// From a notice: the push's `letter`. Such an answer grants only what `approvals.lock_screen_grants` in the config lets it.
    #[serde(default, deserialize_with = "super::phones::whole")]
    #[ts(optional)]
    pub letter: Option<i64>,
    /// The owner's PIN, where `PIN_NEEDED` said that it takes it.
    #[serde(default)]
    #[ts(optional, type = "string")]
    #[schema(value_type = Option<String>)]
    pub pin: Option<secrecy::SecretString>,
}

impl ApprovalShown {
    pub fn of(a: &Approval, sent: Vec<Sent>) -> Self {
        let (kind, tool, input) = match &a.subject {
            Subject::Tool { tool, input, .. } => (ApprovalKind::Tool, Some(tool.clone()), input.clone()),
            Subject::Question { input, .. } => (ApprovalKind::Question, None, input.clone()),
            Subject::Plan { input, .. } => (ApprovalKind::Plan, None, input.clone()),
            Subject::Rerun { .. } => (ApprovalKind::Rerun, None, Value::Null),
            Subject::Host { host, port, doing } => {
                (ApprovalKind::Host, None, serde_json::json!({ "host": host, "port": port, "doing": doing }))
            }
            Subject::Spend { .. } => (ApprovalKind::Spend, None, Value::Null),
            Subject::Push { host, repository, refs } => {
                let input = serde_json::json!({ "host": host, "repository": repository, "refs": refs });
                (ApprovalKind::Push, None, input)
            }
        };
        Self {
            id: a.id.0,
            number: a.number,
            session_id: a.session.0,
            turn: a.turn.map(|t| t.0),
            kind,
            target: a.subject.really().map(str::to_owned),
            tool,
            input,
            input_hash: a.hash.clone(),
            shown: a.subject.in_full(),
            questions: questions(&a.subject),
            risk: a.risk.into(),
            always: a.subject.always_shown(),
            asked_at: a.asked_at.0,
            expires_at: a.expires_at.0,
            state: ApprovalState::of(a.decision.as_ref()),
            sent,
        }
    }
}

fn questions(subject: &Subject) -> Vec<Question> {
    let Subject::Question { questions, .. } = subject else { return Vec::new() };
    let option = |o: &domain::agent::QuestionOption| QuestionOption {
        label: domain::shown::shown(&o.label),
        description: domain::shown::shown(&o.description),
    };
    let question = |q: &domain::agent::Question| Question {
        question: domain::shown::shown(&q.question),
        header: q.header.as_deref().map(domain::shown::shown),
        several: q.several,
        options: q.options.iter().map(option).collect(),
    };
    questions.iter().map(question).collect()
}
