//! Answering an approval, at the one gate.

use crate::{
    approvals,
    gateway::App,
    pairing::Caller,
    push,
    wire::{Decide, DecideWord},
};
use domain::{
    ApprovalId, Code, Problem,
    approval::{Approval, Decision, Subject, read_answers},
};

/// The first answer wins; it must name exactly what is asked.
///
/// # Errors
/// `UNKNOWN_APPROVAL`, `APPROVAL_GONE`, `APPROVAL_CHANGED`, `BAD_REQUEST`, from a notice `GRANT_REFUSED`: nothing changed.
pub async fn decide(app: &App, caller: &Caller, id: ApprovalId, decide: Decide) -> Result<Approval, Problem> {
    let known = app.store.read(move |r| store::approvals::get(r, id)).await.map_err(approvals::internal)?;
    let approval = known.ok_or(Code::UnknownApproval)?;
    let decision = match decide.decision {
        DecideWord::Allow => Decision::Allowed,
        DecideWord::Deny => Decision::Denied { message: decide.message },
        DecideWord::AllowSession => Decision::AllowedSession,
        DecideWord::AllowAlways => Decision::AllowedAlways { rules: approvals::always_rules(&approval)? },
        DecideWord::Answer => Decision::Answered { answers: answers(&approval, decide.answer.as_deref())? },
    };
    let answer = approvals::Answer {
        approval: id,
        hash: decide.input_hash,
        decision,
        channel: caller.channel(),
        by: Some(caller.name.to_string()),
        letter: decide.letter,
        message: None,
    };
    if let Some(letter) = decide.letter
        && let Err(problem) = push::shown(app, caller, letter).await
    {
        tracing::warn!(push.id = letter, code = %problem.code.entry().name, "an answer named no push to its phone");
    }
    approvals::answer(app, answer).await.map_err(|problem| match problem.code {
        Code::GrantRefused => problem.suggest("Open the page and answer there."),
        _ => problem,
    })
}

fn answers(approval: &Approval, words: Option<&str>) -> Result<Vec<String>, Problem> {
    let Subject::Question { questions, .. } = &approval.subject else {
        return Err(Problem::with_detail(Code::BadRequest, "This is no question: allow it or deny it."));
    };
    words.and_then(|words| read_answers(questions, words)).ok_or_else(|| {
        Problem::with_detail(Code::BadRequest, "answer holds the answer to each question, one line for each.")
    })
}
