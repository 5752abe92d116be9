//! A streamed answer of the model through the egress door, keys and metering included, against straight to the stand-in.

use crate::figures::{Figures, Series};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use domain::{Problem, SandboxId};
use egress::{Admission, Credential, Decision, Door, House, Left, Payer, Settings, Spend};
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use standins::anthropic::{Anthropic, KEY, Script, Step};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;

const SHORT_ROUNDS: usize = 500;
const LONG_ROUNDS: usize = 30;
/// 16 characters to a piece: 16 000 pieces, about 2 MB on the wire.
const LONG: usize = 256_000;

/// Lets everything through, so that what is measured is the door.
struct Open;

impl House for Open {
    fn who(&self, _: SandboxId, _: &str) -> BoxFuture<'_, Result<Payer, Problem>> {
        Box::pin(async { Ok(Payer::default()) })
    }
    fn admit_model(&self, _: SandboxId, _: Payer) -> BoxFuture<'_, Result<Admission, Problem>> {
        Box::pin(async { Ok(Admission { key: Credential::ApiKey(KEY.into()), left: Left::default() }) })
    }
    fn spent(&self, _: SandboxId, _: Spend) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
    fn decided(&self, _: Decision) {}
}

pub async fn measure() -> Result<Figures> {
    let long = Script::when("long").step(Step::text("words and words ".repeat(LONG / 16)));
    let model = Anthropic::start([long, Script::always().step(Step::text("A short answer."))]).await?;
    let folder = tempfile::tempdir()?;
    let socket = UnixListener::bind(folder.path().join("door"))?;
    tokio::spawn(serve(Door::new(Settings::new(model.url().parse()?), Arc::new(Open))?, socket));
    let mut through = client(UnixStream::connect(folder.path().join("door")).await?).await?;
    let straight = TcpStream::connect(model.address()).await?;
    straight.set_nodelay(true)?;
    let mut straight = client(straight).await?;

    let (first, first_straight, ..) = in_turn(&mut through, &mut straight, "a short one", SHORT_ROUNDS).await?;
    let (.., rate, rate_straight) = in_turn(&mut through, &mut straight, "a long one", LONG_ROUNDS).await?;
    let (more, throughput) = (first.median() - first_straight.median(), rate.median() / rate_straight.median());
    let goal = format!(
        "first byte at most 1 ms more ({more:.2}), throughput at least 0.95 x ({throughput:.2}: {:.1} and {:.1} MB/s)",
        rate.median(),
        rate_straight.median()
    );
    let met = more <= 1.0 && throughput >= 0.95;
    Ok(Figures::of("egress", "ms", &first, &first_straight).judged(goal, met))
}

async fn serve(door: Door, socket: UnixListener) {
    while let Ok((stream, _)) = socket.accept().await {
        let door = door.clone();
        tokio::spawn(async move { door.serve(stream, SandboxId::new(), CancellationToken::new()).await });
    }
}

type Client = SendRequest<Full<Bytes>>;

async fn client<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<Client> {
    let (sender, wire) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(wire);
    Ok(sender)
}

/// Milliseconds to the first byte, ours and straight; then megabytes a second, ours and straight.
async fn in_turn(
    through: &mut Client,
    straight: &mut Client,
    words: &str,
    rounds: usize,
) -> Result<(Series, Series, Series, Series)> {
    let mut met = <(Series, Series, Series, Series)>::default();
    let before = (ask(through, words).await?, ask(straight, words).await?);
    ensure!(before.0.bytes.abs_diff(before.1.bytes) < 100, "the same answer either way");
    for _ in 0..rounds {
        let (ours, other) = (ask(through, words).await?, ask(straight, words).await?);
        met.0.push_ms(ours.first);
        met.1.push_ms(other.first);
        met.2.push(ours.rate());
        met.3.push(other.rate());
    }
    Ok(met)
}

struct Answer {
    first: Duration,
    all: Duration,
    bytes: usize,
}

impl Answer {
    fn rate(&self) -> f64 {
        self.bytes as f64 / self.all.as_secs_f64() / 1e6
    }
}

async fn ask(client: &mut Client, words: &str) -> Result<Answer> {
    client.ready().await?;
    let body = serde_json::json!({ "model": "claude-opus-5", "max_tokens": 100, "stream": true,
                                   "messages": [{ "role": "user", "content": words }] });
    let request = Request::post("/v1/messages").header("host", "model").header("x-api-key", KEY);
    let request = request.header("anthropic-version", "2023-06-01").header("content-type", "application/json");
    let request = request.body(Full::new(Bytes::from(body.to_string())))?;
    let sent = Instant::now();
    let answer = client.send_request(request).await?;
    ensure!(answer.status() == 200, "HTTP {}", answer.status());
    let (mut body, mut first, mut bytes) = (answer.into_body(), None, 0);
    while let Some(frame) = body.frame().await {
        first.get_or_insert_with(|| sent.elapsed());
        bytes += frame?.into_data().map_or(0, |data| data.len());
    }
    Ok(Answer { first: first.context("an empty answer")?, all: sent.elapsed(), bytes })
}
