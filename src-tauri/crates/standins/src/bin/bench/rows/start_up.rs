//! From the start of the program to the first answer of its public door, with a million events in its store.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    history::write_session,
};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use domain::SessionId;
use http_body_util::Empty;
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use store::Store;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

const ROUNDS: usize = 20;
const SESSIONS: i64 = 200;
const EVENTS_EACH: i64 = 5_000;
/// CloudCLI's Node server with 200 sessions indexed, as measured. Its native modules cannot be had everywhere, so this is a
/// figure from another run.
const CLOUDCLI_MS: f64 = 630.0;
const WITHIN: Duration = Duration::from_secs(60);

pub async fn measure() -> Result<Figures> {
    let store = million_events().await?;
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

/// A folder with a database of a million events, made once and kept in the cache.
async fn million_events() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let bench = cache.or_else(home).context("HOME is not set")?.join("lanyard/bench");
    let kept = bench.join("million-events");
    if !kept.exists() {
        std::fs::create_dir_all(&bench)?;
        let fresh = tempfile::tempdir_in(&bench)?;
        eprintln!("writing a million events, once");
        write_events(fresh.path()).await?;
        std::fs::rename(fresh.path(), &kept)?;
    }
    // Kept by an earlier version: it is brought up to date before anything is measured.
    drop(Store::open(&kept.join("lanyard.db"))?);
    Ok(kept)
}

async fn write_events(folder: &Path) -> Result<()> {
    let store = Store::open(&folder.join("lanyard.db"))?;
    for _ in 0..SESSIONS {
        store.write(|tx| write_session(tx, SessionId::new(), EVENTS_EACH)).await?;
    }
    Ok(())
}
