//! A lost phone: everything that let somebody in or waits for an answer is shut, at once and in this order. What could not
//! be done is said, and the rest is done all the same.

mod state;

pub use state::Lock;

use crate::{
    approvals::{self, Answer, internal},
    audit,
    gateway::App,
    pairing,
    sessions::Workshop,
    wire::desk::LockShown,
};
use domain::{Code, PhoneId, Problem, approval::Decision, event::Channel, session::Input};
use serde_json::json;
use store::{audit::Kind, inbox};

/// Who wishes it.
#[derive(Clone, Debug)]
pub enum Wish {
    /// The owner at the desk.
    Desk,
    /// A text, of this number.
    Text(String),
    /// A paired phone, by its name.
    Phone(String),
}

impl Wish {
    fn channel(&self) -> Channel {
        match self {
            Wish::Desk => Channel::Desktop,
            Wish::Text(_) => Channel::Sms,
            Wish::Phone(_) => Channel::Phone,
        }
    }

    fn by(&self) -> Option<String> {
        match self {
            Wish::Desk => None,
            Wish::Text(by) | Wish::Phone(by) => Some(by.clone()),
        }
    }
}

/// Shuts everything until [`open`]: the public door answers nobody but Twilio, by whose texts the owner learns how to go on.
pub async fn shut(app: &App, wish: &Wish) -> LockShown {
    tracing::warn!(channel = wish.channel().as_str(), "everything is being locked");
    let mut shown = LockShown::default();
    app.lock.shut();
    audit::note(app, Kind::Locked, json!({ "channel": wish.channel().as_str(), "by": wish.by() })).await;
    note(&mut shown, app.lock.keep_shut(&app.store).await.map_err(internal), |_, ()| {
        "The public address answers only Twilio.".to_owned()
    });
    note(&mut shown, phones(app).await, |shown, n| {
        shown.revoked = n;
        says(n, "phone or token may not come in any more", "phones and tokens may not come in any more")
    });
    note(&mut shown, deny(app, wish).await, |shown, n| {
        shown.denied = n;
        says(n, "open question was refused", "open questions were refused")
    });
    // An engine that hangs holds up nothing else.
    note(&mut shown, pause_all(app).await, |shown, ()| {
        shown.sandbox_paused = true;
        "The sandbox is paused.".to_owned()
    });
    app.stream.ring();
    shown
}

/// The owner is at the desk and has all in hand: texts and agents go on, phones are to be paired again.
///
/// # Errors
/// As the store's: it stays shut. The sandbox that cannot go on is told by Home like any other time.
pub async fn open(app: &App) -> Result<(), Problem> {
    app.lock.reopen(&app.store).await.map_err(internal)?;
    tracing::warn!("everything is unlocked");
    audit::note(app, Kind::Unlocked, json!({})).await;
    if let Err(problem) = resume_all(app).await {
        tracing::warn!(%problem, "the sandbox does not go on by itself");
    }
    let waiting = app.store.read(|r| inbox::sessions_waiting(r)).await.map_err(internal)?;
    for session in waiting {
        app.registry.ring(app, session, Input::GoOn).await;
    }
    app.stream.ring();
    Ok(())
}

/// Every sandbox, also where one of them cannot be.
///
/// # Errors
/// The first one's.
pub async fn pause_all(app: &App) -> Result<(), Problem> {
    let all = every(app);
    let paused = futures::future::join_all(all.iter().map(Workshop::pause)).await;
    paused.into_iter().collect()
}

/// # Errors
/// `LOCKED`; the first one's that cannot go on.
pub async fn resume_all(app: &App) -> Result<(), Problem> {
    let all = every(app);
    let resumed = futures::future::join_all(all.iter().map(Workshop::resume)).await;
    resumed.into_iter().collect()
}

fn every(app: &App) -> Vec<Workshop> {
    [app.workshop.clone()].into_iter().chain(app.apart.all()).collect()
}

fn note<T>(shown: &mut LockShown, done: Result<T, Problem>, take: impl FnOnce(&mut LockShown, T) -> String) {
    match done {
        Ok(done) => {
            let said = take(shown, done);
            shown.says.push(said);
        }
        Err(problem) => shown.failed.push(problem.into()),
    }
}

fn says(n: usize, one: &str, more: &str) -> String {
    match n {
        0 => format!("No {one}."),
        1 => format!("1 {one}."),
        n => format!("{n} {more}."),
    }
}

/// Every phone and every token, and the code that is shown now.
async fn phones(app: &App) -> Result<usize, Problem> {
    pairing::offer(app, true);
    let mut revoked = 0;
    for phone in pairing::phones_shown(app).await?.phones.into_iter().filter(|p| p.revoked_at.is_none()) {
        pairing::revoke(app, PhoneId(phone.id)).await?;
        revoked += 1;
    }
    for token in pairing::tokens_shown(app).await?.tokens.into_iter().filter(|t| t.revoked_at.is_none()) {
        pairing::revoke_token(app, domain::ApiTokenId(token.id)).await?;
        revoked += 1;
    }
    Ok(revoked)
}

/// Through the gate of every answer. One that somebody else closes meanwhile is closed.
async fn deny(app: &App, wish: &Wish) -> Result<usize, Problem> {
    let open = app.store.read(|r| store::approvals::all_open(r)).await.map_err(internal)?;
    let mut denied = 0;
    for approval in open {
        let refused = Decision::Denied { message: Some("The owner has locked Lanyard.".into()) };
        let answer = Answer { by: wish.by(), ..Answer::to(&approval, refused, wish.channel()) };
        match approvals::answer(app, answer).await {
            Ok(_) => denied += 1,
            Err(problem) if matches!(problem.code, Code::ApprovalGone | Code::UnknownApproval) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(denied)
}
