//! How a request is answered: with a page of a list, or with no, in each forge's words.

use super::world::World;
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// Seconds to wait after a limit of the rate.
const RETRY_AFTER: &str = "7";
/// Both forges give no more of a list at once.
const LARGEST_PAGE: usize = 100;

pub(super) type Shared = State<Arc<World>>;
pub(super) type Asked = HashMap<String, String>;
pub(super) type Answer = Result<Json<Value>, Refusal>;
/// What a forge says with a status and no more to tell.
pub(super) type Plainly = fn(u16) -> Refusal;

pub(super) struct Refusal {
    status: StatusCode,
    body: Value,
}

impl Refusal {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        answer
    }
}

/// What was scripted to go wrong comes first, then who calls.
pub(super) async fn checked(
    State((world, no)): State<(Arc<World>, Plainly)>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(status) = world.change(|state| state.failing.pop_front()) {
        return no(status).into_response();
    }
    if !world.lets_in(request.headers()) {
        return no(401).into_response();
    }
    next.run(request).await
}

/// The part of a list that was asked for; `usual` entries where `per_page` does not say.
pub(super) fn page(all: Vec<Value>, asked: &Asked, usual: usize) -> Json<Value> {
    let number = |name: &str| asked.get(name).and_then(|value| value.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(usual).clamp(1, LARGEST_PAGE);
    let before = number("page").unwrap_or(1).saturating_sub(1) * size;
    Json(all.into_iter().skip(before).take(size).collect())
}
