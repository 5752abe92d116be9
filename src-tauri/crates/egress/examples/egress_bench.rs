//! What the door costs: a streamed answer through it against one straight from the same model, taken in turn.
//! `cargo run --release -p egress --example egress_bench`. Prints medians; the inside speaks over a unix socket.

use bytes::Bytes;
use domain::{Problem, SandboxId};
use egress::{Admission, Credential, Decision, Door, House, Left, Payer, Settings, Spend};
use futures::{StreamExt, future::BoxFuture, stream};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    client::conn::http1::{self, SendRequest},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 300;
const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"some words of it\"}}\n\n";
const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-opus-5\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n";
const STOP: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":40}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

struct Open;

impl House for Open {
    fn who(&self, _: SandboxId, _: &str) -> BoxFuture<'_, Result<Payer, Problem>> {
        Box::pin(async { Ok(Payer::default()) })
    }
    fn admit_model(&self, _: SandboxId, _: Payer) -> BoxFuture<'_, Result<Admission, Problem>> {
        Box::pin(async { Ok(Admission { key: Credential::ApiKey("key".into()), left: Left::default() }) })
    }
    fn spent(&self, _: SandboxId, _: Spend) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
    fn decided(&self, _: Decision) {}
}

/// `anthropic-deltas` pieces, `anthropic-pace-us` apart (names that pass the door) (0: as fast as they go).
async fn model(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| async move {
        let number = |name: &str| request.headers()[name].to_str().unwrap().parse::<u64>().unwrap();
        let (deltas, pace) = (number("anthropic-deltas"), Duration::from_micros(number("anthropic-pace-us")));
        request.into_body().collect().await.unwrap();
        let said: Vec<Bytes> = [START]
            .into_iter()
            .chain((0..deltas).map(|_| DELTA))
            .chain([STOP])
            .map(|text| Bytes::from_static(text.as_bytes()))
            .collect();
        let body = stream::iter(said).then(move |bytes| async move {
            if !pace.is_zero() && bytes == DELTA {
                sleep(pace).await;
            }
            Ok::<_, Infallible>(Frame::data(bytes))
        });
        Ok::<_, Infallible>(
            Response::builder()
                .header("content-type", "text/event-stream")
                .body(StreamBody::new(Box::pin(body)))
                .unwrap(),
        )
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn client<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> SendRequest<Full<Bytes>> {
    let (sender, wire) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(wire);
    sender
}

/// Time to the first byte, to the end, and bytes.
async fn turn(
    client: &mut SendRequest<Full<Bytes>>,
    prompt: &Bytes,
    deltas: u64,
    pace_us: u64,
) -> (Duration, Duration, usize) {
    client.ready().await.unwrap();
    let request = Request::post("/v1/messages")
        .header("x-api-key", "token")
        .header("host", "model")
        .header("anthropic-deltas", deltas)
        .header("anthropic-pace-us", pace_us);
    let clock = Instant::now();
    let answer = client.send_request(request.body(Full::new(prompt.clone())).unwrap()).await.unwrap();
    // An error would be quick, and no measurement.
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    let (mut first, mut bytes) = (None, 0);
    while let Some(frame) = body.frame().await {
        first.get_or_insert_with(|| clock.elapsed());
        bytes += frame.unwrap().into_data().map_or(0, |d| d.len());
    }
    (first.unwrap(), clock.elapsed(), bytes)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() * 99 / 100].as_secs_f64() * 1e6
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(model(stream));
        }
    });
    let door = Door::new(Settings::new(format!("http://{address}").parse().unwrap()), Arc::new(Open)).unwrap();
    let path = std::env::temp_dir().join(format!("egress-bench-{}.sock", std::process::id()));
    let socket = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let door = door.clone();
            tokio::spawn(async move { door.serve(stream, SandboxId::new(), CancellationToken::new()).await });
        }
    });
    let mut through = client(UnixStream::connect(&path).await.unwrap()).await;
    let straight = TcpStream::connect(address).await.unwrap();
    straight.set_nodelay(true).unwrap();
    let mut straight = client(straight).await;
    let prompt = |kib: usize| {
        Bytes::from(format!(
            r#"{{"model":"claude-opus-5","max_tokens":100,"stream":true,"messages":[{{"role":"user","content":[{{"type":"text","text":"{}"}}]}}]}}"#,
            "word ".repeat(kib * 205)
        ))
    };
    for (what, prompt, deltas, pace, rounds) in [
        ("64 KiB prompt, 200 deltas, 1 ms apart", prompt(64), 200, 1_000, 30),
        ("64 KiB prompt, 20 deltas at once", prompt(64), 20, 0, ROUNDS),
        ("1 KiB prompt, 20 deltas at once", prompt(1), 20, 0, ROUNDS),
        ("1 MiB prompt, 20 deltas at once", prompt(1024), 20, 0, 50),
        ("1 KiB prompt, 100 000 deltas at once", prompt(1), 100_000, 0, 20),
    ] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for _ in 0..rounds {
            ours.push(turn(&mut through, &prompt, deltas, pace).await);
            let other = turn(&mut straight, &prompt, deltas, pace).await;
            assert_eq!(other.2, ours[ours.len() - 1].2, "the same bytes either way");
            bytes = other.2;
            theirs.push(other);
        }
        let first = |turns: &[(Duration, Duration, usize)]| turns.iter().map(|t| t.0).collect::<Vec<_>>();
        let all = |turns: &[(Duration, Duration, usize)]| turns.iter().map(|t| t.1).collect::<Vec<_>>();
        let rate = |times| bytes as f64 / median(times);
        println!(
            "{what}: first byte {:.0} us through, {:.0} us straight ({:+.0} us; p99 {:.0} and {:.0}); {:.1} and {:.1} MB/s ({:.2} x)",
            median(first(&ours)),
            median(first(&theirs)),
            median(first(&ours)) - median(first(&theirs)),
            p99(first(&ours)),
            p99(first(&theirs)),
            rate(all(&ours)),
            rate(all(&theirs)),
            median(all(&theirs)) / median(all(&ours)),
        );
    }
    let _ = std::fs::remove_file(path);
}
