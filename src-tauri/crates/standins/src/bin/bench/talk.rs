//! Turns as a phone has them: said over its WebSocket, heard on the same.

use crate::{
    desk::Desk,
    door::Door,
    phone::{Phone, Socket},
};
use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

/// A turn that takes longer is lost.
const TURN: Duration = Duration::from_secs(120);
/// Nothing comes for this long where nobody says anything: all of it was heard.
const CAUGHT_UP: Duration = Duration::from_millis(100);
/// Nothing comes for this long: it is quiet.
const QUIET: Duration = Duration::from_secs(5);

pub struct Talk {
    /// For what no phone may ask.
    pub door: Door,
    socket: Socket,
    asked: u64,
}

/// How a turn went.
pub struct Turn {
    pub session: Uuid,
    /// When the first word arrived here.
    pub first_word: Instant,
    /// From sending the prompt to that.
    pub took: Duration,
}

impl Talk {
    pub async fn open(desk: &Desk) -> Result<Self> {
        let socket = Phone::of(desk).await?.socket().await?;
        Ok(Self { door: desk.door().await?, socket, asked: 0 })
    }

    /// Says these words in a session (none: a new one) and waits for the turn's end.
    pub async fn turn(&mut self, words: &str, session: Option<Uuid>) -> Result<Turn> {
        timeout(TURN, self.whole_turn(words, session)).await.context("a turn did not end")?
    }

    async fn whole_turn(&mut self, words: &str, mut session: Option<Uuid>) -> Result<Turn> {
        let asked = match session {
            Some(id) => ("streamSend", json!({ "session_id": id, "text": words, "client_id": Uuid::new_v4() })),
            None => ("streamStart", json!({ "prompt": words })),
        };
        let sent = Instant::now();
        self.say(asked).await?;
        let mut first = None;
        loop {
            let (arrived, frame) = self.next().await?;
            let data = &frame["data"];
            if frame["type"] == "streamStarted" {
                session = Some(data["session_id"].as_str().context("no session")?.parse()?);
            }
            let ours = session.is_some_and(|id| data["session_id"] == id.to_string());
            match frame["type"].as_str() {
                Some("error") => bail!("the turn failed: {frame}"),
                Some("streamData") if ours && is_word(data) => _ = first.get_or_insert(arrived),
                Some("streamComplete") if ours => {
                    ensure!(data["outcome"] == "completed", "the turn did not complete: {frame}");
                    let first_word = first.context("the turn ended without a word")?;
                    let session = session.context("no session was begun")?;
                    return Ok(Turn { session, first_word, took: first_word.duration_since(sent) });
                }
                _ => {}
            }
        }
    }

    /// Hears all that was said so far.
    pub async fn catch_up(&mut self) {
        while let Ok(Ok(_)) = timeout(CAUGHT_UP, self.next()).await {}
    }

    /// Waits for the next word that any agent says, and gives when it arrived.
    pub async fn word(&mut self) -> Result<Instant> {
        let word = async {
            loop {
                let (arrived, frame) = self.next().await?;
                if frame["type"] == "streamData" && is_word(&frame["data"]) {
                    return Ok(arrived);
                }
            }
        };
        timeout(TURN, word).await.context("no agent said a word")?
    }

    /// Closes a session, with its process.
    pub async fn close(&mut self, session: Uuid) -> Result<()> {
        self.say(("streamClose", json!({ "session_id": session }))).await?;
        let request = json!(self.asked.to_string());
        while self.next().await?.1["requestId"] != request {}
        Ok(())
    }

    async fn say(&mut self, (kind, data): (&str, Value)) -> Result<()> {
        self.asked += 1;
        let frame = json!({ "type": kind, "requestId": self.asked.to_string(), "data": data });
        Ok(self.socket.send(Message::text(frame.to_string())).await?)
    }

    async fn next(&mut self) -> Result<(Instant, Value)> {
        loop {
            let message = self.socket.next().await.context("the WebSocket ended")??;
            let arrived = Instant::now();
            if let Message::Text(text) = message {
                return Ok((arrived, serde_json::from_str(&text)?));
            }
        }
    }

    /// Waits until nothing happens any more.
    pub async fn quiet(&mut self) {
        while let Ok(Ok(_)) = timeout(QUIET, self.next()).await {}
    }
}

/// Of the agent, whether it comes in pieces or as a block.
fn is_word(data: &Value) -> bool {
    data["kind"] == "text" || (data["kind"] == "partial" && data["thinking"] == false)
}
