//! Sends what is queued, tried again on a schedule. An attempt whose end is not known is not repeated before a text had its
//! chance: told by text it is not pushed again, and where nothing is texted the phone shows the second in place of the first.

use super::{
    looked_at::{self, Now},
    notice::notice,
    seal::seal,
    text,
};
use crate::{clock, gateway::App};
use accounts::push::{Push, PushError, Pusher};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use sha2::{Digest, Sha256};
use std::time::Duration;
use store::{
    push_letters::{self, About, Due},
    push_subscriptions::{self, Subscription},
};
use url::Url;

/// Pauses between tries, in seconds; after the last a push has failed. About three hours: later a phone has looked by itself.
const SCHEDULE: &[u64] = &[2, 5, 15, 60, 300, 900, 1800, 3600, 3600];
/// How long a push service keeps a turn's end for a phone that is off; a question it keeps until it has run out.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// When the store fails (a full disk): how long until the next look.
const TROUBLED: Duration = Duration::from_secs(5);
/// With nothing due, how long until the table is looked at without a bell.
const LOOK: Duration = Duration::from_secs(300);
/// While what is due waits because a page is looked at: until it is looked whether the page showed it.
const LOOKED_AT: Duration = Duration::from_secs(5);

/// Sends until Lanyard stops.
pub async fn run(app: App) {
    let pusher = match Pusher::new() {
        Ok(pusher) => pusher,
        Err(e) => return tracing::error!(error = ?e, "pushes are off"),
    };
    let mut bell = app.store.bells().outbox.subscribe();
    let mut eyes = app.callers.looked_at();
    loop {
        bell.mark_unchanged();
        eyes.mark_unchanged();
        let wait = round(&app, &pusher).await.unwrap_or_else(|e| {
            tracing::error!(error = ?e, "pushes could not be looked at");
            TROUBLED
        });
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = bell.changed() => {}
            _ = eyes.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// First the texts that are due, then the pushes; gives how long until the next is.
async fn round(app: &App, pusher: &Pusher) -> store::Result<Duration> {
    text::round(app).await?;
    let now = clock::now();
    let (due, unreadable) = app.store.read(move |r| push_letters::due(r, now)).await?;
    put_aside(app, unreadable).await?;
    let ends = futures::future::join_all(due.into_iter().map(|letter| one(app, pusher, letter))).await;
    ends.into_iter().collect::<store::Result<()>>()?;
    let next = app.store.read(|r| push_letters::next_due(r)).await?;
    let least = if app.callers.anyone_looks() { LOOKED_AT } else { Duration::from_millis(200) };
    Ok(next.map_or(LOOK, |at| at.since(clock::now()).max(least)))
}

/// Rows that cannot be read, now or later, keep nobody else's back.
pub(super) async fn put_aside(app: &App, unreadable: Vec<i64>) -> store::Result<()> {
    for id in unreadable {
        tracing::error!(push.id = id, "a push cannot be read");
        app.store.write(move |tx| push_letters::put_aside(tx, id)).await?;
    }
    Ok(())
}

/// # Errors
/// What may pass (a full disk). A letter that can never be sent is at an end.
async fn one(app: &App, pusher: &Pusher, letter: Due) -> store::Result<()> {
    let id = letter.id;
    let ended = match looked_at::now(app, letter.about, letter.created_at) {
        Now::Send => attempt(app, pusher, letter).await,
        Now::Wait => Ok(()),
        Now::Seen => app.store.write(move |tx| push_letters::seen(tx, letter.about)).await,
    };
    match ended {
        Err(e) if !e.retryable() => {
            tracing::error!(push.id = id, error = ?e, "a push could not be made, or what became of it not be written down");
            app.store.write(move |tx| push_letters::failed(tx, id, "it could not be made")).await
        }
        ended => ended,
    }
}

async fn attempt(app: &App, pusher: &Pusher, letter: Due) -> store::Result<()> {
    let (id, now, grants) = (letter.id, clock::now(), app.settings.rules().grants);
    let (looked, again) = (letter.clone(), now + app.config.push.text_after + TROUBLED);
    // In one transaction: what is answered before it is not sent, what is answered after it is taken back.
    let begin = move |tx: &store::Tx<'_>| {
        let Some(to) = push_subscriptions::get(tx, looked.subscription)? else { return Ok(Err("the phone is gone")) };
        let Some(words) = notice(tx, &looked, &to, grants, now)? else { return Ok(Err("it was answered before")) };
        push_letters::begin_attempt(tx, id, again, now)?;
        Ok(Ok((to, words)))
    };
    let found = app.store.write(begin).await?;
    let (to, words) = match found {
        Ok(found) => found,
        Err(why) => return app.store.write(move |tx| push_letters::failed(tx, id, why)).await,
    };
    let words = serde_json::to_vec(&words)?;
    let push = match push(app, &letter, &to, &words, now).await {
        Ok(push) => push,
        Err(why) => return app.store.write(move |tx| push_letters::failed(tx, id, why)).await,
    };
    crate::may_die!("push-before-send");
    let sent = pusher.send(push).await;
    crate::may_die!("push-after-send");
    match sent {
        Ok(()) => app.store.write(move |tx| push_letters::sent(tx, id, clock::now())).await,
        Err(e) => not_sent(app, &letter, to.endpoint, e).await,
    }
}

/// The push as it leaves; or why it never can.
async fn push(app: &App, letter: &Due, to: &Subscription, words: &[u8], now: Timestamp) -> Result<Push, &'static str> {
    let key = app.vapid_key().await.map_err(|_| "the push key cannot be read")?;
    let endpoint = Url::parse(&to.endpoint).map_err(|_| "its address cannot be read")?;
    let body = seal(words, &to.p256dh, &to.auth).map_err(|_| "its keys cannot be used")?;
    let urgent = matches!(letter.about, About::Approval(_));
    let life = if urgent { app.config.expiry.min(LIFE) } else { LIFE };
    let topic = URL_SAFE_NO_PAD.encode(&Sha256::digest(letter.about.place())[..16]);
    let contact = app.config.push.contact.as_deref();
    Ok(Push { authorization: key.authorization(&endpoint, contact, now), endpoint, life, urgent, topic, body })
}

async fn not_sent(app: &App, letter: &Due, endpoint: String, e: PushError) -> store::Result<()> {
    let (id, why) = (letter.id, e.to_string());
    tracing::warn!(push.id = id, attempts = letter.attempts + 1, error = ?e, "a push was not sent");
    let asked = match e {
        PushError::Gone => {
            let gone = move |tx: &store::Tx<'_>| {
                push_subscriptions::remove(tx, &endpoint)?;
                push_letters::failed(tx, id, &why)
            };
            return app.store.write(gone).await;
        }
        PushError::Refused(_) => return app.store.write(move |tx| push_letters::failed(tx, id, &why)).await,
        // It may have left: it stays as it is until it is due again.
        PushError::NoAnswer(_) if letter.attempts as usize + 1 < SCHEDULE.len() => return Ok(()),
        PushError::NoAnswer(_) | PushError::Unreachable(_) => None,
        PushError::Busy { retry_after, .. } => retry_after,
    };
    let Some(pause) = SCHEDULE.get(letter.attempts as usize) else {
        return app.store.write(move |tx| push_letters::failed(tx, id, &why)).await;
    };
    let due = clock::now() + asked.unwrap_or(Duration::from_secs(*pause));
    app.store.write(move |tx| push_letters::again(tx, id, due, &why)).await
}
