//! A phone as a test plays it: REST over a plain connection, a key pair, a WebSocket.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::world::{PUBLIC_URL, Running, SOON};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{SinkExt, StreamExt};
use gateway::{App, pairing, wire::MakeApiToken};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};

pub const HOST: &str = "desk.example";

/// An answer of the public door.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub body: Value,
    pub text: String,
    pub bytes: bytes::Bytes,
}

impl Said {
    pub fn code(&self) -> &str {
        self.body["data"]["code"].as_str().unwrap_or_default()
    }

    pub fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        if status >= 400 {
            assert_eq!(self.body["type"], "error");
            assert!(self.body["requestId"].as_str().unwrap().starts_with("req_"));
            assert_eq!(self.headers["x-request-id"], self.body["requestId"].as_str().unwrap());
            let kind = domain::Code::named(code).unwrap().entry().kind;
            assert_eq!(self.body["data"]["kind"], serde_json::to_value(kind).unwrap());
            let after = self.headers.get("retry-after").map(|s| s.to_str().unwrap().parse::<u64>().unwrap());
            assert_eq!((after.is_some(), self.body["data"]["details"]["retry_after"].as_u64()), (status == 429, after));
            assert!(self.body["data"]["details"]["suggestion"].as_str().unwrap().len() > 10);
        }
    }
}

/// One request to the public door, as a browser at our public address makes it.
pub async fn call(app: &App, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Said {
    let mut headers = Vec::new();
    if let Some(token) = token {
        headers.push(("authorization", format!("Bearer {token}")));
    }
    let body = body.map(|body| body.to_string().into_bytes());
    if body.is_some() {
        headers.push(("content-type", "application/json".into()));
    }
    raw(app, method, path, &headers, body.unwrap_or_default()).await
}

pub async fn raw(app: &App, method: &str, path: &str, headers: &[(&str, String)], body: Vec<u8>) -> Said {
    ask(app.public_addr, method, path, headers, body).await
}

/// The same at any door, as that of a tunnel; `headers` may name the host.
pub async fn ask(at: SocketAddr, method: &str, path: &str, headers: &[(&str, String)], body: Vec<u8>) -> Said {
    over(TcpStream::connect(at).await.unwrap(), method, path, headers, body).await
}

/// One request to the local door.
pub async fn local(app: &App, method: &str, path: &str, body: Option<&Value>) -> Said {
    let stream = UnixStream::connect(app.paths.local_door()).await.unwrap();
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    over(stream, method, path, &[("content-type", "application/json".into())], body).await
}

async fn over<S>(stream: S, method: &str, path: &str, headers: &[(&str, String)], body: Vec<u8>) -> Said
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", HOST);
    }
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = sender.send_request(request.body(Full::new(bytes::Bytes::from(body))).unwrap()).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Said { status, headers, body, text, bytes }
}

/// A paired phone with its key.
pub struct Phone {
    pub id: String,
    pub access: String,
    pub refresh: String,
    pub key: EcdsaKeyPair,
}

pub fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

pub fn jwk(key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    let word = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "EC", "crv": "P-256", "x": word(&point[1..33]), "y": word(&point[33..]) })
}

/// What the phone turns in: its refresh token, signed at `at`.
pub fn signed(key: &EcdsaKeyPair, refresh: &str, at: i64) -> Value {
    let words = format!("lanyard-refresh\n{at}\n{refresh}");
    let signature = key.sign(&SystemRandom::new(), words.as_bytes()).unwrap();
    json!({ "refresh_token": refresh, "at": at, "signature": URL_SAFE_NO_PAD.encode(signature) })
}

impl Phone {
    /// Pairs as a browser does, with the code that the desk shows.
    pub async fn pair(app: &App, name: &str) -> Self {
        Self::pair_at(app, app.public_addr, HOST, name).await
    }

