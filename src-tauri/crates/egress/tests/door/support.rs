//! A model and a house that do as a test says, and a client inside the sandbox.

use bytes::Bytes;
use domain::{Code, Problem, SandboxId, SessionId, Timestamp, usage::MicroDollars};
use egress::{
    Admission, Carried, Credential, CredentialSource, Decision, Door, HostAsk, House, Left, Payer, PushAsk, Resolve,
    Settings, Spend,
};
use futures::{StreamExt, future::BoxFuture, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    client::conn::http1::{self, SendRequest},
    http::request::Parts,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use secrecy::SecretString;
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub const TOKEN: &str = "lanyard-sandbox-token-1";
/// What the house keeps as `github`.
pub const FAR_SECRET: &str = "ghp_owner";
pub const KEY: &str = "sk-ant-real-key-0123456789";
/// All connections of a test come from one sandbox.
pub const SANDBOX: SandboxId = SandboxId(uuid::Uuid::nil());
pub const LIMIT: Duration = Duration::from_secs(20);

pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.expect("within the deadline")
}

/// Knows one token per payer; notes all it is told.
pub struct FakeHouse {
    pub payer: Payer,
    pub left: Mutex<Left>,
    pub refuse: Mutex<Option<Problem>>,
    /// Answers "allow this domain?"; none keeps the asker waiting.
    pub owner: Mutex<Option<bool>>,
    /// Whom the payer's session is with.
    pub agent: Mutex<Option<String>>,
    /// Whether `spent` returns.
    pub records: watch::Sender<bool>,
    pub told: watch::Sender<Told>,
}

#[derive(Clone, Debug, Default)]
pub struct Told {
    pub spends: Vec<Spend>,
    pub decisions: Vec<Decision>,
    pub carried: Vec<Carried>,
    pub asks: Vec<HostAsk>,
    pub pushes: Vec<PushAsk>,
    pub limits: Vec<Timestamp>,
    pub admitted: usize,
}

impl FakeHouse {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            payer: Payer { session: Some(SessionId::new()), turn: None },
            left: Mutex::default(),
            refuse: Mutex::default(),
            owner: Mutex::new(Some(false)),
            agent: Mutex::default(),
            records: watch::Sender::new(true),
            told: watch::Sender::default(),
        })
    }

    pub async fn until(&self, is: impl FnMut(&Told) -> bool) -> Told {
        let mut told = self.told.subscribe();
        soon(told.wait_for(is)).await.expect("the house lives").clone()
    }

    pub async fn one_spend(&self) -> Spend {
        self.until(|t| !t.spends.is_empty()).await.spends[0].clone()
    }
}

impl House for FakeHouse {
    fn who(&self, _: SandboxId, token: &str) -> BoxFuture<'_, Result<Payer, Problem>> {
        let known = if token == TOKEN { Ok(self.payer) } else { Err(Code::BadSandboxToken.into()) };
        Box::pin(async move { known })
    }

    fn admit_model(&self, _: SandboxId, _: Payer) -> BoxFuture<'_, Result<Admission, Problem>> {
        Box::pin(async move {
            if let Some(problem) = self.refuse.lock().unwrap().clone() {
                return Err(problem);
            }
            self.told.send_modify(|t| t.admitted += 1);
            Ok(Admission { key: Credential::ApiKey(KEY.into()), left: *self.left.lock().unwrap() })
        })
    }

    fn spent(&self, _: SandboxId, spend: Spend) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _ = self.records.subscribe().wait_for(|records| *records).await;
            let mut left = self.left.lock().unwrap();
            for left in [&mut left.session].into_iter().flatten() {
                *left = MicroDollars(left.0.saturating_sub(spend.cost.0));
            }
            drop(left);
            self.told.send_modify(|t| t.spends.push(spend));
        })
    }

    fn admit_host(&self, ask: HostAsk) -> BoxFuture<'_, Result<(), Problem>> {
        self.told.send_modify(|t| t.asks.push(ask));
        let owner = *self.owner.lock().unwrap();
        Box::pin(async move {
            match owner {
                Some(true) => Ok(()),
                Some(false) => Err(Code::HostBlocked.into()),
                None => std::future::pending().await,
            }
        })
    }

    fn limited(&self, _payer: Payer, until: Timestamp) -> BoxFuture<'_, ()> {
        self.told.send_modify(|t| t.limits.push(until));
        Box::pin(async {})
    }

    fn credential(&self, source: &CredentialSource) -> BoxFuture<'_, Result<SecretString, Problem>> {
        let known = *source == CredentialSource::Secret("github".into());
        Box::pin(async move { if known { Ok(FAR_SECRET.into()) } else { Err(Code::NoKey.into()) } })
    }

    fn admit_push(&self, ask: PushAsk) -> BoxFuture<'_, Result<(), Problem>> {
        self.told.send_modify(|t| t.pushes.push(ask));
        let owner = *self.owner.lock().unwrap();
        Box::pin(async move {
            match owner {
                Some(true) => Ok(()),
                _ => Err(Code::PushBlocked.into()),
            }
        })
    }

    fn agent(&self, _payer: Payer) -> BoxFuture<'_, Option<String>> {
        let agent = self.agent.lock().unwrap().clone();
        Box::pin(async move { agent })
    }

    fn decided(&self, decision: Decision) {
        self.told.send_modify(|t| t.decisions.push(decision));
    }

    fn carried(&self, carried: Carried) {
        self.told.send_modify(|t| t.carried.push(carried));
    }
}

