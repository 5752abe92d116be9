//! How the API says no, over REST and over the WebSocket alike.

use domain::{Code, Problem};
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// A refusal over REST: the code's HTTP status with this body.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ErrorBody {
    /// Always `error`.
    #[serde(rename = "type")]
    #[ts(type = "\"error\"")]
    pub kind: &'static str,
    /// Also in the `x-request-id` header, and in Lanyard's log.
    #[serde(rename = "requestId")]
    pub request_id: String,
    pub data: ErrorData,
}

/// What went wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct ErrorData {
    /// One of the codes in Lanyard's index.
    #[ts(type = "Code")]
    #[schema(value_type = String)]
    pub code: Code,
    /// A sentence for a person.
    pub message: String,
    pub details: ErrorDetails,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS, ToSchema)]
pub struct ErrorDetails {
    /// What to do about it.
    pub suggestion: String,
    /// Seconds after which to try again (429), as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after: Option<u64>,
    /// The gateway's own time, where the phone's clock is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub now: Option<i64>,
}

/// An error on the WebSocket. With `requestId`: a frame of this client was refused. With `seq`: a durable fact, a turn or a
/// start that failed. With neither: about the connection.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct ErrorFrame {
    #[serde(flatten)]
    pub error: ErrorData,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub turn: Option<Uuid>,
    /// When it happened, for a durable fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub at: Option<i64>,
}

impl From<Problem> for ErrorData {
    fn from(p: Problem) -> Self {
        let details = ErrorDetails { suggestion: p.suggestion, ..ErrorDetails::default() };
        Self { code: p.code, message: p.message, details }
    }
}

impl From<Problem> for ErrorFrame {
    fn from(p: Problem) -> Self {
        Self { error: p.into(), session_id: None, turn: None, at: None }
    }
}
