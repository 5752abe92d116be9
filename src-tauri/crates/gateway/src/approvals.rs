//! The one gate. Every channel answers an approval here, and nowhere else.

pub mod behind;

use crate::{
    clock,
    gateway::App,
    house::ceilings,
    sessions::{AnsweredBy, Scene},
};
use domain::{
    ApprovalId, Code, Problem, Timestamp,
    agent::Rule,
    approval::{Approval, Decision, Subject, check_answer, check_lock_screen, check_pin},
    event::Channel,
    session::Input,
};
use std::time::Duration;
use store::{approvals, inbox, rules};

/// An answer as it came in.
#[derive(Clone, Debug)]
pub struct Answer {
    pub approval: ApprovalId,
    /// The hash of what the person was shown; it must be the hash of what is asked.
    pub hash: String,
    pub decision: Decision,
    pub channel: Channel,
    /// Who: a number, a phone's name. For the record.
    pub by: Option<String>,
    /// The push on whose notice it was given, which may grant less.
    pub letter: Option<i64>,
    /// The owner's PIN came with it and was right.
    pub proven: bool,
    /// The message of the inbox that said so: done with in the same transaction, so that it never answers again.
    pub message: Option<i64>,
}

impl Answer {
    /// What somebody says to exactly what `approval` asks; of nobody named, by no notice, no text and no PIN.
    pub fn to(approval: &Approval, decision: Decision, channel: Channel) -> Self {
        let (approval, hash) = (approval.id, approval.hash.clone());
        Self { approval, hash, decision, channel, by: None, letter: None, proven: false, message: None }
    }
}

/// Closes an approval. On success the record says so on disk and the agent is being told.
///
/// # Errors
/// `UNKNOWN_APPROVAL`, `APPROVAL_GONE`, `APPROVAL_CHANGED`, `GRANT_REFUSED`, `PIN_NEEDED`, `BAD_REQUEST`: nothing changed.
pub async fn answer(app: &App, answer: Answer) -> Result<Approval, Problem> {
    let rules = app.settings.rules();
    let grants = match (&answer.by, answer.channel) {
        (Some(address), Channel::Sms) => rules.grants_to(address),
        _ => rules.grants,
    };
    let id = answer.approval;
    let known = app.store.read(move |r| approvals::get(r, id)).await.map_err(internal)?;
    let session = known.ok_or(Code::UnknownApproval)?.session;
    let (scene, now, registry) = (Scene::of(app, session), clock::now(), app.registry.clone());
    let (closed, goes_on) = app
        .store
        .write(move |tx| {
            if let Some(message) = answer.message {
                inbox::handled(tx, message)?;
            }
            let approval = approvals::expect(tx, id)?;
            let allowed = check_answer(&approval, &answer.hash, &answer.decision, answer.channel, grants, now)
                .and_then(|()| check_pin(&approval, &answer.decision, answer.channel, answer.proven, grants))
                .and_then(|()| match answer.letter {
                    Some(_) => check_lock_screen(&approval, &answer.decision, grants),
                    None => Ok(()),
                });
            if let Err(code) = allowed {
                return Ok(Err(code));
            }
            let from = Some(AnsweredBy { channel: answer.channel, by: answer.by.as_deref(), letter: answer.letter });
            if !scene.close_approval(tx, &approval, &answer.decision, from, now)? {
                return Ok(Err(Code::ApprovalGone));
            }
            if let Decision::AllowedAlways { rules } = &answer.decision {
                for rule in rules {
                    rules::add(tx, session, rule, now)?;
                }
            }
            if rerun(&approval, &answer.decision) {
                give_back(tx, &approval)?;
            }
            // Where no further session may work now the owner's next words go on with it.
            let place = ceilings::waits_for(&approval, &answer.decision).and_then(|id| registry.admit(id).ok());
            let goes_on = match &place {
                Some(place) => ceilings::go_on(tx, &approval, place, now)?,
                None => None,
            };
            let closed = Approval { decision: Some(answer.decision), ..approval };
            Ok(Ok((closed, goes_on.zip(place))))
        })
        .await
        .map_err(internal)??;
    crate::may_die!("approval-after-answer");
    tell_the_agent(app, &closed).await;
    if let Some((input, _place)) = goes_on {
        app.registry.ring(app, session, input).await;
    }
    Ok(closed)
}

