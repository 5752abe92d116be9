//! WebDriver BiDi: commands over a WebSocket, one at a time.

use anyhow::Context;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpStream, sync::Mutex};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// The slowest is a page that loads on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub struct Driven(Mutex<(Line, u64)>);

impl Driven {
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let (line, _) = connect_async(address).await?;
        let driven = Self(Mutex::new((line, 0)));
        driven.call("session.new", json!({ "capabilities": {} })).await?;
        Ok(driven)
    }

    /// What a command gives.
    pub async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let mut held = self.0.lock().await;
        let (line, last) = &mut *held;
        *last += 1;
        let id = *last;
        line.send(Message::text(json!({ "id": id, "method": method, "params": params }).to_string())).await?;
        let answer = tokio::time::timeout(PATIENCE, answer(line, id));
        let mut answer = answer.await.with_context(|| format!("{method} is not answered"))??;
        anyhow::ensure!(answer["type"] == "success", "{method}: {} {}", answer["error"], answer["message"]);
        Ok(answer["result"].take())
    }
}

/// Events, and answers that nobody waits for any more, are passed over.
async fn answer(line: &mut Line, id: u64) -> anyhow::Result<Value> {
    loop {
        let message = line.next().await.context("Firefox has gone")??;
        let said: Value = match message {
            Message::Text(text) => serde_json::from_str(&text)?,
            _ => continue,
        };
        if said["id"] == id {
            return Ok(said);
        }
    }
}
