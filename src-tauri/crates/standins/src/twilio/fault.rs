//! What goes wrong on demand, and Twilio's way of saying no.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Something that happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The message is taken, and no answer ever comes.
    TakenThenSilence,
    /// The message is taken, and the connection is cut before the answer.
    TakenThenCut,
    /// The message is taken, and the answer is this HTTP status.
    TakenThenStatus(u16),
    /// Nothing is taken, and the connection is cut.
    Cut,
    /// Nothing is taken; HTTP status 500 or another.
    Status(u16),
    /// Error 20429, HTTP 429, with Retry-After in seconds.
    RateLimited { retry_after: u32 },
    /// HTTP 400 with this error of Twilio's.
    Refused(u32),
}

/// A line of Twilio's error log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// 11200 HTTP failure, 11205 connection failure, 12100 bad TwiML, 12300 content type, and so on.
    pub code: u32,
    /// The message it is about.
    pub sid: String,
    pub what: String,
}

/// Marks an answer that is never sent: the connection is closed in its place.
#[derive(Clone, Copy)]
pub(super) struct CutHere;

pub(super) fn cut() -> Response {
    let mut answer = Response::default();
    answer.extensions_mut().insert(CutHere);
    answer
}

/// Twilio's error body.
pub(super) fn refuse(status: u16, code: u32, message: &str) -> Response {
    let body = json!({
        "code": code,
        "message": message,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        "status": status,
    });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}

pub(super) fn not_found(path: &str) -> Response {
    refuse(404, 20404, &format!("The requested resource {path} was not found"))
}

impl Fault {
    /// Whether the message is taken all the same.
    pub(super) fn takes(self) -> bool {
        matches!(self, Fault::TakenThenSilence | Fault::TakenThenCut | Fault::TakenThenStatus(_))
    }

    pub(super) async fn answer(self) -> Response {
        match self {
            Fault::TakenThenSilence => std::future::pending().await,
            Fault::TakenThenCut | Fault::Cut => cut(),
            Fault::TakenThenStatus(status) | Fault::Status(status) => {
                refuse(status, 20500, "An internal server error has occurred")
            }
            Fault::RateLimited { retry_after } => {
                let answer = refuse(429, 20429, "Too Many Requests");
                ([(header::RETRY_AFTER, retry_after.to_string())], answer).into_response()
            }
            Fault::Refused(code) => refuse(400, code, sentence(code)),
        }
    }
}

/// Twilio's own sentences, as its REST interface gives them.
pub(super) fn sentence(code: u32) -> &'static str {
    match code {
        21211 => "Invalid 'To' Phone Number",
        21266 => "'To' and 'From' number cannot be the same",
        21408 => "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
        21602 => "Message body is required.",
        21603 => "A 'From' phone number is required.",
        21604 => "A 'To' phone number is required.",
        21606 => "The 'From' phone number provided is not a valid, SMS-capable inbound phone number for your account.",
        21608 => "The number is unverified. Trial accounts cannot send messages to unverified numbers",
        21610 => "Attempt to send to unsubscribed recipient",
        21612 => "The 'To' phone number is not currently reachable via SMS or MMS",
        21614 => "'To' number is not a valid mobile number",
        21617 => "The concatenated message body exceeds the 1600 character limit",
        21620 => "Invalid media URL(s)",
        21623 => "Number of media files exceeds allowed limit",
        _ => "The request was refused",
    }
}
