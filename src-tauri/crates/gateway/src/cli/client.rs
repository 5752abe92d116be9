//! The local door from the outside: HTTP over its socket file.

use crate::config::Paths;
use bytes::Bytes;
use domain::{Code, Problem};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;
use tokio::net::UnixStream;

/// The door of the Lanyard that runs at some folders, if one does.
pub struct LocalDoor {
    path: PathBuf,
}

impl LocalDoor {
    pub fn at(paths: &Paths) -> Self {
        Self { path: paths.local_door() }
    }

    /// # Errors
    /// `NOT_RUNNING`, or what the door says.
    pub async fn get(&self, path: &str) -> Result<Value, Problem> {
        let response = self.request(Method::GET, path, Bytes::new()).await?;
        read(response).await
    }

    /// # Errors
    /// `NOT_RUNNING`, or what the door says.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, Problem> {
        let body = serde_json::to_vec(body).map_err(|e| Problem::with_detail(Code::BadRequest, e))?;
        let response = self.request(Method::POST, path, body.into()).await?;
        read(response).await
    }

    /// # Errors
    /// `NOT_RUNNING`, or what the door says.
    pub async fn delete(&self, path: &str) -> Result<Value, Problem> {
        let response = self.request(Method::DELETE, path, Bytes::new()).await?;
        read(response).await
    }

    /// JSON lines, as long as the other side writes; each goes to `line`, which says whether to go on.
    ///
    /// # Errors
    /// `NOT_RUNNING`.
    pub async fn lines(&self, path: &str, line: impl FnMut(Value) -> bool) -> Result<(), Problem> {
        read_lines(self.request(Method::GET, path, Bytes::new()).await?, line).await
    }

    /// The same of what is asked by a POST.
    ///
    /// # Errors
    /// `NOT_RUNNING`.
    pub async fn lines_of(
        &self,
        path: &str,
        body: &impl Serialize,
        line: impl FnMut(Value) -> bool,
    ) -> Result<(), Problem> {
        let body = serde_json::to_vec(body).map_err(|e| Problem::with_detail(Code::BadRequest, e))?;
        read_lines(self.request(Method::POST, path, body.into()).await?, line).await
    }

    async fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>, Problem> {
        let stream = UnixStream::connect(&self.path).await.map_err(|_| Problem::from(Code::NotRunning))?;
        let gone = |_| Problem::from(Code::NotRunning);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(gone)?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "local")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|e| Problem::with_detail(Code::BadRequest, e))?;
        sender.send_request(request).await.map_err(gone)
    }
}

async fn read_lines(mut response: Response<Incoming>, mut line: impl FnMut(Value) -> bool) -> Result<(), Problem> {
    let mut held = Vec::new();
    while let Some(frame) = response.frame().await {
        let frame = frame.map_err(|_| Problem::from(Code::NotRunning))?;
        let Ok(data) = frame.into_data() else { continue };
        held.extend_from_slice(&data);
        while let Some(end) = held.iter().position(|b| *b == b'\n') {
            let whole: Vec<u8> = held.drain(..=end).collect();
            let Ok(value) = serde_json::from_slice(&whole) else { continue };
            if !line(value) {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn read(response: Response<Incoming>) -> Result<Value, Problem> {
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|_| Problem::from(Code::NotRunning))?.to_bytes();
    let value: Value = serde_json::from_slice(&body)
        .map_err(|_| Problem::with_detail(Code::BadRequest, String::from_utf8_lossy(&body).trim()))?;
    if status.is_success() {
        return Ok(value);
    }
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let code = Code::named(&word("/data/code")).unwrap_or(Code::Internal);
    Err(Problem { code, message: word("/data/message"), suggestion: word("/data/details/suggestion") })
}
