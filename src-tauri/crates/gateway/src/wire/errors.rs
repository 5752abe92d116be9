//! How the API says no, over REST and over the WebSocket alike.

use super::ErrorKind;
use crate::pairing::Wait;
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
    pub kind: ErrorKind,
    /// A sentence for a person.
    pub message: String,
    pub details: ErrorDetails,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS, ToSchema)]
pub struct ErrorDetails {
    /// What to do about it.
    pub suggestion: String,
    /// Seconds after which to try again, as in `Retry-After`: with every 429.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after: Option<u64>,
    /// The gateway's own time, where the phone's clock is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub now: Option<i64>,
    /// Which setting was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<String>,
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

/// Seconds until it is worth a try where nobody can know when there is room: a session is free once its turn has ended.
const SOON: u64 = 5;
/// The same where the limit is that of an account elsewhere: Anthropic's and ngrok's are by the minute.
const A_MINUTE: u64 = 60;

impl ErrorData {
    /// Too often; the next is taken after so long.
    pub fn wait(Wait(seconds): Wait) -> Self {
        let mut data = Self::from(Problem::from(Code::TooManyRequests));
        data.details.retry_after = Some(seconds);
        data
    }
}

impl From<Problem> for ErrorData {
    fn from(p: Problem) -> Self {
        let entry = p.code.entry();
        let retry_after = match p.code {
            _ if entry.status != 429 => None,
            Code::RateLimited | Code::TunnelAgentLimit | Code::TunnelLimit => Some(A_MINUTE),
            _ => Some(SOON),
        };
        let details = ErrorDetails { suggestion: p.suggestion, retry_after, now: None, key: None };
        Self { code: p.code, kind: entry.kind.into(), message: p.message, details }
    }
}

impl From<ErrorData> for ErrorFrame {
    fn from(error: ErrorData) -> Self {
        Self { error, session_id: None, turn: None, at: None }
    }
}

impl From<Problem> for ErrorFrame {
    fn from(p: Problem) -> Self {
        ErrorData::from(p).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_kind_and_every_limit_says_when_to_come_again() {
        for code in Code::ALL {
            let data = ErrorData::from(Problem::from(*code));
            assert_eq!(data.kind, code.entry().kind.into());
            assert_eq!(data.details.retry_after.is_some(), code.entry().status == 429, "{code}");
        }
    }
}
