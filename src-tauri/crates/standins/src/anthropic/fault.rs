//! What can go wrong at the model, in the API's own words.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A failing answer. Statuses, types and sentences are those of Anthropic's API (docs: "Errors").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 400
    BadRequest,
    /// 400, as for a conversation that has outgrown the model.
    PromptTooLong,
    /// 400
    CreditTooLow,
    /// 401
    KeyRefused,
    /// 403
    Forbidden,
    /// 404, as for a model that does not exist.
    UnknownModel,
    /// 429 with `retry-after` in seconds.
    RateLimited { retry_after: u64 },
    /// 500
    ServerError,
    /// 529
    Overloaded,
    /// Any status with this error type and sentence.
    Status { status: u16, kind: String, message: String },
    /// The connection closes after the first piece.
    Cut,
    /// The stream carries an `error` event after the first piece.
    ErrorEvent,
    /// This fault for the first `times` requests of the human text, then the step's words.
    Times { times: u32, fault: Box<Fault> },
}

impl Fault {
    /// The whole answer, for a fault that comes instead of one; `None` where the stream begins first.
    pub(crate) fn response(&self, request_id: &str, model: &str) -> Option<Response> {
        let (status, kind, message) = match self {
            Fault::BadRequest => (400, "invalid_request_error", "messages.0: malformed".into()),
            Fault::PromptTooLong => {
                (400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum".into())
            }
            Fault::CreditTooLow => (400, "invalid_request_error", CREDIT.into()),
            Fault::KeyRefused => (401, "authentication_error", "invalid x-api-key".into()),
            Fault::Forbidden => {
                (403, "permission_error", "Your API key does not have permission to use the specified resource.".into())
            }
            Fault::UnknownModel => (404, "not_found_error", format!("model: {model}")),
            Fault::RateLimited { .. } => (429, "rate_limit_error", RATE.into()),
            Fault::ServerError => (500, "api_error", "Internal server error".into()),
            Fault::Overloaded => (529, "overloaded_error", "Overloaded".into()),
            Fault::Status { status, kind, message } => (*status, kind.as_str(), message.clone()),
            Fault::Times { fault, .. } => return fault.response(request_id, model),
            Fault::Cut | Fault::ErrorEvent => return None,
        };
        let mut response = refuse(status, kind, &message, request_id);
        if let Fault::RateLimited { retry_after } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after));
        }
        Some(response)
    }
}

const CREDIT: &str = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to \
                      upgrade or purchase credits.";
const RATE: &str = "This request would exceed your organization's rate limit";

/// An error as the API writes it.
pub(crate) fn refuse(status: u16, kind: &str, message: &str, request_id: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("request-id", id);
    }
    (status, headers, axum::Json(error_json(kind, message, Some(request_id)))).into_response()
}

pub(crate) fn error_json(kind: &str, message: &str, request_id: Option<&str>) -> Value {
    let mut error = json!({ "type": "error", "error": { "type": kind, "message": message } });
    if let Some(id) = request_id {
        error["request_id"] = id.into();
    }
    error
}
