//! The public side: HTTP ends here, as at ngrok's edge; each request goes through its tunnel on a stream of its own.

use super::{bytewise::Bytewise, link::Opener, world::World};
use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use muxado::typed::{StreamType, TypedOpenClose};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

const PROXY: u32 = 3;
type Body = BoxBody<Bytes, hyper::Error>;

/// Serves visitors until `stop`; without `tls` as they come.
pub(super) async fn listen(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    world: Arc<World>,
    stop: CancellationToken,
) {
    let mut visits = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = visits.join_next() => {}
            Ok((stream, from)) = listener.accept() => drop(visits.spawn(visit(stream, from, tls.clone(), world.clone()))),
        }
    }
}

async fn visit(stream: TcpStream, from: SocketAddr, tls: Option<TlsAcceptor>, world: Arc<World>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, from, "http", world).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, from, "https", world).await;
            }
        }
    }
}

async fn serve<S>(stream: S, from: SocketAddr, scheme: &'static str, world: Arc<World>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let world = world.clone();
        async move { Ok::<_, std::convert::Infallible>(noted(request, Visit { from, scheme }, &world).await) }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

/// Who came, and how.
struct Visit {
    from: SocketAddr,
    scheme: &'static str,
}

async fn noted(request: Request<Incoming>, visit: Visit, world: &World) -> Response<Body> {
    let posted = (request.method() == Method::POST).then(|| format!("{}{}", named(&request), request.uri().path()));
    let answer = answer(request, visit, world).await;
    if let Some(posted) = posted {
        world.change(|state| state.counted.posts.push((posted, answer.status().as_u16())));
    }
    answer
}

async fn answer(request: Request<Incoming>, visit: Visit, world: &World) -> Response<Body> {
    let named = named(&request);
    let host = named.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let found = world.change(|state| {
        state.counted.requests += 1;
        let found = state.tunnel(&host).map(|(session, id)| (session.opener.clone(), id.to_owned()));
        (found, state.interstitial)
    });
    match found {
        (None, _) => page(StatusCode::NOT_FOUND, "ERR_NGROK_3200", &format!("The endpoint {host} is offline.")),
        (Some(_), true) if is_browser(request.headers()) => page(
            StatusCode::OK,
            "ERR_NGROK_6024",
            &format!("You are about to visit {host}, served for free through ngrok.com."),
        ),
        (Some((opener, id)), _) => forward(request, &named, &visit, opener, id).await.unwrap_or_else(|_| {
            page(
                StatusCode::BAD_GATEWAY,
                "ERR_NGROK_3004",
                "The server returned an invalid or incomplete HTTP response.",
            )
        }),
    }
}

/// The host that was asked for, with its port if it was named.
fn named(request: &Request<Incoming>) -> String {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    request.uri().authority().map(|authority| authority.as_str()).or(header).unwrap_or_default().to_owned()
}

/// ngrok's test: a browser's User-Agent, without the header that skips the page or the cookie of having seen it.
fn is_browser(headers: &HeaderMap) -> bool {
    let contains = |name: HeaderName, what: &str| {
        headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(|value| value.contains(what)))
    };
    contains(header::USER_AGENT, "Mozilla/")
        && !headers.contains_key("ngrok-skip-browser-warning")
        && !contains(header::COOKIE, "abuse_interstitial")
}

fn page(status: StatusCode, code: &str, words: &str) -> Response<Body> {
    let html = format!("<!DOCTYPE html><html><body><h1>{words}</h1><p>{code}</p></body></html>");
    let mut answer = Response::new(Full::new(Bytes::from(html)).map_err(|never| match never {}).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    if let Ok(code) = HeaderValue::from_str(code) {
        answer.headers_mut().insert("ngrok-error-code", code);
    }
    answer
}

async fn forward(
    request: Request<Incoming>,
    host: &str,
    visit: &Visit,
    mut opener: Opener,
    id: String,
) -> anyhow::Result<Response<Body>> {
    let mut stream = opener.open_typed(StreamType::clamp(PROXY)).await?;
    let head = json!({ "Id": id, "ClientAddr": visit.from.to_string(), "Proto": visit.scheme, "EdgeType": "0", "PassthroughTLS": false });
    let head = head.to_string();
    stream.write_i64_le(i64::try_from(head.len())?).await?;
    stream.write_all(head.as_bytes()).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(Bytewise(stream))).await?;
    tokio::spawn(connection.with_upgrades());
    let (mut parts, body) = request.into_parts();
    let visitor = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
    parts.uri = parts.uri.path_and_query().context("a request has a path")?.as_str().parse()?;
    parts.version = hyper::Version::HTTP_11;
    parts.headers.insert(header::HOST, host.parse()?);
    parts.headers.insert("x-forwarded-for", visit.from.ip().to_string().parse()?);
    parts.headers.insert("x-forwarded-proto", HeaderValue::from_static(visit.scheme));
    parts.headers.insert("x-forwarded-host", host.parse()?);
    let mut answer = sender.send_request(Request::from_parts(parts, body)).await?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let agent = hyper::upgrade::on(&mut answer);
        tokio::spawn(join(visitor.context("nobody to switch with")?, agent));
    }
    Ok(answer.map(BodyExt::boxed))
}

async fn join(visitor: hyper::upgrade::OnUpgrade, agent: hyper::upgrade::OnUpgrade) {
    if let (Ok(visitor), Ok(agent)) = tokio::join!(visitor, agent) {
        let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(visitor), &mut TokioIo::new(agent)).await;
    }
}
