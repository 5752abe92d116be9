//! Resident memory of `lanyard serve` once its work is done: two hundred texts and twenty turns at the desk.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    load,
    rows::warm_turn::warm_session,
};
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::sleep;

const TEXTS: usize = 200;
const TURNS: usize = 20;
const SAMPLES: usize = 20;
/// All texts are read at once; usually a number may write thirty a minute.
const FAST: &str = "[sms]\nper_minute = 100000\n";
const LETTERS: Duration = Duration::from_secs(60);
/// CloudCLI's Node server, in MB: the least of 88 to 176 that were measured. Its native modules cannot be had everywhere, so
/// this is a figure from another run.
const CLOUDCLI_MB: f64 = 88.0;

pub async fn measure() -> Result<Figures> {
    at_a_desk(Wish { config: FAST.into(), ..Wish::SANDBOX }, async |desk| {
        let (mut talk, session) = warm_session(desk).await?;
        load::post(desk.address().await?, load::texts(TEXTS), 4).await?;
        for _ in 0..TURNS {
            talk.turn("say something", Some(session)).await?;
        }
        talk.quiet().await;
        desk.twilio.settled(LETTERS).await?;
        let mut ours = Series::default();
        for _ in 0..SAMPLES {
            ours.push(resident_mb(desk.pid()?)?);
            sleep(Duration::from_millis(250)).await;
        }
        let other = Series::from_iter([CLOUDCLI_MB]);
        let figures = Figures::of("idle-memory", "MB", &ours, &other);
        let met = figures.ratio <= 0.3 && figures.p99 <= 40.0;
        Ok(figures.judged("at most 0.3 x and 40 MB (CloudCLI's as measured in another run)", met))
    })
    .await
}

/// Of a process, as Linux counts it.
fn resident_mb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0 / 1e6)
}
