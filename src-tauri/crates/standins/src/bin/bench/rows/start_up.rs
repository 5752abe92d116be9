//! From the start of the program to the first answer of its public door, with a million events in its store.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    history,
};
use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

const ROUNDS: usize = 20;
/// CloudCLI's Node server with 200 sessions indexed, as measured. Its native modules cannot be had everywhere, so this is a
/// figure from another run.
const CLOUDCLI_MS: f64 = 630.0;
const WITHIN: Duration = Duration::from_secs(60);

pub async fn measure() -> Result<Figures> {
    let store = history::kept().await?;
    let mut ours = Series::default();
    for _ in 0..ROUNDS {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let wish = Wish { port, store: Some(store.clone()), ..Wish::PLAIN };
        at_a_desk(wish, async |desk| {
            first_answer(SocketAddr::from(([127, 0, 0, 1], port)), desk.started).await?;
            ours.push_ms(desk.started.elapsed());
            Ok(())
        })
        .await?;
    }
    let figures = Figures::of("start-up", "ms", &ours, &Series::from_iter([CLOUDCLI_MS])).at_most(0.1);
    let goal = format!("{} (CloudCLI's as measured in another run)", figures.goal);
    Ok(Figures { goal, ..figures })
}

async fn first_answer(at: SocketAddr, started: Instant) -> Result<()> {
    loop {
        match health(at).await {
            Ok(()) => return Ok(()),
            Err(error) => ensure!(started.elapsed() < WITHIN, "the program does not answer: {error:#}"),
        }
        sleep(Duration::from_millis(1)).await;
    }
}

async fn health(at: SocketAddr) -> Result<()> {
    let (mut sender, wire) = http1::handshake(TokioIo::new(TcpStream::connect(at).await?)).await?;
    tokio::spawn(wire);
    let request = Request::get("/health").header("host", at.to_string()).body(Empty::<Bytes>::new())?;
    let status = sender.send_request(request).await?.status();
    ensure!(status == 200, "/health answers {status}");
    Ok(())
}
