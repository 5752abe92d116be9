//! The network is back: from the moment a phone dials until its WebSocket has all that it missed and says so. Against the
//! published time of a peer.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    history::write_session,
    phone::Phone,
};
use anyhow::{Context, Result, ensure};
use domain::SessionId;
use futures::StreamExt;
use std::time::{Duration, Instant};
use store::Store;
use tokio_tungstenite::tungstenite::Message;

/// What happened while it was away: a few long turns.
const MISSED: i64 = 500;
const BEFORE_THAT: i64 = 1_000;
const ROUNDS: usize = 200;
const WARM: usize = 5;
/// HAPI's resume, as its maintainers measured it (tiann/hapi, pull request 1128): on a phone and its network, so that ours over
/// loopback says only what our side adds.
const HAPI_MS: f64 = 490.0;

pub async fn measure() -> Result<Figures> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("lanyard.db"))?;
    store.write(|tx| write_session(tx, SessionId::new(), BEFORE_THAT + MISSED)).await?;
    drop(store);
    at_a_desk(Wish { store: Some(folder.path().to_owned()), ..Wish::PLAIN }, async |desk| {
        let phone = Phone::of(desk).await?;
        let mut ours = Series::default();
        for round in 0..WARM + ROUNDS {
            let took = catch_up(&phone).await?;
            if round >= WARM {
                ours.push_ms(took);
            }
        }
        let figures = Figures::of("caught-up", "ms", &ours, &Series::from_iter([HAPI_MS])).at_most(0.1);
        let goal = format!("{} (HAPI's as published; {MISSED} events missed)", figures.goal);
        Ok(Figures { goal, ..figures })
    })
    .await
}

async fn catch_up(phone: &Phone) -> Result<Duration> {
    let began = Instant::now();
    let mut socket = phone.socket_after(Some(BEFORE_THAT)).await?;
    let mut heard = BEFORE_THAT;
    loop {
        let message = socket.next().await.context("the WebSocket ended")??;
        let took = began.elapsed();
        let Message::Text(text) = message else { continue };
        let frame: serde_json::Value = serde_json::from_str(&text)?;
        match (frame["seq"].as_i64(), frame["type"].as_str()) {
            (Some(seq), _) => {
                ensure!(seq == heard + 1, "event {seq} after {heard}");
                heard = seq;
            }
            (None, Some("caughtUp")) => {
                ensure!(heard == BEFORE_THAT + MISSED, "it ended with {heard}");
                return Ok(took);
            }
            (None, _) => {}
        }
    }
}
