//! What no phone has shown in time is told by text, once: the text and the note that it was queued are one transaction. Where
//! agents have caused as many texts within the hour as they may, it waits until one more may go.

use crate::{clock, gateway::App, sessions::Scene, sms::letters::To};
use domain::{SessionId, Timestamp};
use std::time::Duration;
use store::{
    Tx, approvals,
    push_letters::{self, About},
};

/// Until the next look where a text may not go yet.
pub const HELD_BACK: Duration = Duration::from_secs(60);

/// Whom such a text goes to: the first number in `twilio.allow`.
pub fn receiver(app: &App) -> Option<String> {
    let texting = app.texting.as_ref()?;
    texting.settings.allow.first().map(ToString::to_string)
}

/// Everything that is due for a text.
pub async fn round(app: &App) -> store::Result<()> {
    let now = clock::now();
    for (about, session) in app.store.read(move |r| push_letters::to_text(r, now)).await? {
        let (scene, to) = (Scene::of(app, session), receiver(app));
        // Who looks at a page now sees there what it tells.
        let to = to.filter(|_| !app.callers.anyone_looks());
        app.store.write(move |tx| tell(tx, &scene, about, session, to, now)).await?;
        crate::may_die!("push-after-text");
    }
    Ok(())
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
    let to = |turn| To { address, session: Some(session), turn };
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
    };
    match told {
        true => push_letters::texted(tx, about),
        false => push_letters::text_later(tx, about, now + HELD_BACK),
    }
}
