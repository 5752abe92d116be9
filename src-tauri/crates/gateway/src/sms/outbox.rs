//! Sends what is in the outbox: in order for each address, tried again on a schedule, and after an attempt whose end is not
//! known the list at Twilio is asked before anything is sent again.

use super::texting::Texting;
use crate::{
    clock,
    gateway::App,
    links::{self, Target},
};
use accounts::twilio::{Outgoing as Wire, SendError, Sent};
use domain::{Address, Timestamp};
use std::time::Duration;
use store::{
    numbers,
    outbox::{self, Outgoing},
};
use url::Url;

/// Pauses between tries; after the last a letter has failed. About a day in all, so that a night without network passes.
const SCHEDULE: &[u64] = &[2, 5, 15, 60, 300, 900, 1800, 3600, 3600, 7200, 14400, 14400, 28800];
/// How long after a vain look Twilio's list is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(8);
/// Letters this much older than an attempt are not taken for it.
const KNOWN_SINCE: Duration = Duration::from_secs(48 * 3600);
/// When the store fails (a full disk): how long until the next look.
const TROUBLED: Duration = Duration::from_secs(5);
/// With nothing due, how long until the outbox is looked at without a bell.
const LOOK: Duration = Duration::from_secs(300);

/// Sends until Lanyard stops.
pub async fn run(app: App) {
    let (mut bell, mut texting) = (app.store.bells().outbox.subscribe(), app.texting.changes());
    loop {
        bell.mark_unchanged();
        let open = texting.borrow_and_update().open();
        let wait = match open {
            Some(texting) => round(&app, &texting).await,
            None => LOOK,
        };
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = bell.changed() => {}
            _ = texting.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// One look at everything due; gives how long until the next is.
async fn round(app: &App, texting: &Texting) -> Duration {
    let now = clock::now();
    let due = app.store.read(move |r| outbox::due(r, now)).await;
    match due {
        Ok(due) => {
            let sending = due.into_iter().map(|letter| one(app, texting, letter));
            futures::future::join_all(sending).await;
        }
        Err(e) => {
            tracing::error!(error = ?e, "the outbox could not be read");
            return TROUBLED;
        }
    }
    match app.store.read(|r| outbox::next_due(r)).await {
        Ok(Some(at)) => at.since(clock::now()).max(Duration::from_millis(200)),
        Ok(None) => LOOK,
        Err(_) => Duration::from_secs(5),
    }
}

async fn one(app: &App, texting: &Texting, letter: Outgoing) {
    let id = letter.id;
    let written = match go(app, texting, &letter).await {
        Ok(Went::Sent(sent)) => {
            crate::may_die!("outbox-after-send");
            app.store
                .write(move |tx| {
                    outbox::sent(tx, id, &sent.sid, sent.status.as_str(), sent.status.rank(), clock::now())
                })
                .await
        }
        Ok(Went::NotListedYet) => {
            let due = clock::now() + LOOK_AGAIN;
            app.store.write(move |tx| outbox::looked(tx, id, due)).await
        }
        Ok(Went::Already) => Ok(()),
        Err(Trouble::Twilio(e)) => give_up_or_wait(app, &letter, e).await,
        Err(Trouble::Unsendable(why)) => {
            app.store.write(move |tx| outbox::failed(tx, id, None, &why, clock::now())).await
        }
        Err(Trouble::Store(e)) => Err(e),
    };
    if let Err(e) = written {
        tracing::error!(outbox.id = id, error = ?e, "what became of a letter was not written down");
    }
}

enum Went {
    Sent(Sent),
    /// An earlier attempt may have left; Twilio may list it only seconds later, so its list is asked once more.
    NotListedYet,
    /// A receipt came for an earlier attempt meanwhile.
    Already,
}

enum Trouble {
    Twilio(SendError),
    Store(store::Error),
    /// The letter itself can never go.
    Unsendable(String),
}

impl From<store::Error> for Trouble {
    fn from(e: store::Error) -> Self {
        Self::Store(e)
    }
}

/// First what Twilio's list says, for a letter whose last attempt may have left; then the attempt.
async fn go(app: &App, texting: &Texting, letter: &Outgoing) -> Result<Went, Trouble> {
    let wire = wire(app, texting, letter).await?;
    if let Some(began) = letter.began_at {
        let address = letter.address.clone();
        let known = app.store.read(move |r| outbox::sids_to(r, &address, began - KNOWN_SINCE)).await?;
        let found = texting.twilio.find_sent(&wire, began, &known).await.map_err(|e| Trouble::Twilio(e.into()))?;
        match found {
            Some(sent) => {
                tracing::info!(outbox.id = letter.id, "a letter had left after all");
                return Ok(Went::Sent(sent));
            }
            None if letter.looks == 0 => return Ok(Went::NotListedYet),
            None => {}
        }
    }
    let (id, now) = (letter.id, clock::now());
    if !app.store.write(move |tx| outbox::begin_attempt(tx, id, now)).await? {
        return Ok(Went::Already);
    }
    crate::may_die!("outbox-before-send");
    texting.twilio.send(&wire).await.map(Went::Sent).map_err(Trouble::Twilio)
}

/// The letter as it leaves: only here its link gets its proof. The same at every attempt, so that Twilio's list can tell.
async fn wire(app: &App, texting: &Texting, letter: &Outgoing) -> Result<Wire, Trouble> {
    let unsendable = |e: &dyn std::fmt::Display| Trouble::Unsendable(e.to_string());
    let to: Address = letter.address.parse().map_err(|e| unsendable(&e))?;
    let body = match letter.link {
        Some(id) => {
            let link = app.store.read(move |r| store::links::get(r, id)).await?;
            let link = link.ok_or_else(|| unsendable(&"its link is gone"))?;
            app.link_key().await.fill(&letter.body, &link)
        }
        None => letter.body.clone(),
    };
    let public_url = app.address.url();
    let media_urls = match (letter.media, &public_url) {
        (Some(artifact), Some(public)) => {
            let (life, now) = (app.config.sms.picture_life, clock::now());
            let link = app.store.write(move |tx| links::make(tx, Target::Media(artifact), life, now)).await?;
            let path = app.link_key().await.path(&link).map_err(|e| unsendable(&e))?;
            vec![format!("{public}{path}").parse().map_err(|e| unsendable(&e))?]
        }
        _ => Vec::new(),
    };
    let status_callback = public_url.and_then(|url| Url::parse(&format!("{url}/sms/status?letter={}", letter.id)).ok());
    Ok(Wire { from: texting.sender_for(&to), to, body, media_urls, status_callback })
}

async fn give_up_or_wait(app: &App, letter: &Outgoing, e: SendError) -> store::Result<()> {
    let (id, now, why) = (letter.id, clock::now(), e.problem().message);
    tracing::warn!(outbox.id = id, attempts = letter.attempts + 1, error = ?e, "a letter was not sent");
    match SCHEDULE.get(letter.attempts as usize).filter(|_| e.retryable()) {
        Some(seconds) => {
            let asked = if let SendError::RateLimited { retry_after } = &e { *retry_after } else { None };
            let due = now + asked.unwrap_or(Duration::from_secs(*seconds));
            let left = matches!(e, SendError::Ambiguous(_)) || letter.began_at.is_some();
            app.store.write(move |tx| outbox::again(tx, id, due, left, &why)).await
        }
        None => failed(app, letter, &e, why, now).await,
    }
}

async fn failed(app: &App, letter: &Outgoing, e: &SendError, why: String, now: Timestamp) -> store::Result<()> {
    let (id, address, out) = (letter.id, letter.address.clone(), matches!(e, SendError::OptedOut));
    let code = match e {
        SendError::Refused(refusal) => refusal.code.map(i64::from),
        SendError::OptedOut => Some(21610),
        SendError::RateLimited { .. } | SendError::Unreachable(_) | SendError::Ambiguous(_) => None,
    };
    app.store
        .write(move |tx| {
            outbox::failed(tx, id, code, &why, now)?;
            if out && numbers::opted_out(tx, &address)?.is_none() {
                numbers::set_opted_out(tx, &address, Some(now))?;
            }
            Ok(())
        })
        .await
}
