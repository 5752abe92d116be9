//! What the door itself answers.

use crate::Error;
use bytes::Bytes;
use domain::{Code, Problem};
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, PROXY_AUTHENTICATE},
};
use serde_json::json;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;
pub(crate) type Answer = Response<Body>;

const CODE: HeaderName = HeaderName::from_static("x-lanyard-code");
/// Anthropic's clients obey it either way, whatever the status.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    answer
}

/// An error in Anthropic's shape, so that Claude Code shows its sentence.
pub(crate) fn model_error(error: &Error) -> Answer {
    let problem = error.problem();
    let status = model_status(problem.code);
    let body = model_error_json(&problem);
    let mut answer = with(status, "application/json", body.to_string(), problem.code);
    let retry = if error.retryable() { "true" } else { "false" };
    answer.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static(retry));
    answer
}

/// The same inside a stream that has begun.
pub(crate) fn model_error_event(error: &Error) -> Bytes {
    format!("event: error\ndata: {}\n\n", model_error_json(&error.problem())).into()
}

fn model_error_json(problem: &Problem) -> serde_json::Value {
    let kind = match model_status(problem.code).as_u16() {
        400 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        _ => "api_error",
    };
    json!({ "type": "error", "error": { "type": kind, "message": sentence(problem) } })
}

/// The index's status.
fn model_status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.entry().status).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// An error as a proxy gives it: plain text.
pub(crate) fn proxy_error(error: &Error) -> Answer {
    let problem = error.problem();
    let status = match error {
        Error::NoCredentials => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        // An unknown token is not asked for again: 407 would have some clients ask without end.
        _ if problem.code == Code::BadSandboxToken => StatusCode::FORBIDDEN,
        _ => model_status(problem.code),
    };
    let mut answer = with(status, "text/plain; charset=utf-8", format!("{}\n", sentence(&problem)), problem.code);
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        answer.headers_mut().insert(PROXY_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"lanyard\""));
    }
    answer
}

fn sentence(problem: &Problem) -> String {
    format!("{}: {} {}", problem.code, problem.message, problem.suggestion)
}

fn with(status: StatusCode, kind: &'static str, text: String, code: Code) -> Answer {
    let mut answer = Response::new(full(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CODE, HeaderValue::from_static(code.entry().name));
    answer
}
