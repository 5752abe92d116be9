//! The page to try the API, in a browser. The local door is a socket file, which no browser opens: this carries the API, and
//! nothing else of that door, to a port of this computer until Ctrl-C.
//!
//! What the page is made of is for everyone here to see. A request to the API must bring a token made for this run, which
//! a page elsewhere cannot know; a `Host` that is another's name is refused, so that none can be pointed here.

use crate::{config::Paths, doors::reply::Refusal, tokens::random_name};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use domain::{Code, Problem};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use subtle::ConstantTimeEq;
use tokio::net::{TcpListener, UnixStream};

struct Carrier {
    socket: PathBuf,
    address: SocketAddr,
    token: String,
}

/// What the page itself is made of.
const OPEN: [&str; 2] = ["/api/docs", "/api/openapi.json"];
/// All of the local door that is carried: the API.
const CARRIED: [&str; 3] = ["/api/", "/health", "/metrics"];

pub async fn serve(paths: &Paths, json: bool) -> Result<(), Problem> {
    let taken = |e: std::io::Error| Problem::with_detail(Code::PortTaken, format!("{e}."));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let carrier = Carrier { socket: paths.local_door(), address, token: random_name::<32>() };
    UnixStream::connect(&carrier.socket).await.map_err(|_| Problem::from(Code::NotRunning))?;
    let url = format!("http://{address}/api/docs/");
    match json {
        true => println!("{}", json!({ "url": url, "token": carrier.token })),
        false => println!("{url}\nChoose Authorize there and give: {}\nUntil Ctrl-C.", carrier.token),
    }
    let router = Router::new()
        .route("/", get(|| async { Redirect::to("/api/docs/") }))
        .fallback(carry)
        .with_state(Arc::new(carrier));
    let serving = axum::serve(listener, router).with_graceful_shutdown(super::asked_to_stop());
    serving.await.map_err(|e| Problem::with_detail(Code::Internal, e))
}

async fn carry(State(to): State<Arc<Carrier>>, request: Request) -> Result<Response, Refusal> {
    to.check(&request)?;
    let gone = |_| Refusal::from(Code::NotRunning);
    let stream = UnixStream::connect(&to.socket).await.map_err(|_| Refusal::from(Code::NotRunning))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(gone)?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(gone)?;
    Ok(answer.map(Body::new).into_response())
}

impl Carrier {
    fn check(&self, request: &Request) -> Result<(), Code> {
        let (path, headers) = (request.uri().path(), request.headers());
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if host != Some(self.address.to_string().as_str()) {
            return Err(Code::WrongHost);
        }
        if !CARRIED.iter().any(|start| path.starts_with(start)) {
            return Err(Code::NotFound);
        }
        let open = OPEN.iter().any(|start| path == *start || path.starts_with(&format!("{start}/")));
        let known = headers
            .get(header::AUTHORIZATION)
            .is_some_and(|given| given.as_bytes().ct_eq(format!("Bearer {}", self.token).as_bytes()).into());
        if open || known { Ok(()) } else { Err(Code::NotPaired) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_api_is_carried_and_only_for_who_knows_the_token() {
        let address = SocketAddr::from(([127, 0, 0, 1], 4000));
        let carrier = Carrier { socket: PathBuf::new(), address, token: "t".into() };
        let check = |path: &str, host: &str, bearer: &str| {
            let request = Request::get(path).header("host", host).header("authorization", bearer);
            carrier.check(&request.body(Body::empty()).unwrap()).err()
        };
        let here = "127.0.0.1:4000";
        assert_eq!(check("/api/docs/swagger-ui.css", here, ""), None);
        assert_eq!(check("/api/openapi.json", here, ""), None);
        assert_eq!(check("/api/sessions", here, "Bearer t"), None);
        for (path, bearer) in
            [("/api/sessions", ""), ("/api/docsx", ""), ("/health", "Bearer x"), ("/api/docs.json", "")]
        {
            assert_eq!(check(path, here, bearer), Some(Code::NotPaired), "{path}");
        }
        for path in ["/phones", "/send", "/apis", "/stop", "/pairing"] {
            assert_eq!(check(path, here, "Bearer t"), Some(Code::NotFound), "{path}");
        }
        assert_eq!(check("/api/sessions", "evil.example", "Bearer t"), Some(Code::WrongHost));
    }
}
