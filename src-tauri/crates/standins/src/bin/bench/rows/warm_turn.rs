//! A prompt in a session that is warm: the agent runs in its sandbox and the gateway stands between. Against the CLI alone,
//! cold for each prompt as `claude -p` is (warm-turn), or kept warm on the bare host (added-latency).

use crate::{
    desk::{Desk, Wish, at_a_desk},
    figures::{Figures, Series},
    host::Host,
    talk::Talk,
};
use anyhow::Result;
use uuid::Uuid;

const WORDS: &str = "say something";
/// Turns before the measuring, so that what is lazy has happened.
const BEFORE: usize = 5;

/// Warm turns between two cold starts, which take twenty times as long.
const TURNS: usize = 5;
const COLD: usize = 50;
const PAIRS: usize = 300;

pub async fn against_cold() -> Result<Figures> {
    at_a_desk(Wish::SANDBOX, async |desk| {
        let (mut talk, session) = warm_session(desk).await?;
        let host = Host::new(desk.anthropic.url())?;
        let _disk_warm = host.cold(WORDS).await?;
        let (mut ours, mut other) = (Series::default(), Series::default());
        for _ in 0..COLD {
            for _ in 0..TURNS {
                ours.push_ms(talk.turn(WORDS, Some(session)).await?.took);
            }
            other.push_ms(host.cold(WORDS).await?);
        }
        Ok(Figures::of("warm-turn", "ms", &ours, &other).at_most(0.06))
    })
    .await
}

pub async fn against_warm() -> Result<Figures> {
    at_a_desk(Wish::SANDBOX, async |desk| {
        let (mut talk, session) = warm_session(desk).await?;
        // Its folder, and with it what runs there, goes with `host`.
        let host = Host::new(desk.anthropic.url())?;
        let mut warm = host.warm().await?;
        for _ in 0..BEFORE {
            warm.turn(WORDS).await?;
        }
        let (mut ours, mut other) = (Series::default(), Series::default());
        for _ in 0..PAIRS {
            ours.push_ms(talk.turn(WORDS, Some(session)).await?.took);
            other.push_ms(warm.turn(WORDS).await?);
        }
        let (more, more_p99) = (ours.median() - other.median(), ours.p99() - other.p99());
        let goal = format!("at most 5 ms more ({more:.1}), at most 15 ms more at p99 ({more_p99:.1})");
        Ok(Figures::of("added-latency", "ms", &ours, &other).judged(goal, more <= 5.0 && more_p99 <= 15.0))
    })
    .await
}

/// A session whose agent has answered before.
pub async fn warm_session(desk: &Desk) -> Result<(Talk, Uuid)> {
    desk.ready().await?;
    let mut talk = Talk::open(desk).await?;
    let session = talk.turn(WORDS, None).await?.session;
    // The process that the first turn made start ahead is up and idle before anything is measured.
    talk.quiet().await;
    for _ in 0..BEFORE {
        talk.turn(WORDS, Some(session)).await?;
    }
    Ok((talk, session))
}
