//! How a door tells lines, and how it says no: `{"type":"error","requestId":..,"data":{code,message,details:{suggestion}}}` with the code's status.

use crate::wire::{ErrorBody, ErrorData};
use axum::{
    Json,
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Code, Problem};
use futures::StreamExt;
use serde::Serialize;
use std::convert::Infallible;
use tokio::sync::mpsc;

/// A problem on its way to a person.
#[derive(Debug)]
pub struct Refusal(pub Problem);

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self(code.into())
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<store::Error> for Refusal {
    fn from(e: store::Error) -> Self {
        Self(crate::approvals::internal(e))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refuse(self.0.into())
    }
}

/// An answer of JSON lines, each as it comes; it ends with who tells them.
pub fn json_lines<T: Serialize + Send + 'static>(told: mpsc::Receiver<T>) -> Response {
    let lines = futures::stream::unfold(told, |mut told| async { told.recv().await.map(|line| (line, told)) });
    Response::new(Body::from_stream(lines.map(|line| {
        let text = serde_json::to_string(&line).unwrap_or_default();
        Ok::<_, Infallible>(format!("{text}\n"))
    })))
}

/// The header that names a request, in answers and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What went wrong as an answer, under a new request id.
pub fn refuse(data: ErrorData) -> Response {
    let status = StatusCode::from_u16(data.code.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry_after = data.details.retry_after.map(HeaderValue::from);
    let request_id = new_id();
    let name = HeaderValue::from_str(&request_id);
    let mut response = (status, Json(ErrorBody { kind: "error", request_id, data })).into_response();
    if let Ok(name) = name {
        response.headers_mut().insert(REQUEST_ID, name);
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

pub fn new_id() -> String {
    format!("req_{}", crate::tokens::random_name::<9>())
}
