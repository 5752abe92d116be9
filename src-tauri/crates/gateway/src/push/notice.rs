//! What a push says: enough for a lock screen, nothing of an answer.

use crate::{
    push::seal,
    wire::{PushApproval, PushKind, PushNotice},
};
use domain::{
    Timestamp,
    approval::{Approval, GrantPolicy, Subject},
    event::Outcome,
    pairing::{Scope, Scopes},
    phrases,
    task::TaskState,
};
use store::{
    Rows, approvals, phones,
    push_letters::{About, Due},
    push_subscriptions::Subscription,
    sessions,
    tasks::{self, TaskRow},
    turns,
};

/// The words of a push as they are now; none if there is nothing to tell any more.
pub fn notice(
    rows: &impl Rows,
    due: &Due,
    to: &Subscription,
    grants: GrantPolicy,
    now: Timestamp,
) -> store::Result<Option<PushNotice>> {
    let session = sessions::get(rows, due.session)?.map_or(0, |s| s.number);
    let blank = PushNotice {
        kind: PushKind::Done,
        title: String::new(),
        body: String::new(),
        tag: due.about.place(),
        letter: due.id,
        session,
        session_id: due.session.0,
        task: None,
        approval: None,
    };
    Ok(match due.about {
        About::Approval(id) => {
            let approval = approvals::expect(rows, id)?;
            let open = approval.decision.is_none() && now < approval.expires_at;
            let scopes = phones::get(rows, to.phone)?.map(|p| p.scopes).unwrap_or_default();
            open.then(|| asks(blank, &approval, grants, scopes))
        }
        About::Closed(id) => Some(closed(blank, &approvals::expect(rows, id)?)),
        About::Turn(turn) => Some(ended(blank, turns::outcome(rows, turn)?)),
        About::Task(id) => tasks::get(rows, id)?.and_then(|task| task_ended(blank, &task)),
    })
}

fn asks(blank: PushNotice, approval: &Approval, grants: GrantPolicy, scopes: Scopes) -> PushNotice {
    let words = approval.subject.in_a_text().words;
    let allow = scopes.has(Scope::Approve) && grants.on_lock_screen(approval) && words.len() <= seal::MOST / 4;
    let body = match (&approval.subject, allow) {
        (_, true) => format!("May it {words}?"),
        (Subject::Question { .. }, _) => "It has a question.".to_owned(),
        (Subject::Plan { .. }, _) => "It has a plan.".to_owned(),
        (Subject::Rerun { .. }, _) => "It was interrupted. Go on?".to_owned(),
        (Subject::Host { .. } | Subject::Spend { .. } | Subject::Push { .. }, _) => {
            format!("May it {}?", words.lines().next().unwrap_or_default())
        }
        (Subject::Tool { .. }, _) => {
            format!("It asks for something of {} risk. Look at it first.", approval.risk.as_str())
        }
    };
    PushNotice {
        kind: PushKind::Approval,
        title: format!("#{} Session {} asks", approval.number, blank.session),
        body,
        approval: Some(PushApproval {
            id: approval.id.0,
            number: approval.number,
            input_hash: approval.hash.clone(),
            allow,
        }),
        ..blank
    }
}

/// Takes the place of what asked. A browser lets no push pass that shows nothing, so this says shortly how it ended.
fn closed(blank: PushNotice, approval: &Approval) -> PushNotice {
    PushNotice {
        kind: PushKind::Closed,
        title: format!("#{} Session {}", approval.number, blank.session),
        body: approval.decision.as_ref().map_or("", phrases::closed).to_owned(),
        ..blank
    }
}

/// None if it runs again by now.
fn task_ended(blank: PushNotice, task: &TaskRow) -> Option<PushNotice> {
    let (kind, end, body) = match (task.state, &task.failed) {
        (TaskState::Done, _) => {
            (PushKind::Done, "is done", phrases::task_in_short(&task.repository, task.result.request.as_ref()))
        }
        (TaskState::Failed, Some((code, _))) => (PushKind::Failed, "failed", code.entry().sentence.to_owned()),
        _ => return None,
    };
    Some(PushNotice { kind, title: format!("Task {} {end}", task.id), body, task: Some(task.id.0), ..blank })
}

fn ended(blank: PushNotice, outcome: Option<Outcome>) -> PushNotice {
    let failed = matches!(outcome, Some(Outcome::Failed | Outcome::Interrupted));
    let (kind, title) = match failed {
        true => (PushKind::Failed, format!("Session {} failed", blank.session)),
        false => (PushKind::Done, format!("Session {} is done", blank.session)),
    };
    PushNotice { kind, title, body: "Tap to read what it says.".to_owned(), ..blank }
}
