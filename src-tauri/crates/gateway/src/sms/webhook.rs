//! `POST /sms` and `POST /sms/status`, as Twilio sends them. There is no way to a form but through its signature:
//! [`TwilioSigned`] is the only thing that makes one.

use crate::{clock, doors::reply::Refusal, gateway::App};
use accounts::twilio::{
    Called, InboundText, Pairs, Proof, SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER, StatusReport, WebhookError,
    explain, parse_form,
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Query, Request, State},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use domain::{Code, event::Channel};
use serde::Deserialize;
use store::{
    inbox::{self, Arrival, Media},
    outbox,
};

/// Twilio's largest webhook is a few kB: 1600 characters and ten media addresses.
const LARGEST: usize = 64 * 1024;

/// The fields of a form that Twilio signed for this very address, in the order they came.
pub struct TwilioSigned(pub Vec<(String, String)>);

impl FromRequest<App> for TwilioSigned {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST).await.map_err(|_| Refusal::from(Code::TooLarge))?;
        let form = signed_form(app, &parts.uri, &parts.headers, &body);
        if matches!(form, Err(Code::BadSignature)) {
            let signature = parts.headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
            app.refusals.count(app, signature);
        }
        Ok(Self(form?))
    }
}

fn signed_form(app: &App, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Vec<(String, String)>, Code> {
    let texting = app.texting.now().ok_or(Code::TwilioMissing)?;
    let base = app.address.url().ok_or(Code::TwilioMissing)?;
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = word(SIGNATURE_HEADER).ok_or(Code::BadSignature)?;
    let is_form = word("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    let pairs = if is_form { parse_form(body).map_err(|e| e.code())? } else { return Err(Code::BadForm) };
    // The address as configured at Twilio: our public one, never the Host header.
    let called = Called { base: &base, path_and_query: uri.path_and_query().map_or("/", |p| p.as_str()) };
    let proof = Proof { signature, settings: word(SIGNATURE_SETTINGS_HEADER) };
    match texting.signer.verify_form(called, &pairs, proof) {
        true => Ok(pairs.into_iter().map(|(k, v)| (k.into_owned(), v.into_owned())).collect()),
        false => Err(Code::BadSignature),
    }
}

/// As the readers of accounts::twilio take them.
fn pairs(form: &[(String, String)]) -> Pairs<'_> {
    form.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into())).collect()
}

/// A text arrives: one durable write, then the empty answer at once. Everything else comes after.
pub async fn receive(State(app): State<App>, TwilioSigned(form): TwilioSigned) -> Result<Response, Refusal> {
    if let Some(arrival) = arrival(&app, &pairs(&form))? {
        let now = clock::now();
        let received = app.store.write(move |tx| inbox::receive(tx, &arrival, now)).await?;
        crate::may_die!("webhook-after-inbox");
        tracing::debug!(message = received.message, fresh = received.fresh, "a text came");
    }
    Ok(twiml())
}

/// The message, unless its sender is not allowed: they meet silence.
fn arrival(app: &App, pairs: &Pairs<'_>) -> Result<Option<Arrival>, Code> {
    let text = match InboundText::read(pairs) {
        Ok(text) => text,
        Err(WebhookError::NotAPhone) => return Ok(None),
        Err(e) => return Err(e.code()),
    };
    if !app.texting.now().is_some_and(|t| t.allows(&text.from)) {
        tracing::info!(from = ?text.from, "a text from a number that is not allowed was dropped");
        return Ok(None);
    }
    Ok(Some(Arrival {
        channel: Channel::Sms,
        external: text.sid,
        sender: Some(text.from.to_string()),
        receiver: Some(text.to.to_string()),
        text: text.body,
        media: text.media.into_iter().map(|m| Media { url: m.url, media_type: m.media_type }).collect(),
    }))
}

/// What a receipt's address says; signed with the rest.
#[derive(Deserialize)]
pub struct Asked {
    letter: Option<i64>,
}

/// A receipt of what was sent. They may come in any order; one counts only if it goes forward.
pub async fn status(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    TwilioSigned(form): TwilioSigned,
) -> Result<Response, Refusal> {
    let report = StatusReport::read(&pairs(&form)).map_err(|e| e.code())?;
    let (status, error) = (report.status, report.error);
    let why =
        error.map(|code| explain(code).map_or_else(|| format!("Twilio error {code}"), |known| known.words.to_owned()));
    let receipt = outbox::Receipt {
        letter: asked.letter,
        sid: report.sid,
        status: status.as_str().to_owned(),
        rank: status.rank(),
        error: error.map(i64::from),
        why,
    };
    let counted = app.store.write(move |tx| outbox::receipt(tx, &receipt, clock::now())).await?;
    tracing::debug!(status = status.as_str(), error, counted, "a receipt came");
    Ok(twiml())
}

/// No words: the answer goes by the API, when there is one.
fn twiml() -> Response {
    ([(header::CONTENT_TYPE, "text/xml")], "<Response></Response>").into_response()
}