/// What "always" would allow for this approval: what the agent suggests, as it was shown.
///
/// # Errors
/// `BAD_REQUEST` where nothing was suggested: a bare "all of this tool" is not what anybody was shown.
pub fn always_rules(approval: &Approval) -> Result<Vec<Rule>, Problem> {
    match (&approval.subject, approval.subject.always()) {
        // Its rule is what is asked.
        (Subject::Host { .. }, _) => Ok(Vec::new()),
        (_, rules) if !rules.is_empty() => Ok(rules.to_vec()),
        _ => Err(Problem::with_detail(Code::BadRequest, "The agent suggested nothing to allow always.")
            .suggest("Allow it once.")),
    }
}

fn rerun(approval: &Approval, decision: &Decision) -> bool {
    matches!(approval.subject, Subject::Rerun { .. }) && decision.grants()
}

fn give_back(tx: &store::Tx<'_>, approval: &Approval) -> store::Result<()> {
    if let Subject::Rerun { turn, .. } = approval.subject {
        for message in inbox::of_turn(tx, turn)? {
            inbox::give_back(tx, message.message)?;
        }
    }
    Ok(())
}

async fn tell_the_agent(app: &App, approval: &Approval) {
    let Some(decision) = approval.decision.clone() else { return };
    let input = match (&approval.subject, &approval.request) {
        (Subject::Rerun { turn, .. }, _) if decision.grants() => {
            let turn = *turn;
            match app.store.read(move |r| inbox::of_turn(r, turn)).await {
                Ok(messages) => Input::Again(messages.iter().map(inbox::Message::said).collect()),
                // They wait in the store; the session's next driver takes them up.
                Err(_) => Input::GoOn,
            }
        }
        (_, Some(request)) => Input::Decided { request: request.clone(), subject: approval.subject.clone(), decision },
        (_, None) => return,
    };
    app.registry.ring(app, approval.session, input).await;
}

/// What the store refused is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// Ends what was not answered in time, as no. Runs until Lanyard stops.
pub async fn expire(app: App) {
    let mut events = app.store.bells().events.subscribe();
    loop {
        events.mark_unchanged();
        let next = match app.store.read(|r| approvals::all_open(r)).await {
            Ok(open) => close_overdue(&app, open, clock::now()).await,
            Err(e) => {
                tracing::error!(error = ?e, "open approvals could not be read");
                Some(AGAIN)
            }
        };
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(next.unwrap_or(Duration::from_secs(3600))) => {}
            _ = events.changed() => {}
        }
    }
}

/// Gives how long until the next one is due.
async fn close_overdue(app: &App, open: Vec<Approval>, now: Timestamp) -> Option<Duration> {
    let (overdue, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|a| a.expires_at <= now);
    let mut failed = None;
    for approval in overdue {
        let scene = Scene::of(app, approval.session);
        let closing = approval.clone();
        let closed = app.store.write(move |tx| scene.close_approval(tx, &closing, &Decision::Expired, None, now)).await;
        match closed {
            Ok(true) => tell_the_agent(app, &Approval { decision: Some(Decision::Expired), ..approval }).await,
            Ok(false) => {}
            Err(e) => {
                tracing::error!(error = ?e, "an approval could not be closed");
                failed = Some(AGAIN);
            }
        }
    }
    rest.iter().map(|a| a.expires_at.since(now)).chain(failed).min()
}

/// Which open approval a text's `yes` or `no` means.
#[derive(Debug, PartialEq)]
pub enum Meant {
    This(Box<Approval>),
    /// Several are open and none was named: their numbers.
    Which(Vec<u32>),
    Nothing,
}

/// Picks by number, or the only one.
pub fn meant(open: Vec<Approval>, number: Option<u32>) -> Meant {
    match number {
        Some(n) => open.into_iter().find(|a| a.number == n).map_or(Meant::Nothing, |a| Meant::This(Box::new(a))),
        None if open.len() > 1 => Meant::Which(open.iter().map(|a| a.number).collect()),
        None => open.into_iter().next().map_or(Meant::Nothing, |a| Meant::This(Box::new(a))),
    }
}

/// A store's failure, as people are told of it.
pub(crate) fn internal(e: store::Error) -> Problem {
    if !matches!(e, store::Error::Refused(_)) {
        tracing::error!(error = ?e, "the store failed");
    }
    e.code().into()
}
