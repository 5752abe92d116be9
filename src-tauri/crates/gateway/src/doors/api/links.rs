//! What the holder of a link may: see the one thing it shows, and refuse an approval.

use super::no::{No, Of, Refusals};
use crate::{
    approvals::{self, Answer},
    clock,
    gateway::App,
    links::{self, Found, Target},
    wire::{LinkAnswer, LinkApproval, LinkArtifact, LinkSession, LinkShown},
};
use axum::{Json, extract::State};
use domain::{
    Code, TurnId,
    approval::Decision,
    event::{Channel, Event},
};

/// What a link of a text shows. The link is the proof; no token is needed.
#[utoipa::path(get, path = "/api/link/{name}", tag = "links", security(()),
    params(("name" = String, Path, description = "The last part of the link's path.")),
    responses((status = 200, body = LinkShown), (status = 410, description = "The link has run out.", body = crate::wire::ErrorBody), Refusals))]
pub async fn link(State(app): State<App>, Of(name): Of<String>) -> Result<Json<LinkShown>, No> {
    match find(&app, name).await? {
        Target::Answer(turn) => Ok(Json(LinkShown::Answer(whole_answer(&app, turn).await?))),
        Target::Approval(id) => {
            let approval = app.store.read(move |r| store::approvals::expect(r, id)).await?;
            Ok(Json(LinkShown::Approval(Box::new(LinkApproval::of(&approval, clock::now().0)))))
        }
        Target::Media(_) => Err(Code::NotFound.into()),
    }
}

/// Refuses the approval that a link shows; granting needs more than a link.
#[utoipa::path(post, path = "/api/link/{name}/deny", tag = "links", security(()),
    params(("name" = String, Path, description = "The last part of the link's path.")),
    responses((status = 200, body = LinkShown), (status = 410, description = "The link has run out.", body = crate::wire::ErrorBody), Refusals))]
pub async fn deny(State(app): State<App>, Of(name): Of<String>) -> Result<Json<LinkShown>, No> {
    let Target::Approval(id) = find(&app, name).await? else { return Err(Code::NotFound.into()) };
    let approval = app.store.read(move |r| store::approvals::expect(r, id)).await?;
    let refused = Decision::Denied { message: None };
    let answer = Answer { by: Some("link".into()), ..Answer::to(&approval, refused, Channel::Phone) };
    let denied = approvals::answer(&app, answer).await?;
    Ok(Json(LinkShown::Approval(Box::new(LinkApproval::of(&denied, clock::now().0)))))
}

/// What a link's name proves the way to.
///
/// # Errors
/// `NOT_FOUND`, `LINK_EXPIRED`.
pub async fn find(app: &App, name: String) -> Result<Target, No> {
    let (now, key) = (clock::now(), app.link_key().await.clone());
    match app.store.read(move |r| key.find(r, &name, now)).await? {
        Found::Shows(target) => Ok(target),
        Found::RanOut => Err(Code::LinkExpired.into()),
        Found::Nothing => Err(Code::NotFound.into()),
    }
}

/// The agent's words of a turn, whole, with what it made.
async fn whole_answer(app: &App, turn: TurnId) -> Result<LinkAnswer, No> {
    let (key, life, now) = (app.link_key().await.clone(), app.config.sms.picture_life, clock::now());
    let shown = app.store.write(move |tx| {
        let events = store::events::of_turn(tx, turn)?;
        let session = events.first().map(|e| e.session).ok_or(store::Error::Missing)?;
        let title = store::sessions::get(tx, session)?.map(|s| s.title).unwrap_or_default();
        let at = events.last().map(|e| e.at.0);
        let words: Vec<String> = events.into_iter().filter_map(|e| words(e.event)).collect();
        let mut artifacts = Vec::new();
        for (id, media_type, caption) in store::artifacts::of_turn(tx, turn)? {
            let link = links::make(tx, Target::Media(id), life, now)?;
            artifacts.push(LinkArtifact { url: key.path(&link).unwrap_or_default(), media_type, caption });
        }
        Ok(LinkAnswer { session: LinkSession { title }, at, markdown: words.join("\n\n"), artifacts })
    });
    Ok(shown.await?)
}

fn words(event: Event) -> Option<String> {
    match event {
        Event::Answered { text, .. } => Some(text),
        _ => None,
    }
}
