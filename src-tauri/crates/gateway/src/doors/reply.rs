//! How a door says no: `{"type":"error","requestId":..,"data":{code,message,details:{suggestion}}}` with the code's status.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{Code, Problem};
use serde_json::json;

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
        let Problem { code, message, suggestion } = self.0;
        let status = StatusCode::from_u16(code.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({
            "type": "error",
            "requestId": format!("req_{}", crate::tokens::random_name::<9>()),
            "data": { "code": code, "message": message, "details": { "suggestion": suggestion } },
        });
        (status, Json(body)).into_response()
    }
}
