//! `desk://localhost/`: the window's page and all that it asks for, answered by the local door in this process. No port, and
//! no other program can ask.

use crate::trouble;
use bytes::Bytes;
use domain::{Code, Problem};
use gateway::desk::Desk;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use serde_json::json;
use std::time::Duration;
use tokio::sync::watch;

pub const SCHEME: &str = "desk";
/// The page's own address. Windows has no schemes of one's own in a webview.
pub const ORIGIN: &str = if cfg!(windows) { "http://desk.localhost" } else { "desk://localhost" };

/// A gateway that is built anew is back within this; what is asked meanwhile waits.
const BACK_WITHIN: Duration = Duration::from_secs(15);

/// Answers one request of the page.
pub async fn answer(
    desk: watch::Receiver<Option<Desk>>,
    house: watch::Receiver<trouble::Shown>,
    request: Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let is_page = request.uri().path() == "/";
    let shown = house.borrow().clone();
    if is_page && let Some(page) = trouble::page(&shown) {
        return page;
    }
    match reached(desk).await {
        Some(desk) => desk.call(inward(request)).await.map(|body| body.to_vec()),
        None if is_page => trouble::waiting(),
        None => refused(&Problem::from(Code::NotRunning)),
    }
}

async fn reached(mut desk: watch::Receiver<Option<Desk>>) -> Option<Desk> {
    let there = desk.wait_for(Option::is_some);
    tokio::time::timeout(BACK_WITHIN, there).await.ok()?.ok()?.clone()
}

/// The request as the router takes it: a path, no scheme and host.
pub fn inward(request: Request<Vec<u8>>) -> Request<Bytes> {
    let (mut head, body) = request.into_parts();
    head.uri = head.uri.path_and_query().map_or(Uri::from_static("/"), |path| Uri::from(path.clone()));
    head.headers.insert(header::HOST, HeaderValue::from_static("local"));
    Request::from_parts(head, Bytes::from(body))
}

fn refused(problem: &Problem) -> Response<Vec<u8>> {
    let body = json!({ "type": "error", "data": { "code": problem.code, "message": problem.message,
                       "details": { "suggestion": problem.suggestion } } });
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_router_sees_a_path_whatever_the_webview_calls_the_place() {
        for place in ["desk://localhost/api/x?y=1", "http://desk.localhost/api/x?y=1"] {
            let request = Request::builder().uri(place).body(b"b".to_vec()).unwrap();
            let inward = inward(request);
            assert_eq!((inward.uri().to_string().as_str(), &inward.body()[..]), ("/api/x?y=1", &b"b"[..]));
        }
    }
}
