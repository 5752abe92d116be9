//! The way to the model: one pool of warm connections for all sandboxes, HTTP/2 where the far side offers it.

use crate::{Error, Settings, answer::BoxError};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, Uri, body::Incoming, http::uri::PathAndQuery};
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tower::{timeout::Timeout, util::BoxCloneSyncService};
use url::Url;

type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// A silent HTTP/2 connection is asked for a sign of life this often, so that one that died with the laptop's sleep is
/// found before a request waits on it.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
const ALIVE_WITHIN: Duration = Duration::from_secs(5);
/// Answers that nobody reads fill their own window only; many of them, of all sandboxes, fit into the connection's.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 64 << 20;
/// Below the minute or so after which servers and home routers forget a connection.
const KEEP_IDLE: Duration = Duration::from_secs(55);

#[derive(Clone)]
pub(crate) struct Upstream {
    client: Client<Connector, Full<Bytes>>,
    base: Url,
    first_byte_timeout: Duration,
}

impl Upstream {
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let base = settings.model_base.clone();
        if !matches!(base.scheme(), "http" | "https")
            || base.host().is_none()
            || !base.username().is_empty()
            || base.password().is_some()
        {
            return Err(Error::BadBase(format!("{}://{}", base.scheme(), base.host_str().unwrap_or("?"))));
        }
        let connector = BoxCloneSyncService::new(Timeout::new(connector(settings)?, settings.connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_IDLE)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(ALIVE_EVERY)
            .http2_keep_alive_timeout(ALIVE_WITHIN)
            .http2_keep_alive_while_idle(true)
            .build(connector);
        Ok(Self { client, base, first_byte_timeout: settings.first_byte_timeout })
    }

    /// The model's host, in the spelling of [`crate::hosts::Target`].
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// The URL at the model for a path at the door.
    pub fn uri(&self, path: &PathAndQuery) -> Result<Uri, Error> {
        let base = self.base.as_str().trim_end_matches('/');
        format!("{base}{path}").parse().map_err(|_| Error::BadRequest("has a path that cannot be sent on"))
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        match timeout(self.first_byte_timeout, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(cause)) => Err(Error::unreachable(self.host(), cause)),
            Err(_) => Err(Error::timed_out(self.host())),
        }
    }

    /// Makes a connection now, so that the next request finds it open. Carries no credential; the answer does not matter.
    pub async fn warm(&self) -> Result<(), Error> {
        let mut request = Request::new(Full::default());
        *request.method_mut() = Method::HEAD;
        *request.uri_mut() = self.uri(&PathAndQuery::from_static("/"))?;
        self.send(request).await.map(drop)
    }
}

fn connector(settings: &Settings) -> Result<hyper_rustls::HttpsConnector<HttpConnector>, Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_keepalive(Some(ALIVE_EVERY));
    http.set_connect_timeout(Some(settings.connect_timeout));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls(&settings.roots)?);
    // A model that is reached with TLS is never reached without.
    let https = if settings.model_base.scheme() == "https" { https.https_only() } else { https.https_or_http() };
    Ok(https.enable_all_versions().wrap_connector(http))
}

/// The system's authorities (and `SSL_CERT_FILE`), with `more`.
pub(crate) fn tls(more: &[CertificateDer<'static>]) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Roots(io::Error::other(e)))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(more.iter().cloned());
    if roots.is_empty() {
        return Err(Error::Roots(io::ErrorKind::NotFound.into()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
