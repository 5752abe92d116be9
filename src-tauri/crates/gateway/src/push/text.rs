//! What no phone has shown in time is told by text, once: the text and the note that it was queued are one transaction.

use crate::{clock, gateway::App, sessions::Scene, sms::letters::To};
use domain::{SessionId, Timestamp};
use store::{
    Tx, approvals,
    push_letters::{self, About},
};

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
    match about {
        About::Approval(id) => {
            let approval = approvals::expect(tx, id)?;
            if approval.decision.is_some() {
                return Ok(());
            }
            scene.ask_by_text(tx, &to(approval.turn), &approval, true, now)?;
        }
        About::Turn(turn) => scene.ended_by_text(tx, &to(Some(turn)), turn, now)?,
    }
    push_letters::texted(tx, about)
}
