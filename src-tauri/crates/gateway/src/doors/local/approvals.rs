//! What waits for the owner's answer, and answering it at the desk.

use crate::{
    approvals::{self, Answer},
    doors::reply::Refusal,
    gateway::App,
};
use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    ApprovalId, Code, Problem,
    agent::Question,
    approval::{Approval, Decision, Subject, read_answers},
    event::Channel,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub async fn list(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let open = app.store.read(|r| store::approvals::all_open(r)).await?;
    let shown: Vec<Value> = open
        .iter()
        .map(|a| {
            json!({ "id": a.id, "number": a.number, "hash": a.hash, "risk": a.risk, "shown": a.subject.in_full(),
                    "kind": kind(&a.subject), "expires_at": a.expires_at, "always": always(a) })
        })
        .collect();
    Ok(Json(json!(shown)))
}

/// What "always" would allow, as the agent's rules write it.
fn always(approval: &Approval) -> Vec<String> {
    approval.subject.always_shown()
}

fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Tool { .. } => "tool",
        Subject::Question { .. } => "question",
        Subject::Plan { .. } => "plan",
        Subject::Rerun { .. } => "rerun",
        Subject::Host { .. } => "host",
        Subject::Spend { .. } => "spend",
        Subject::Push { .. } => "push",
    }
}

/// An answer given at the desk. `hash` is that of what was shown.
#[derive(Debug, Serialize, Deserialize)]
pub struct Decide {
    pub hash: String,
    #[serde(flatten)]
    pub decide: Choice,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Choice {
    Allow,
    AllowSession,
    AllowAlways,
    Deny {
        message: Option<String>,
    },
    /// To a question, in the owner's words.
    Answer {
        words: String,
    },
}

pub async fn answer(
    State(app): State<App>,
    Path(id): Path<ApprovalId>,
    Json(d): Json<Decide>,
) -> Result<Json<Value>, Refusal> {
    let approval = app.store.read(move |r| store::approvals::get(r, id)).await?.ok_or(Code::UnknownApproval)?;
    let decision = match d.decide {
        Choice::Allow => allowed(&approval)?,
        Choice::AllowSession => Decision::AllowedSession,
        Choice::AllowAlways => Decision::AllowedAlways { rules: approvals::always_rules(&approval)? },
        Choice::Deny { message } => Decision::Denied { message },
        Choice::Answer { words } => answered(&approval, &words)?,
    };
    let answer = Answer { hash: d.hash, ..Answer::to(&approval, decision, Channel::Cli) };
    let closed = approvals::answer(&app, answer).await?;
    Ok(Json(json!({ "number": closed.number, "decision": closed.decision })))
}

fn allowed(approval: &Approval) -> Result<Decision, Problem> {
    match &approval.subject {
        Subject::Question { questions, .. } => Err(unanswered(approval.number, questions)),
        _ => Ok(Decision::Allowed),
    }
}

fn answered(approval: &Approval, words: &str) -> Result<Decision, Problem> {
    let n = approval.number;
    match &approval.subject {
        Subject::Question { questions, .. } => {
            let answers = read_answers(questions, words).ok_or_else(|| unanswered(n, questions))?;
            Ok(Decision::Answered { answers })
        }
        _ => Err(Problem::with_detail(Code::BadRequest, format!("#{n} is no question."))
            .suggest(format!("lanyard approve {n} allows it, lanyard approve {n} --no refuses it."))),
    }
}

fn unanswered(n: u32, questions: &[Question]) -> Problem {
    match questions.len() {
        1 => Problem::with_detail(Code::BadRequest, format!("#{n} is a question."))
            .suggest(format!("Answer with an option's number or your words: lanyard approve {n} 1.")),
        parts => Problem::with_detail(Code::BadRequest, format!("#{n} asks {parts} things."))
            .suggest(format!("Answer each, a ; between: lanyard approve {n} \"1; 2\".")),
    }
}
