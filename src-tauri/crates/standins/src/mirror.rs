//! A company's mirror: the files of a folder over https, by a CA that only the company's computers trust.

use crate::ngrok::certificates::{Authority, SECOND};
use axum::Router;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{path::PathBuf, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;
use tower_http::services::ServeDir;

pub struct Mirror {
    /// Leads to this computer, but by an address that programs in a sandbox do not take for their own.
    pub url: String,
    /// The CA to be trusted.
    pub ca: String,
    serving: JoinHandle<()>,
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Mirror {
    /// Serves what `folder` gives, which is told the address first.
    ///
    /// # Errors
    /// As `folder`'s, and if loopback has no port left.
    pub async fn start(folder: impl FnOnce(&str) -> anyhow::Result<PathBuf>) -> anyhow::Result<Self> {
        let files = |url: &str| Ok(Router::new().fallback_service(ServeDir::new(folder(url)?)));
        let (url, ca, serving) = serve("company mirror", files).await?;
        Ok(Self { url, ca, serving })
    }
}

/// Serves `router` with a CA of its own; gives the address, the CA and the task.
pub(crate) async fn serve(
    name: &str,
    router: impl FnOnce(&str) -> anyhow::Result<Router>,
) -> anyhow::Result<(String, String, JoinHandle<()>)> {
    let listener = TcpListener::bind((SECOND, 0)).await?;
    let url = format!("https://{SECOND}:{}", listener.local_addr()?.port());
    let authority = Arc::new(Authority::new(name)?);
    let tls = TlsAcceptor::from(authority.server(&["http/1.1"])?);
    let router = router(&url)?;
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, service) = (tls.clone(), TowerToHyperService::new(router.clone()));
            tokio::spawn(async move {
                let Ok(stream) = tls.accept(stream).await else { return };
                let http = hyper::server::conn::http1::Builder::new();
                let _the_client_left = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok((url, authority.pem.clone(), serving))
}
