//! The proxy: hosts outside, by name, for whoever in the sandbox has its token.

use crate::{
    Error, HostAsk, Kind,
    answer::{Answer, BoxError, empty, proxy_error},
    crowd::{Held, Share},
    dial::{check, dial},
    door::{Connection, Inner},
    headers,
    hello::Hello,
    hosts::Target,
    house::{Carried, Decision, DecisionId, Payer},
    policy::Verdict,
    tunnel::{Counts, carry},
};
use bytes::Bytes;
use domain::{Code, Problem, SandboxId};
use http_body_util::BodyExt;
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::Incoming,
    client::conn::http1,
    header::{HOST, HeaderValue},
    http::uri::{PathAndQuery, Scheme},
};
use hyper_util::rt::TokioIo;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use uuid::Uuid;

pub(crate) async fn handle(door: &Arc<Inner>, connection: &Connection, request: Request<Incoming>) -> Answer {
    let kind = if request.method() == Method::CONNECT { Kind::Tunnel } else { Kind::Http };
    // Without what stands before an @: it could be a password.
    let uri = request.uri();
    let port = uri.port_u16().unwrap_or(if kind == Kind::Http { 80 } else { 0 });
    let mut record = Record::of(door, connection.sandbox, kind, uri.host().unwrap_or_default().to_owned(), port);
    let opened = open(door, connection, &mut record, &request).await;
    let opened = match record.decide(opened) {
        Ok(opened) => opened,
        Err(error) => return proxy_error(&error),
    };
    if kind == Kind::Tunnel {
        return tunnel(door, connection, opened, request);
    }
    forward(door, connection, opened, request).await.unwrap_or_else(|error| proxy_error(&error))
}

/// A connection to a host that was allowed.
struct Opened {
    id: DecisionId,
    payer: Payer,
    target: Target,
    stream: TcpStream,
    held: Held,
}

async fn open(
    door: &Inner,
    connection: &Connection,
    record: &mut Record<'_>,
    request: &Request<Incoming>,
) -> Result<Opened, Error> {
    let token = headers::proxy_token(request.headers()).ok_or(Error::NoCredentials)?;
    record.decision.payer = door.house.who(record.decision.sandbox, &token).await?;
    let held = connection.place.hold(Share::Hosts)?;
    let target = asked_for(request)?;
    let method = Some(request.method()).filter(|method| *method != Method::CONNECT);
    let private = allowed(door, &record.decision, &target, method).await?;
    let stream = dial(&*door.names, &target, private, door.settings.connect_timeout).await?;
    Ok(Opened { id: record.decision.id, payer: record.decision.payer, target, stream, held })
}

/// The host a request names, if it names it in one of the two proper forms.
fn asked_for(request: &Request<Incoming>) -> Result<Target, Error> {
    let uri = request.uri();
    let authority = uri.authority().ok_or(Error::BadRequest("names no host"))?;
    if request.method() == Method::CONNECT {
        let bare = uri.scheme().is_none() && uri.path_and_query().is_none_or(|path| path == "/" || path == "");
        return if bare { Target::parse(authority, None) } else { Err(Error::BadRequest("is no CONNECT host:port")) };
    }
    match uri.scheme() == Some(&Scheme::HTTP) {
        true => Target::parse(authority, Some(80)),
        false => Err(Error::BadRequest("asks the proxy for something other than http; use CONNECT")),
    }
}

/// Whether the host may be reached, and whether even on a private network.
pub(crate) async fn allowed(
    door: &Inner,
    decision: &Decision,
    target: &Target,
    method: Option<&Method>,
) -> Result<bool, Error> {
    not_the_model(door, target)?;
    match says(door, decision, target, method).await {
        Verdict::Allowed { private } => return Ok(private),
        Verdict::Denied => {
            let problem = Problem::with_detail(Code::HostBlocked, format!("A rule of the owner refuses {target}."));
            return Err(problem.suggest("Go on without it.").into());
        }
        Verdict::NotNamed => {}
    }
    if let Some(private) = door.house.lets_out(&target.host, target.port).await {
        return Ok(private);
    }
    // Nobody need be asked about an address that stays shut; where a name leads is not looked up before it is allowed.
    if let Some(address) = target.address() {
        check(address, &target.host, false)?;
    }
    let ask = HostAsk {
        sandbox: decision.sandbox,
        payer: decision.payer,
        host: target.host.clone(),
        port: target.port,
        kind: decision.kind,
    };
    match timeout(door.settings.ask_timeout, door.house.admit_host(ask)).await {
        Ok(answer) => Ok(answer.map(|()| false)?),
        Err(_) => Err(Problem::with_detail(Code::HostBlocked, "No answer came in time.").into()),
    }
}

/// With another key than the owner's, what is here could be carried to another account and past the meter.
pub(crate) fn not_the_model(door: &Inner, target: &Target) -> Result<(), Error> {
    if target.host != door.upstream.host() {
        return Ok(());
    }
    let problem = Problem::with_detail(Code::HostBlocked, "The model is reached by ANTHROPIC_BASE_URL only.");
    Err(problem.suggest("Leave ANTHROPIC_BASE_URL as it is set in the sandbox.").into())
}

