//! A git server over https: git's own `http-backend`, which asks for a password, by a CA that only the company's computers trust.

use crate::mirror::serve;
use anyhow::Context;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Response, StatusCode},
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
    task::JoinHandle,
};
use tokio_util::io::ReaderStream;

/// Bytes of a push.
const MOST: usize = 64 << 20;
/// Of an answer at once.
const PIECE: usize = 64 << 10;

pub struct GitServer {
    pub url: String,
    /// The CA to be trusted.
    pub ca: String,
    folder: PathBuf,
    serving: JoinHandle<()>,
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Served {
    folder: PathBuf,
    /// The one `Authorization` that is let in.
    password: String,
}

impl GitServer {
    /// Serves the bare repositories below `folder` to who sends this `Authorization`.
    ///
    /// # Errors
    /// If loopback has no port left.
    pub async fn start(folder: &Path, password: &str) -> anyhow::Result<Self> {
        let served = Arc::new(Served { folder: folder.to_owned(), password: password.to_owned() });
        let (url, ca, serving) = serve("git server", |_| Ok(Router::new().fallback(answer).with_state(served))).await?;
        Ok(Self { url, ca, folder: folder.to_owned(), serving })
    }

    /// What a git command says in the repository.
    ///
    /// # Errors
    /// If it fails.
    pub fn git(&self, repository: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output =
            std::process::Command::new("git").current_dir(self.folder.join(repository)).args(arguments).output()?;
        anyhow::ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

async fn answer(State(served): State<Arc<Served>>, request: Request) -> Response<Body> {
    let said = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if said != Some(&served.password) {
        let mut refused = Response::new(Body::from("who are you?\n"));
        *refused.status_mut() = StatusCode::UNAUTHORIZED;
        refused.headers_mut().insert("www-authenticate", HeaderValue::from_static("Basic realm=\"git\""));
        return refused;
    }
    backend(&served.folder, request).await.unwrap_or_else(|e| {
        let mut failed = Response::new(Body::from(format!("{e:#}\n")));
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// CGI (RFC 3875), as far as `http-backend` reads it.
async fn backend(folder: &Path, request: Request) -> anyhow::Result<Response<Body>> {
    let (request, body) = request.into_parts();
    let header = |name: &str| request.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "owner")
        .env("REQUEST_METHOD", request.method.as_str())
        .env("PATH_INFO", request.uri.path())
        .env("QUERY_STRING", request.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let body = to_bytes(body, MOST).await?;
    let mut stdin = child.stdin.take().context("its input")?;
    let writing = tokio::spawn(async move { stdin.write_all(&body).await });
    let mut stdout = BufReader::new(child.stdout.take().context("its output")?);
    let mut head = String::new();
    while stdout.read_line(&mut head).await? > 2 {}
    let _it_may_read_less = writing.await;
    // As it comes: a clone may be large.
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(stdout, PIECE)));
    tokio::spawn(async move { child.wait().await });
    for line in head.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").context("no header")?;
        match name {
            "Status" => *response.status_mut() = value.split(' ').next().unwrap_or_default().parse()?,
            name => drop(response.headers_mut().insert(name.parse::<HeaderName>()?, value.parse()?)),
        }
    }
    Ok(response)
}
