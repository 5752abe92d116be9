//! A fresh session at the edge with one endpoint in it, by the SDK.

use super::{
    Config,
    line::{Line, News},
    refusal::Refusal,
};
use ngrok::{
    Session,
    session::SessionBuilder,
    tunnel::{EndpointInfo, HttpTunnel},
};
use secrecy::ExposeSecret;
use std::{error::Error as StdError, sync::Arc, time::Duration};

/// Connects, signs in and binds, within the limits of the pace.
pub(super) async fn open(config: &Config, line: &Arc<Line>) -> Result<HttpTunnel, Refusal> {
    let limit = config.pace.connect_limit + config.pace.answer_limit;
    match tokio::time::timeout(limit, connect_and_bind(config, line)).await {
        Ok(endpoint) => endpoint,
        Err(_) => Err(Refusal::timed_out()),
    }
}

/// Connects and signs in, within the limits of the pace, and opens nothing.
pub(super) async fn sign_in(config: &Config, line: &Arc<Line>) -> Result<(), Refusal> {
    let limit = config.pace.connect_limit + config.pace.answer_limit;
    let builder = builder(config, line)?;
    match tokio::time::timeout(limit, builder.connect()).await {
        Ok(session) => session.map(drop).map_err(|error| Refusal::of_connect(&error, &config.token)),
        Err(_) => Err(Refusal::timed_out()),
    }
}

async fn connect_and_bind(config: &Config, line: &Arc<Line>) -> Result<HttpTunnel, Refusal> {
    let builder = builder(config, line)?;
    let session = builder.connect().await.map_err(|error| Refusal::of_connect(&error, &config.token))?;
    let mut endpoint = session.http_endpoint();
    endpoint.forwards_to("lanyard").metadata("lanyard");
    if let Some(domain) = &config.domain {
        endpoint.domain(domain);
    }
    use ngrok::config::TunnelBuilder;
    let endpoint = endpoint.listen().await.map_err(|error| Refusal::of_call(&error, &config.token))?;
    tracing::info!(url = endpoint.url(), "the tunnel is open");
    Ok(endpoint)
}

fn builder(config: &Config, line: &Arc<Line>) -> Result<SessionBuilder, Refusal> {
    let mut builder = Session::builder();
    builder
        .authtoken(config.token.expose_secret())
        .client_info("lanyard", env!("CARGO_PKG_VERSION"), None::<String>)
        .heartbeat_interval(config.pace.heartbeat_interval)
        .map_err(|_| Refusal::timed_out())?
        .heartbeat_tolerance(config.pace.heartbeat_tolerance)
        .map_err(|_| Refusal::timed_out())?;
    if let Some(edge) = &config.edge {
        builder.server_addr(edge).map_err(|_| Refusal::lost())?;
    }
    if let Some(roots) = &config.roots {
        builder.ca_cert(roots.clone().into());
    }
    let to = line.clone();
    builder.connector(move |host, port, tls, lost| to.clone().connect(host, port, tls, lost));
    let to = line.clone();
    builder.handle_heartbeat(move |latency: Option<Duration>| {
        // The SDK only reports a heartbeat that stayed out; the link would live on, dead.
        if latency.is_none() {
            to.cut();
        }
        async { Ok::<(), Box<dyn StdError>>(()) }
    });
    let to = line.clone();
    builder.handle_stop_command(move |_| obey(&to, Refusal::stopped()));
    let to = line.clone();
    builder.handle_restart_command(move |_| obey(&to, Refusal::restart()));
    Ok(builder)
}

/// A command from ngrok's dashboard. The answer leaves before the end does: the supervisor unbinds first, a round trip.
fn obey(line: &Line, why: Refusal) -> std::future::Ready<Result<(), String>> {
    line.tell(News::Over(why));
    std::future::ready(Ok(()))
}
