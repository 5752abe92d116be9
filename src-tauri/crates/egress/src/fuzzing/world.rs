//! A house, names, a model and a host far away for the door to stand between. All that reaches them is noted.

use crate::{Admission, Credential, CredentialSource, Decision, House, Left, Payer, PushAsk, Resolve, Spend};
use bytes::Bytes;
use domain::{Code, Problem, SandboxId};
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, header::HeaderMap, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub const TOKEN: &str = "sandbox-token";
pub const KEY: &str = "the-owners-key";
/// For the far host, where a rule says so.
pub const SECRET: &str = "the-owners-secret";
const STREAM: &str = concat!(
    "data: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-opus-5\",\"usage\":{\"input_tokens\":5}}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
    "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":4}}\n\ndata: {\"type\":\"message_stop\"}\n\n",
);
const WHOLE: &str = r#"{"model":"claude-opus-5","content":[],"usage":{"input_tokens":5,"output_tokens":4}}"#;

/// What reached anybody since it was last taken.
#[derive(Default)]
pub struct Told {
    /// Times the sandbox's token was shown.
    pub known: usize,
    pub admitted: usize,
    pub spent: usize,
    pub looked_up: Vec<(String, u16)>,
    pub decisions: Vec<Decision>,
    /// Times it was asked whether refs may be changed, which nobody may.
    pub pushes: usize,
    /// Path and headers of what the model was asked.
    pub asked: Vec<(String, HeaderMap)>,
}

#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Told>>);

impl World {
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is somebody outside being waited for?
    pub fn reached(&self) -> bool {
        let told = self.told();
        told.admitted > 0 || !told.looked_up.is_empty()
    }

    /// A model on loopback that answers at once.
    pub async fn model(&self) -> SocketAddr {
        let world = self.clone();
        listen(move |stream| {
            let world = world.clone();
            async move {
                let service = service_fn(|request| world.answer(request));
                // It ends when the door has no more use for it.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            }
        })
        .await
    }

    /// A host that says the same to whoever says anything.
    pub async fn far() -> SocketAddr {
        listen(|mut stream: TcpStream| async move {
            let mut buffer = [0; 4096];
            while let Ok(1..) = stream.read(&mut buffer).await {
                if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await.is_err() {
                    break;
                }
            }
        })
        .await
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        self.told().asked.push((parts.uri.path().to_owned(), parts.headers));
        let streamed = memchr::memmem::find(&body, b"\"stream\":true").is_some();
        let (kind, said) = if streamed { ("text/event-stream", STREAM) } else { ("application/json", WHOLE) };
        let mut answer = Response::new(Full::from(said));
        answer.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
        Ok(answer)
    }
}

async fn listen<F: Future<Output = ()> + Send + 'static>(with: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
    let address = listener.local_addr().expect("a bound listener has an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    address
}

impl House for World {
    fn who(&self, _: SandboxId, token: &str) -> BoxFuture<'_, Result<Payer, Problem>> {
        let known = token == TOKEN;
        self.told().known += usize::from(known);
        Box::pin(async move { if known { Ok(Payer::default()) } else { Err(Code::BadSandboxToken.into()) } })
    }

    fn admit_model(&self, _: SandboxId, _: Payer) -> BoxFuture<'_, Result<Admission, Problem>> {
        self.told().admitted += 1;
        Box::pin(async { Ok(Admission { key: Credential::ApiKey(KEY.into()), left: Left::default() }) })
    }

    fn spent(&self, _: SandboxId, _: Spend) -> BoxFuture<'_, ()> {
        self.told().spent += 1;
        Box::pin(async {})
    }

    fn credential(&self, _: &CredentialSource) -> BoxFuture<'_, Result<SecretString, Problem>> {
        Box::pin(async { Ok(SECRET.into()) })
    }

    fn admit_push(&self, ask: PushAsk) -> BoxFuture<'_, Result<(), Problem>> {
        assert!(ask.updates.iter().all(|update| update.name.starts_with("refs/")), "a ref is asked about by its name");
        self.told().pushes += 1;
        Box::pin(async { Err(Code::PushBlocked.into()) })
    }

    fn decided(&self, decision: Decision) {
        self.told().decisions.push(decision);
    }
}

/// Every name leads to this computer.
impl Resolve for World {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        self.told().looked_up.push((host, port));
        Box::pin(async { Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]) })
    }
}
