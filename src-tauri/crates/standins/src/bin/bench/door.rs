//! The local door of a running Lanyard, as a client sees it: one connection kept alive.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::Path;
use tokio::net::UnixStream;

/// A connection to the local door.
pub struct Door(SendRequest<Full<Bytes>>);

impl Door {
    pub async fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).await.context("the local door is closed")?;
        let (sender, wire) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(wire);
        Ok(Self(sender))
    }

    pub async fn get(&mut self, path: &str) -> Result<Value> {
        let answer = self.ask(Method::GET, path, Bytes::new()).await?;
        read(path, answer).await
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.ask(Method::POST, path, body.to_string().into()).await?;
        read(path, answer).await
    }

    async fn ask(&mut self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>> {
        self.0.ready().await?;
        let request = Request::builder().method(method).uri(path).header("host", "local");
        let request = request.header("content-type", "application/json").body(Full::new(body))?;
        Ok(self.0.send_request(request).await?)
    }
}

async fn read(path: &str, answer: Response<Incoming>) -> Result<Value> {
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("{path}: HTTP {}: {}", status.as_u16(), String::from_utf8_lossy(&body));
    }
    Ok(serde_json::from_slice(&body)?)
}
