//! A line that is written down until it is at each of a hundred phones, with five more that do not read at all; against the
//! same line at a desk with one phone.

use crate::{
    desk::{Desk, Wish, at_a_desk},
    door::Door,
    figures::{Figures, Series},
    phone::{Phone, Socket},
};
use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use serde_json::json;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

const PHONES: usize = 100;
const DEAF: usize = 5;
const BEFORE: usize = 20;
const LINES: usize = 300;
/// One that takes longer is lost.
const ARRIVES: Duration = Duration::from_secs(10);
/// A line of an agent that tells what it did.
const PADDING: &str = "and changed the line that made the test fail. ";

/// A phone got a line: which phone, which line, when.
type Heard = (usize, usize, Instant);

/// A desk with phones.
struct Crowd {
    door: Door,
    session: Option<u64>,
    phones: usize,
    heard: UnboundedReceiver<Heard>,
    said: usize,
    _deaf: Vec<Socket>,
}

impl Crowd {
    async fn at(desk: &Desk, phones: usize, deaf: usize) -> Result<Self> {
        let (hears, heard) = mpsc::unbounded_channel();
        for phone in 0..phones {
            let socket = Phone::of(desk).await?.socket().await?;
            tokio::spawn(listen(phone, socket, hears.clone()));
        }
        let mut sockets = Vec::new();
        for _ in 0..deaf {
            sockets.push(Phone::of(desk).await?.narrow_socket().await?);
        }
        Ok(Self { door: desk.door().await?, session: None, phones, heard, said: 0, _deaf: sockets })
    }

    /// Says a line and waits until every phone has it, once: the time to each, and to the last.
    async fn line(&mut self) -> Result<(Series, Duration)> {
        self.said += 1;
        let text = format!("#{}# {}", self.said, PADDING.repeat(20));
        let line = json!({ "text": text, "session": self.session, "client_id": uuid::Uuid::new_v4() });
        let sent = Instant::now();
        let taken = self.door.post("/send", &line).await?;
        self.session = taken["session"].as_u64();
        let (mut times, mut last, mut got) = (Series::default(), Duration::ZERO, HashSet::new());
        while got.len() < self.phones {
            let heard = timeout(ARRIVES, self.heard.recv()).await.context("a phone lost a line")?;
            let (phone, line, at) = heard.context("no phone listens")?;
            ensure!(line == self.said && got.insert(phone), "phone {phone} got line {line} out of its order");
            let took = at.duration_since(sent);
            times.push_ms(took);
            last = last.max(took);
        }
        Ok((times, last))
    }
}

async fn listen(phone: usize, mut socket: Socket, hears: UnboundedSender<Heard>) {
    while let Some(Ok(message)) = socket.next().await {
        let at = Instant::now();
        if let Message::Text(text) = message
            && text.contains("\"said\"")
            && let Some(line) = text.split('#').nth(1).and_then(|number| number.parse().ok())
            && hears.send((phone, line, at)).is_err()
        {
            return;
        }
    }
}

pub async fn measure() -> Result<Figures> {
    at_a_desk(Wish::PLAIN, async |crowded| {
        at_a_desk(Wish::PLAIN, async |alone| {
            in_turn(Crowd::at(crowded, PHONES, DEAF).await?, Crowd::at(alone, 1, 0).await?).await
        })
        .await
    })
    .await
}

async fn in_turn(mut many: Crowd, mut one: Crowd) -> Result<Figures> {
    let (mut ours, mut other, mut last) = (Series::default(), Series::default(), Series::default());
    for round in 0..BEFORE + LINES {
        let ((times, slowest), (alone, _)) = (many.line().await?, one.line().await?);
        if round >= BEFORE {
            ours.extend(times);
            other.extend(alone);
            last.push_ms(slowest);
        }
    }
    let each = (last.median() - other.median()) / (PHONES - 1) as f64 * 1000.0;
    let p99 = ours.p99();
    let goal = format!("p99 at most 20 ms ({p99:.1}), nothing lost, each phone more at most 50 us ({each:.0})");
    Ok(Figures::of("fan-out", "ms", &ours, &other).judged(goal, p99 <= 20.0 && each <= 50.0))
}
