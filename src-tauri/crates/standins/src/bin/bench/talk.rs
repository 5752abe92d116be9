//! Turns through the gateway: said over the local door, heard on its stream. There is no WebSocket of a phone yet; the
//! stream carries the same partial words over the desk's socket file.

use crate::{desk::Desk, door::Door};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};

/// A turn that takes longer is lost.
const TURN: Duration = Duration::from_secs(120);
/// Nothing comes for this long: it is quiet.
const QUIET: Duration = Duration::from_secs(5);

pub struct Talk {
    pub door: Door,
    watched: UnboundedReceiver<(Instant, Value)>,
}

/// How a turn went.
pub struct Turn {
    /// The session's number.
    pub session: u32,
    /// When the first word arrived here.
    pub first_word: Instant,
    /// From sending the prompt to that.
    pub took: Duration,
}

impl Talk {
    pub async fn open(desk: &Desk) -> Result<Self> {
        Ok(Self { door: desk.door().await?, watched: desk.door().await?.watch().await? })
    }

    /// Says these words in a session (none: a new one) and waits for the turn's end.
    pub async fn turn(&mut self, words: &str, session: Option<u32>) -> Result<Turn> {
        timeout(TURN, self.whole_turn(words, session)).await.context("a turn did not end")?
    }

    async fn whole_turn(&mut self, words: &str, session: Option<u32>) -> Result<Turn> {
        let send = json!({ "text": words, "session": session, "client_id": uuid::Uuid::new_v4() });
        let sent = Instant::now();
        let taken = self.door.post("/send", &send).await?;
        let mut first = None;
        loop {
            let (arrived, line) = self.next().await?;
            let (partial, event) = (&line["data"], &line["event"]);
            if partial["session"] == taken["session_id"] && partial["thinking"] == false {
                first.get_or_insert(arrived);
            } else if line["session"] != taken["session_id"] {
                continue;
            }
            match event["type"].as_str() {
                Some("answered") => _ = first.get_or_insert(arrived),
                Some("failed") => bail!("the turn failed: {event}"),
                Some("turn_ended") => {
                    ensure!(event["outcome"] == "completed", "the turn did not complete: {event}");
                    let first_word = first.context("the turn ended without a word")?;
                    let number = taken["session"].as_u64().context("no session")?;
                    return Ok(Turn { session: number as u32, first_word, took: first_word.duration_since(sent) });
                }
                _ => {}
            }
        }
    }

    async fn next(&mut self) -> Result<(Instant, Value)> {
        self.watched.recv().await.context("the stream of events ended")
    }

    /// Waits until nothing happens any more.
    pub async fn quiet(&mut self) {
        while let Ok(Some(_)) = timeout(QUIET, self.watched.recv()).await {}
    }
}
