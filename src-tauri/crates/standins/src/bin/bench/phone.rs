//! What a phone is to a desk: a named token, REST over a connection that is kept, and a WebSocket.

use crate::desk::{Desk, PUBLIC_URL};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    HeaderMap, Request,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::net::SocketAddr;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::client::IntoClientRequest};

/// What one that hardly reads keeps of what it is sent.
const SMALL: u32 = 4096;

pub struct Phone {
    at: SocketAddr,
    token: String,
}

pub type Socket = WebSocketStream<TcpStream>;

impl Phone {
    pub async fn of(desk: &Desk) -> Result<Self> {
        let made =
            desk.door().await?.post("/tokens", &json!({ "name": "a phone", "scopes": ["read", "chat"] })).await?;
        let token = made["token"].as_str().context("no token")?.to_owned();
        Ok(Self { at: desk.address().await?, token })
    }

    /// From now on.
    pub async fn socket(&self) -> Result<Socket> {
        self.socket_after(None).await
    }

    /// With what happened after an event.
    pub async fn socket_after(&self, event: Option<i64>) -> Result<Socket> {
        let stream = TcpStream::connect(self.at).await?;
        stream.set_nodelay(true)?;
        self.shake_hands(stream, event).await
    }

    /// One with hardly any room for what is not read.
    pub async fn narrow_socket(&self) -> Result<Socket> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SMALL)?;
        self.shake_hands(socket.connect(self.at).await?, None).await
    }

    async fn shake_hands(&self, stream: TcpStream, after: Option<i64>) -> Result<Socket> {
        let after = after.map(|event| format!("?after={event}")).unwrap_or_default();
        let mut request = format!("ws://{}/ws{after}", host()).into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        Ok(client_async(request, stream).await.context("the WebSocket does not open")?.0)
    }

    pub async fn connection(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.at).await?;
        stream.set_nodelay(true)?;
        let (sender, wire) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(wire);
        Ok(Connection { sender, token: self.token.clone() })
    }
}

/// As Twilio and browsers know the desk.
fn host() -> &'static str {
    PUBLIC_URL.trim_start_matches("https://")
}

/// A connection that is kept from one request to the next.
pub struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    token: String,
}

impl Connection {
    /// The body as it was sent: squeezed, where the desk does that.
    pub async fn get(&mut self, path: &str) -> Result<(HeaderMap, Bytes)> {
        self.sender.ready().await?;
        let request = Request::get(path).header("host", host()).header("accept-encoding", "gzip");
        let request = request.header("authorization", format!("Bearer {}", self.token)).body(Empty::new())?;
        let answer = self.sender.send_request(request).await?;
        let (head, body) = answer.into_parts();
        ensure!(head.status == 200, "{path}: HTTP {}", head.status);
        Ok((head.headers, body.collect().await?.to_bytes()))
    }
}