/// Names that lead where the test says, another address each time they are asked.
pub struct Names(pub Vec<(&'static str, Vec<Vec<SocketAddr>>)>, pub AtomicUsize);

impl Names {
    pub fn of(names: &[(&'static str, &[&str])]) -> Arc<Self> {
        let one = |addresses: &[&str]| vec![addresses.iter().map(|a| a.parse().unwrap()).collect()];
        Arc::new(Self(names.iter().map(|(n, a)| (*n, one(a))).collect(), AtomicUsize::new(0)))
    }
}

impl Resolve for Names {
    fn resolve(&self, host: String, _: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        let time = self.1.fetch_add(1, Ordering::SeqCst);
        let known =
            self.0.iter().find(|(name, _)| *name == host).map(|(_, times)| times[time.min(times.len() - 1)].clone());
        Box::pin(async move { known.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

pub type ModelBody = BoxBody<Bytes, io::Error>;

/// One request as the model got it, to be answered by the test.
pub struct Exchange {
    pub parts: Parts,
    pub body: Bytes,
    pub answer: oneshot::Sender<Response<ModelBody>>,
}

/// A model on loopback.
pub struct Model {
    pub address: SocketAddr,
    pub exchanges: mpsc::UnboundedReceiver<Exchange>,
    pub connections: Arc<AtomicUsize>,
}

impl Model {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (send, exchanges) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                tokio::spawn(speak(stream, send.clone()));
            }
        });
        Self { address, exchanges, connections }
    }

    pub async fn next(&mut self) -> Exchange {
        soon(self.exchanges.recv()).await.expect("a request reaches the model")
    }

    /// Answers all requests from now on the same way.
    pub fn always(mut self, answer: impl Fn(&Exchange) -> Response<ModelBody> + Send + 'static) -> SocketAddr {
        tokio::spawn(async move {
            while let Some(exchange) = self.exchanges.recv().await {
                let response = answer(&exchange);
                let _ = exchange.answer.send(response);
            }
        });
        self.address
    }

    pub fn settings(&self) -> Settings {
        Settings::new(format!("http://{}", self.address).parse().unwrap())
    }
}

/// Speaks HTTP/1.1 or 2 on a stream, handing each request to the test.
pub async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, to: mpsc::UnboundedSender<Exchange>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let to = to.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let (answer, answered) = oneshot::channel();
            let _ = to.send(Exchange { parts, body, answer });
            Ok::<_, Infallible>(answered.await.unwrap_or_else(|_| whole(500, "{}")))
        }
    });
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

pub fn whole(status: u16, text: impl Into<Bytes>) -> Response<ModelBody> {
    let body = Full::new(text.into()).map_err(|never| match never {}).boxed();
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("request-id", "req_1")
        .body(body)
        .unwrap()
}

/// An event stream whose pieces the test sends one by one; dropping the sender ends it, an error cuts it.
pub fn streamed() -> (mpsc::Sender<io::Result<&'static str>>, Response<ModelBody>) {
    let (send, receive) = mpsc::channel(1);
    let pieces = stream::unfold(receive, |mut receive| async move {
        let piece: io::Result<&'static str> = receive.recv().await?;
        Some((piece.map(|text| Frame::data(Bytes::from_static(text.as_bytes()))), receive))
    });
    let body = BodyExt::boxed(StreamBody::new(SyncStream(Mutex::new(pieces.boxed()))));
    let response = Response::builder()
        .header("content-type", "text/event-stream; charset=utf-8")
        .header("request-id", "req_2")
        .header("set-cookie", "session=secret");
    (send, response.body(body).unwrap())
}

struct SyncStream<T>(Mutex<stream::BoxStream<'static, T>>);

impl<T> futures::Stream for SyncStream<T> {
    type Item = T;
    fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<T>> {
        self.0.lock().unwrap().poll_next_unpin(cx)
    }
}

pub const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-opus-5\",\"usage\":{\"input_tokens\":1000,\"output_tokens\":1,\"cache_read_input_tokens\":0}}}\n\n";
pub const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n";
pub const LAST: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":40}}\n\n";
pub const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
/// 1 000 in at $5 and 40 out at $25 a million.
pub const COST: MicroDollars = MicroDollars(6_000);

/// Connects from inside a sandbox: a raw stream to the door.
pub fn connect(door: &Door, stop: &CancellationToken) -> DuplexStream {
    let (inside, outside) = tokio::io::duplex(64 << 10);
    let (door, stop) = (door.clone(), stop.clone());
    tokio::spawn(async move { door.serve(outside, SANDBOX, stop).await });
    inside
}

/// A kept-alive HTTP client inside.
pub async fn client(door: &Door) -> SendRequest<Full<Bytes>> {
    let (sender, wire) = http1::handshake(TokioIo::new(connect(door, &CancellationToken::new()))).await.unwrap();
    tokio::spawn(wire.with_upgrades());
    sender
}

pub fn ask(token: &str) -> Request<Full<Bytes>> {
    ask_with(
        token,
        r#"{"model":"claude-opus-5","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#,
    )
}

pub fn ask_with(token: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::post("/v1/messages?beta=true").header("host", "127.0.0.1:3128").header("x-api-key", token);
    request.header("accept-encoding", "gzip, br").header("cookie", "a=b").body(Full::new(body.into())).unwrap()
}

pub async fn piece(body: &mut Incoming) -> Option<String> {
    let frame = soon(body.frame()).await?;
    Some(String::from_utf8(frame.ok()?.into_data().ok()?.to_vec()).unwrap())
}

pub async fn text(response: Response<Incoming>) -> (StatusCode, String) {
    let status = response.status();
    let body = soon(response.into_body().collect()).await.expect("a whole body").to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Says raw bytes to the door and returns all it says back until it closes or `enough` is seen.
pub async fn raw(door: &Door, bytes: &[u8], enough: &str) -> String {
    let mut stream = connect(door, &CancellationToken::new());
    stream.write_all(bytes).await.unwrap();
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&said).contains(enough) {
        match soon(stream.read(&mut buffer)).await {
            Ok(0) | Err(_) => break,
            Ok(n) => said.extend_from_slice(&buffer[..n]),
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// `Proxy-Authorization` for a token.
pub fn basic(token: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("lanyard:{token}")))
}

/// A model, a house and a door between them.
pub async fn world() -> (Model, Arc<FakeHouse>, Door) {
    let (model, house) = (Model::start().await, FakeHouse::new());
    let door = Door::new(model.settings(), house.clone()).unwrap();
    (model, house, door)
}

/// A streamed answer that has begun: what the model says next, and what the sandbox hears.
pub async fn begun(
    model: &mut Model,
    client: &mut SendRequest<Full<Bytes>>,
) -> (mpsc::Sender<io::Result<&'static str>>, Response<Incoming>) {
    let answer = tokio::spawn(client.send_request(ask(TOKEN)));
    let (say, response) = streamed();
    model.next().await.answer.send(response).unwrap();
    (say, soon(answer).await.unwrap().unwrap())
}
