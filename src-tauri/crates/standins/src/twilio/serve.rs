//! HTTP/1.1 on loopback, with one thing a web framework will not do: closing a connection in place of an answer.

use super::fault::CutHere;
use axum::Router;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Serves until `stop`; then every connection is cut.
pub(super) async fn run(listener: TcpListener, app: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the stand-in could not accept a connection");
                    return;
                }
            },
        };
        let app = app.clone();
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let app = app.clone();
                async move {
                    let answer = app.oneshot(request.map(axum::body::Body::new)).await.map_err(io::Error::other)?;
                    match answer.extensions().get::<CutHere>() {
                        Some(_) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                        None => Ok(answer),
                    }
                }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
