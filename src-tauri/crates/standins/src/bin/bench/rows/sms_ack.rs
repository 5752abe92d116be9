//! Signed webhooks until their 200, each durably written before: 64 connections for the rate, one for the time a single text
//! takes. Against Express with Twilio's own middleware and SQLite, which flushes as we do (`synchronous=FULL`).

mod peer;

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    load::{self, post, texts},
};
use anyhow::Result;
use peer::Peer;
use std::net::SocketAddr;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 5;
/// About a second of each.
const OURS: usize = 20_000;
const THEIRS: usize = 4_000;
const ALONE: usize = 500;

#[derive(Default)]
struct Side {
    per_second: Series,
    times: Series,
    alone: Series,
}

impl Side {
    async fn measure(&mut self, at: SocketAddr, count: usize) -> Result<()> {
        let load::Met { times, per_second } = post(at, texts(count), CONNECTIONS).await?;
        self.times.extend(times);
        self.per_second.push(per_second);
        self.alone.extend(post(at, texts(ALONE), 1).await?.times);
        Ok(())
    }
}

pub async fn measure() -> Result<Figures> {
    let peer = Peer::start().await?;
    at_a_desk(Wish::PLAIN, async |desk| {
        let at = desk.address().await?;
        for warm_up in [at, peer.address] {
            post(warm_up, texts(2_000), CONNECTIONS).await?;
        }
        let (mut ours, mut other) = (Side::default(), Side::default());
        for _ in 0..ROUNDS {
            ours.measure(at, OURS).await?;
            other.measure(peer.address, THEIRS).await?;
        }
        Ok(judge(&ours, &other))
    })
    .await
}

/// The figures are rates; p99 is the slowest round's.
fn judge(ours: &Side, other: &Side) -> Figures {
    let figures = Figures::of("sms-ack", "1/s", &ours.per_second, &other.per_second);
    let (alone, p99) = (ours.alone.median(), ours.times.p99());
    let (their_alone, their_p99) = (other.alone.median(), other.times.p99());
    let goal = format!(
        "at least 8 x; one connection at most 0.5 ms ({alone:.2}, the other {their_alone:.2}); p99 at most 10 ms \
         ({p99:.1}, the other {their_p99:.1})"
    );
    let met = figures.ratio >= 8.0 && alone <= 0.5 && p99 <= 10.0;
    Figures { p99: ours.per_second.least(), ..figures }.judged(goal, met)
}