/// What the policy says, for the agent that asks.
pub(crate) async fn says(door: &Inner, decision: &Decision, target: &Target, method: Option<&Method>) -> Verdict {
    let policy = door.policy(decision.sandbox);
    let agent = match policy.knows_agents() {
        true => door.house.agent(decision.payer).await,
        false => None,
    };
    policy.says(target, method, agent.as_deref())
}

fn tunnel(door: &Arc<Inner>, connection: &Connection, opened: Opened, request: Request<Incoming>) -> Answer {
    let (door, stop, sandbox) = (door.clone(), connection.stop.clone(), connection.sandbox);
    connection.tasks.spawn(async move {
        let Opened { id, payer, target, stream, held: _held } = opened;
        let (counts, clock, other_host) = (Counts::default(), Instant::now(), Arc::new(AtomicBool::new(false)));
        // None or an error: stopped, or the asker left before its tunnel stood.
        if let Some(Ok(inner)) = stop.run_until_cancelled(hyper::upgrade::on(request)).await {
            let inner = Hello::new(TokioIo::new(inner), target.host.clone(), other_host.clone());
            carry(inner, stream, &counts, door.settings.tunnel_idle, &stop).await;
        }
        if other_host.load(Relaxed) {
            let what = format!("Within a tunnel to {target} another host was asked for.");
            let refused = Some(Problem::with_detail(Code::HostBlocked, what));
            let (host, port) = (target.host, target.port);
            let id = Uuid::now_v7();
            door.house.decided(Decision { id, sandbox, payer, host, port, kind: Kind::Tunnel, refused, waited_ms: 0 });
        }
        door.house.carried(carried(id, sandbox, &counts, clock));
    });
    empty(StatusCode::OK)
}

async fn forward(
    door: &Arc<Inner>,
    connection: &Connection,
    opened: Opened,
    request: Request<Incoming>,
) -> Result<Answer, Error> {
    let Opened { id, target, stream, held, .. } = opened;
    let answer = exchange(door, connection, id, &target.host, stream, origin_form(request, &target)?).await?;
    Ok(held.through(answer))
}

/// One request over a connection of its own, and its answer as it comes.
pub(crate) async fn exchange<S, B>(
    door: &Arc<Inner>,
    connection: &Connection,
    id: DecisionId,
    host: &str,
    stream: S,
    request: Request<B>,
) -> Result<Answer, Error>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (counts, clock) = (Counts::default(), Instant::now());
    let (mut sender, wire) = http1::handshake(TokioIo::new(Box::pin(counts.watch(stream))))
        .await
        .map_err(|e| Error::unreachable(host, e))?;
    let (house, idle, stop, sandbox) =
        (door.house.clone(), door.settings.tunnel_idle, connection.stop.clone(), connection.sandbox);
    connection.tasks.spawn(async move {
        tokio::select! {
            _ = wire => {}
            () = counts.idle(idle) => {}
            () = stop.cancelled() => {}
        }
        house.carried(carried(id, sandbox, &counts, clock));
    });
    let limit = door.settings.first_byte_timeout;
    let answer = timeout(limit, sender.send_request(request)).await;
    let answer = answer.map_err(|_| Error::timed_out(host))?.map_err(|e| Error::unreachable(host, e))?;
    let (mut parts, body) = answer.into_parts();
    headers::drop_hop_by_hop(&mut parts.headers);
    Ok(Response::from_parts(parts, body.map_err(BoxError::from).boxed_unsync()))
}

/// The request as the far server gets it: `Host` is the host that was allowed, whatever header came.
fn origin_form(request: Request<Incoming>, target: &Target) -> Result<Request<Incoming>, Error> {
    let (mut parts, body) = request.into_parts();
    headers::drop_hop_by_hop(&mut parts.headers);
    let authority = target.to_string();
    let host = authority.strip_suffix(":80").unwrap_or(&authority);
    parts.headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| Error::BadRequest("names no host"))?);
    let path = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    parts.uri = Uri::from(path);
    Ok(Request::from_parts(parts, body))
}

fn carried(id: DecisionId, sandbox: SandboxId, counts: &Counts, clock: Instant) -> Carried {
    Carried { id, sandbox, sent: counts.sent(), received: counts.received(), duration_ms: millis(clock.elapsed()) }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// The decision in the making. Told to the house exactly once, also when the asker goes away while the owner thinks.
pub(crate) struct Record<'a> {
    door: &'a Inner,
    pub decision: Decision,
    clock: Instant,
    told: bool,
}

impl<'a> Record<'a> {
    pub fn of(door: &'a Inner, sandbox: SandboxId, kind: Kind, host: String, port: u16) -> Self {
        let host = host.chars().take(255).collect();
        let decision = Decision {
            id: Uuid::now_v7(),
            sandbox,
            payer: Payer::default(),
            host,
            port,
            kind,
            refused: None,
            waited_ms: 0,
        };
        Self { door, decision, clock: Instant::now(), told: false }
    }

    pub fn decide<T>(mut self, opened: Result<T, Error>) -> Result<T, Error> {
        self.tell(opened.as_ref().err().map(Error::problem));
        opened
    }

    fn tell(&mut self, refused: Option<Problem>) {
        self.told = true;
        self.door.house.decided(Decision { refused, waited_ms: millis(self.clock.elapsed()), ..self.decision.clone() });
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.tell(Some(Problem::with_detail(Code::HostBlocked, "The asker went away before an answer came.")));
        }
    }
}
