//! A process whose every line a test writes and reads.

use bytes::Bytes;
use futures::{StreamExt, stream};
use gateway::App;
use sandbox::{
    Chunk, Ended,
    agent::{Process, ProcessIo},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, BufReader, DuplexStream, Lines},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(20);

pub struct Puppet {
    out: mpsc::UnboundedSender<Bytes>,
    lines: Lines<BufReader<DuplexStream>>,
}

impl Puppet {
    /// Stands ready as the process started ahead: the next new session takes it.
    pub async fn stands_ready(app: &App) -> Self {
        let (out, mut printed) = mpsc::unbounded_channel();
        let (stdin, ours) = tokio::io::duplex(65_536);
        let killed = CancellationToken::new();
        let kill = killed.clone();
        let output =
            stream::poll_fn(move |cx| printed.poll_recv(cx)).map(Chunk::Stdout).take_until(killed.cancelled_owned());
        let io = ProcessIo {
            stdin: Box::new(stdin),
            output: output.boxed(),
            status: Box::pin(async { Some(0) }),
            kill: Box::new(move |_| {
                kill.cancel();
                Box::pin(async { Ok(Ended::Gone) })
            }),
        };
        app.workshop.lend(Process::spawn(io, Default::default())).await;
        Self { out, lines: BufReader::new(ours).lines() }
    }

    /// The next words it is told: their id and their text.
    pub async fn hears(&mut self) -> (String, String) {
        loop {
            let line = tokio::time::timeout(DEADLINE, self.lines.next_line()).await.expect("it is told something");
            let line: Value = serde_json::from_str(&line.unwrap().expect("its input is open")).unwrap();
            if line["type"] == "user" {
                let text = line["message"]["content"].as_str().unwrap().to_owned();
                return (line["uuid"].as_str().unwrap().to_owned(), text);
            }
        }
    }

    pub fn prints(&self, bytes: impl Into<Bytes>) {
        self.out.send(bytes.into()).expect("somebody listens");
    }

    fn says(&self, line: &Value) {
        self.prints(format!("{line}\n"));
    }

    pub fn takes(&self, id: &str) {
        self.says(&json!({ "type": "command_lifecycle", "command_uuid": id, "state": "started" }));
    }

    /// A turn on the words `id`.
    pub fn begins(&self, id: &str) {
        self.takes(id);
        self.says(&json!({ "type": "system", "subtype": "init", "session_id": "s1" }));
    }

    /// It used a tool, which gave `text` back.
    pub fn used(&self, tool: &str, input: &Value, text: &str) {
        let block = json!({ "type": "tool_use", "id": "t", "name": tool, "input": input });
        self.says(&json!({ "type": "assistant", "message": { "id": "m", "content": [block] } }));
        let result = json!({ "type": "tool_result", "tool_use_id": "t", "content": text });
        self.says(&json!({ "type": "user", "message": { "role": "user", "content": [result] } }));
    }

    pub fn writes(&self, text: &str) {
        let message = json!({ "id": "m", "content": [{ "type": "text", "text": text }] });
        self.says(&json!({ "type": "assistant", "message": message }));
    }

    /// May this tool run? As the request `id`.
    pub fn asks(&self, id: &str, tool: &str, input: &Value) {
        let request = json!({ "subtype": "can_use_tool", "tool_name": tool, "input": input, "tool_use_id": id });
        self.says(&json!({ "type": "control_request", "request_id": id, "request": request }));
    }

    /// What it is told next of something it asked: the request's id and the answer.
    pub async fn is_told(&mut self) -> (String, Value) {
        loop {
            let line = tokio::time::timeout(DEADLINE, self.lines.next_line()).await.expect("it is told something");
            let line: Value = serde_json::from_str(&line.unwrap().expect("its input is open")).unwrap();
            if line["type"] == "control_response" {
                let id = line["response"]["request_id"].as_str().unwrap().to_owned();
                return (id, line["response"]["response"].clone());
            }
        }
    }

    pub fn ends(&self, text: &str) {
        self.says(
            &json!({ "type": "result", "subtype": "success", "is_error": false, "result": text, "session_id": "s1" }),
        );
    }

    /// The turn fails as it does of the provider's limit.
    pub fn is_limited(&self) {
        self.says(&json!({
            "type": "result", "subtype": "success", "is_error": true, "api_error_status": 429,
            "result": "API Error: limit reached", "session_id": "s1",
        }));
    }
}
