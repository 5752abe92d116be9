//! What no phone has shown in time is told by text, once: the text and the note that it was queued are one transaction. Where
//! agents have caused as many texts within the hour as they may, it waits until one more may go.

use super::{
    looked_at::{self, Now},
    send::put_aside,
};
use crate::{clock, gateway::App, sessions::Scene, sms::letters::To};
use domain::{SessionId, Timestamp};
use std::time::Duration;
use store::{
    Tx, approvals,
    push_letters::{self, About, ToText},
    tasks,
};

/// Until the next look where a text may not go yet.
pub const HELD_BACK: Duration = Duration::from_secs(60);
/// Why a text waits, for those who ask.
const TOO_MANY: &str = "its text waits: too many within the hour";
const LOOKED_AT: &str = "its text waits: a page is looked at";

/// Whom such a text goes to: the first number in `twilio.allow`.
pub fn receiver(app: &App) -> Option<String> {
    let texting = app.texting.now()?;
    texting.settings.allow.first().map(ToString::to_string)
}

/// Everything that is due for a text.
pub async fn round(app: &App) -> store::Result<()> {
    let now = clock::now();
    let (due, unreadable) = app.store.read(move |r| push_letters::to_text(r, now)).await?;
    put_aside(app, unreadable).await?;
    for text in due {
        let about = text.about;
        match one(app, text, now).await {
            Err(e) if !e.retryable() => {
                tracing::error!(push.about = %about, error = ?e, "a text could not be made");
                app.store.write(move |tx| push_letters::take_text(tx, about)).await?;
            }
            told => told?,
        }
        crate::may_die!("push-after-text");
    }
    Ok(())
}

async fn one(app: &App, text: ToText, now: Timestamp) -> store::Result<()> {
    let ToText { about, session, created_at } = text;
    let (scene, to, later) = (Scene::of(app, session), receiver(app), now + app.config.push.text_after);
    let tell = move |tx: &Tx<'_>| tell(tx, &scene, about, session, to, now);
    match looked_at::now(app, about, created_at) {
        Now::Send => app.store.write(tell).await,
        Now::Wait => app.store.write(move |tx| push_letters::text_later(tx, about, later, LOOKED_AT)).await,
        Now::Seen => app.store.write(move |tx| push_letters::seen(tx, about)).await,
    }
}

fn tell(
    tx: &Tx<'_>,
    scene: &Scene,
    about: About,
    session: SessionId,
    to: Option<String>,
    now: Timestamp,
) -> store::Result<()> {
    let (true, Some(address)) = (push_letters::take_text(tx, about)?, to) else { return Ok(()) };
    let event = push_letters::event_of(tx, about)?;
    let to = |turn| To { address, session: Some(session), turn, event };
    let told = match about {
        About::Approval(id) => {
            let approval = approvals::expect(tx, id)?;
            if approval.decision.is_some() {
                return Ok(());
            }
            scene.ask_by_text(tx, &to(approval.turn), &approval, true, now)?
        }
        // Says nothing new: it is never given a time for a text.
        About::Closed(_) => return Ok(()),
        About::Turn(turn) => scene.ended_by_text(tx, &to(Some(turn)), turn, now)?,
        About::Task(id) => {
            let task = tasks::get(tx, id)?.ok_or(store::Error::Missing)?;
            match crate::tasks::end_in_words(tx, &task)? {
                Some(words) => scene.say_to(tx, &to(None), &words, now)?,
                // It runs again.
                None => return Ok(()),
            }
        }
    };
    match told {
        true => push_letters::texted(tx, about),
        false => push_letters::text_later(tx, about, now + HELD_BACK, TOO_MANY),
    }
}
