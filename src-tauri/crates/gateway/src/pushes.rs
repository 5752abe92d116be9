//! "May it push there?": a push to a protected branch waits while the owner is asked, at the one gate, about exactly what it would
//! change.

use crate::{approvals::internal, clock, gateway::App, sessions::Scene};
use domain::{
    Code, Problem, SessionId, Timestamp,
    approval::{Decision, PushedRef, Subject},
};
use egress::{PushAsk, RefUpdate};
use std::time::Duration;
use store::{Tx, approvals, tasks};

/// How long an answer holds for the same change: a client that gave up waiting tries again.
const A_WHILE: Duration = Duration::from_secs(15 * 60);

/// Pushes of one session that may be asked about at once: a program inside can make up any number of commits.
const MOST_OPEN: usize = 3;

/// Lets a push through that changes no protected branch, and of a task's nothing but its own branch, or that the owner allows within
/// `patience`; none: nobody is asked.
///
/// # Errors
/// `PUSH_BLOCKED`.
pub async fn admit(app: &App, ask: PushAsk, protected: &[String], patience: Option<Duration>) -> Result<(), Problem> {
    let own = own_branch(app, ask.payer.session).await.map_err(internal)?;
    if !ask.updates.iter().any(|update| is_asked_for(update, own.as_deref(), protected)) {
        return Ok(());
    }
    let (Some(session), Some(patience)) = (ask.payer.session, patience) else {
        return Err(Problem::with_detail(Code::PushBlocked, "Nobody is asked about it."));
    };
    let pushed = |update: RefUpdate| PushedRef { name: update.name, old: update.old, new: update.new };
    let refs = ask.updates.into_iter().map(pushed).collect();
    let subject = Subject::Push { host: ask.host, repository: ask.repository, refs };
    let waited = tokio::time::timeout(patience, answered(app, session, ask.payer.turn, subject)).await;
    waited.unwrap_or_else(|_| {
        Err(Problem::with_detail(Code::PushBlocked, "It waits for the owner's word.")
            .suggest("Push again later: the owner can still allow it."))
    })
}

async fn answered(
    app: &App,
    session: SessionId,
    turn: Option<domain::TurnId>,
    subject: Subject,
) -> Result<(), Problem> {
    let mut events = app.store.bells().events.subscribe();
    loop {
        events.mark_unchanged();
        match ask(app, session, turn, subject.clone()).await.map_err(internal)? {
            Some(decision) if decision.grants() => return Ok(()),
            Some(_) => return Err(Code::PushBlocked.into()),
            None if events.changed().await.is_err() => return Err(Code::PushBlocked.into()),
            None => {}
        }
    }
}

/// What the owner said of it; asks where it was not asked yet. Of one too many the answer is no.
async fn ask(
    app: &App,
    session: SessionId,
    turn: Option<domain::TurnId>,
    subject: Subject,
) -> store::Result<Option<Decision>> {
    let (scene, now, hash) = (Scene::of(app, session), clock::now(), subject.hash());
    let asking = move |tx: &Tx<'_>| {
        let since = Timestamp(now.0 - A_WHILE.as_millis() as i64);
        if let Some(asked) = approvals::of_hash(tx, session, &hash, since)? {
            return Ok(asked.decision);
        }
        let open = approvals::all_open(tx)?.into_iter().filter(|a| a.session == session);
        if open.filter(|a| matches!(a.subject, Subject::Push { .. })).count() >= MOST_OPEN {
            return Ok(Some(Decision::Denied { message: None }));
        }
        scene.ask(tx, None, subject, turn, now).map(|()| None)
    };
    app.store.write(asking).await
}

/// The branch of the task whose session it is.
async fn own_branch(app: &App, session: Option<SessionId>) -> store::Result<Option<String>> {
    let Some(session) = session else { return Ok(None) };
    let task = app.store.read(move |r| tasks::of_session(r, session)).await?;
    Ok(task.map(|task| task.branch))
}

fn is_asked_for(update: &RefUpdate, own: Option<&str>, protected: &[String]) -> bool {
    let branch = update.branch();
    branch.is_some_and(|branch| is_protected(branch, protected)) || own.is_some_and(|own| branch != Some(own))
}

/// `main`, or `release/*` for all that begin so.
fn is_protected(branch: &str, protected: &[String]) -> bool {
    protected.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => branch.starts_with(start),
        None => branch == pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_changes_its_own_branch_unasked_and_nothing_else() {
        let update = |name: &str| RefUpdate { name: name.into(), old: "0".repeat(40), new: "1".repeat(40) };
        let protected = ["main".to_owned()];
        let own = Some("lanyard/1-x");
        for (name, of_a_task, of_another) in [
            ("refs/heads/lanyard/1-x", false, false),
            ("refs/heads/feature", true, false),
            ("refs/tags/v1", true, false),
            ("refs/heads/main", true, true),
        ] {
            assert_eq!(is_asked_for(&update(name), own, &protected), of_a_task, "{name}");
            assert_eq!(is_asked_for(&update(name), None, &protected), of_another, "{name}");
        }
        assert!(is_asked_for(&update("refs/heads/main"), Some("main"), &protected));
    }

    #[test]
    fn a_branch_is_protected_by_its_name_or_its_beginning() {
        let protected = ["main".to_owned(), "release/*".to_owned()];
        for (branch, is) in [("main", true), ("maintenance", false), ("release/1", true), ("releases", false)] {
            assert_eq!(is_protected(branch, &protected), is, "{branch}");
        }
        assert!(is_protected("anything", &["*".to_owned()]));
    }
}
