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
    event::Channel,
};
use secrecy::SecretString;

/// The first answer wins; it must name exactly what is asked.
///
/// # Errors
/// `UNKNOWN_APPROVAL`, `APPROVAL_GONE`, `APPROVAL_CHANGED`, `BAD_REQUEST`, from a notice `GRANT_REFUSED`, from a phone `PIN_NEEDED` and what
/// is wrong with the one that came: nothing changed.
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
        hash: decide.input_hash,
        by: Some(caller.name.to_string()),
        letter: decide.letter,
        proven: proven(app, caller, &approval, decide.pin.as_ref()).await?,
        ..approvals::Answer::to(&approval, decision, caller.channel())
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

/// Whether the owner's PIN came along. One that nothing needs is not looked at: each look counts.
async fn proven(app: &App, caller: &Caller, approval: &Approval, pin: Option<&SecretString>) -> Result<bool, Problem> {
    let needed = app.settings.rules().grants.needs_pin(approval) && caller.channel() != Channel::Desktop;
    let Some(pin) = pin.filter(|_| needed && approval.decision.is_none()) else { return Ok(false) };
    app.pin.check(app, pin).await.map(|()| true)
}

fn answers(approval: &Approval, words: Option<&str>) -> Result<Vec<String>, Problem> {
    let Subject::Question { questions, .. } = &approval.subject else {
        return Err(Problem::with_detail(Code::BadRequest, "This is no question: allow it or deny it."));
    };
    words.and_then(|words| read_answers(questions, words)).ok_or_else(|| {
        Problem::with_detail(Code::BadRequest, "answer holds the answer to each question, one line for each.")
    })
}