    /// The same through another door.
    pub async fn pair_at(app: &App, at: SocketAddr, host: &str, name: &str) -> Self {
        let key = new_key();
        let code = pairing::offer(app, true).code;
        let body = json!({ "code": code, "name": name, "public_key": jwk(&key) });
        let headers = [("host", host.to_owned()), ("content-type", "application/json".to_owned())];
        let said = ask(at, "POST", "/api/pair", &headers, body.to_string().into_bytes()).await;
        assert_eq!(said.status, 200, "{}", said.text);
        let word = |pointer: &str| said.body.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        Self { id: word("/you/id"), access: word("/access_token"), refresh: word("/refresh_token"), key }
    }

    pub async fn get(&self, app: &App, path: &str) -> Said {
        call(app, "GET", path, Some(&self.access), None).await
    }

    pub async fn post(&self, app: &App, path: &str, body: Value) -> Said {
        call(app, "POST", path, Some(&self.access), Some(&body)).await
    }

    pub async fn socket(&self, app: &App, after: Option<i64>) -> Socket {
        Socket::open(app, &self.access, after).await.unwrap()
    }
}

/// A named token with these scopes.
pub async fn token(app: &App, scopes: &[&str]) -> String {
    let make: MakeApiToken = serde_json::from_value(json!({ "name": "a script", "scopes": scopes })).unwrap();
    pairing::make_token(app, make).await.unwrap().token
}

/// A page's WebSocket.
pub struct Socket {
    pub stream: WebSocketStream<TcpStream>,
    /// For the next frame.
    pub patience: Duration,
}

/// The status a handshake was refused with.
pub fn refused(e: &tungstenite::Error) -> Option<StatusCode> {
    match e {
        tungstenite::Error::Http(response) => Some(response.status()),
        _ => None,
    }
}

impl Socket {
    pub async fn open(app: &App, token: &str, after: Option<i64>) -> Result<Self, tungstenite::Error> {
        let query = after.map(|n| format!("?after={n}")).unwrap_or_default();
        Self::at(app, &format!("/ws{query}"), &[("authorization", format!("Bearer {token}"))]).await
    }

    pub async fn at(app: &App, path: &str, headers: &[(&'static str, String)]) -> Result<Self, tungstenite::Error> {
        Self::through(app.public_addr, HOST, path, headers).await
    }

    /// The same through another door.
    pub async fn through(
        at: SocketAddr,
        host: &str,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(at).await.unwrap();
        let mut request = format!("ws://{host}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        client_async(request, stream).await.map(|(stream, _)| Self { stream, patience: SOON })
    }

    pub async fn say(&mut self, frame: Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame, or the close code.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(self.patience, self.stream.next()).await.expect("a frame comes in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |f| f.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// The next frame for which `wanted` holds.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("the connection lives");
            if wanted(&frame) {
                return frame;
            }
        }
    }

    pub async fn of_type(&mut self, kind: &str) -> Value {
        self.until(|frame| frame["type"] == kind).await
    }

    /// The answer to the frame with this id.
    pub async fn answer(&mut self, id: &str) -> Value {
        self.until(|frame| frame["requestId"] == id).await
    }

    /// Reads until it is closed; the code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}

/// Writes `count` events into a session made for them; gives its id.
pub async fn events(running: &Running, count: usize) -> domain::SessionId {
    let session = domain::SessionId::new();
    let write = running.app.store.write(move |tx| {
        store::sessions::create(tx, session, "claude", "made", Default::default(), gateway::clock::now())?;
        Ok(())
    });
    write.await.unwrap();
    append(running, session, count).await;
    session
}

pub async fn append(running: &Running, session: domain::SessionId, count: usize) {
    let write = running.app.store.write(move |tx| {
        for n in 0..count {
            let event = domain::event::Event::Noticed { text: format!("event {n}") };
            store::events::append(tx, session, &event, gateway::clock::now())?;
        }
        Ok(())
    });
    write.await.unwrap();
}

pub fn public_url() -> &'static str {
    PUBLIC_URL
}
