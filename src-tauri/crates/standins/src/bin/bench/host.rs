//! Claude Code alone, as a developer has it: cold for each prompt, or one process kept warm.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use standins::{CLAUDE, Den, anthropic::KEY};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// How the CLI is asked to show words as they come.
pub const SHOWN: [&str; 4] = ["--output-format", "stream-json", "--verbose", "--include-partial-messages"];

pub struct Host {
    den: Den,
    model: String,
}

impl Host {
    pub fn new(model_url: String) -> Result<Self> {
        Ok(Self { den: Den::new(CLAUDE)?, model: model_url })
    }

    /// `claude -p WORDS` from its start to its first word.
    pub async fn cold(&self, words: &str) -> Result<Duration> {
        let mut command = self.command(&["-p", words]);
        command.stdin(Stdio::null());
        first_word(command).await
    }

    /// A process that takes prompts as JSON lines, ready for the first.
    pub async fn warm(&self) -> Result<Warm> {
        let mut command = self.command(&["-p", "--input-format", "stream-json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let says = child.stdin.take().context("a pipe")?;
        let hears = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        Ok(Warm { says, hears, _child: child })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.den.command(arguments.iter().chain(&SHOWN));
        // No traffic but the model's, as in the sandbox.
        command.env("ANTHROPIC_BASE_URL", &self.model).env("ANTHROPIC_AUTH_TOKEN", KEY);
        command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1").env("DISABLE_AUTOUPDATER", "1");
        let mut command = Command::from(command);
        command.stderr(Stdio::null()).kill_on_drop(true);
        command
    }
}

/// Starts the command and gives the time to its first word; waits for its end.
pub async fn first_word(mut command: Command) -> Result<Duration> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
    let mut first = None;
    while let Some(line) = lines.next_line().await? {
        let arrived = started.elapsed();
        if is_word(&serde_json::from_str(&line)?) {
            first.get_or_insert(arrived);
        }
    }
    let status = child.wait().await?;
    ensure!(status.success(), "claude ended with {status}");
    first.context("claude said nothing")
}

fn is_word(line: &Value) -> bool {
    line["event"]["delta"]["type"] == "text_delta"
}

/// A warm process of the CLI.
pub struct Warm {
    says: ChildStdin,
    hears: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Warm {
    /// From the prompt written to the first word read; waits for the turn's end.
    pub async fn turn(&mut self, words: &str) -> Result<Duration> {
        let prompt = json!({ "type": "user", "message": { "role": "user", "content": words },
                             "parent_tool_use_id": null, "session_id": "", "uuid": uuid::Uuid::new_v4() });
        let sent = Instant::now();
        self.says.write_all(format!("{prompt}\n").as_bytes()).await?;
        let mut first = None;
        loop {
            let line = self.hears.next_line().await?.context("claude ended")?;
            let arrived = sent.elapsed();
            let line: Value = serde_json::from_str(&line)?;
            if is_word(&line) {
                first.get_or_insert(arrived);
            } else if line["type"] == "result" {
                ensure!(line["is_error"] == false, "claude failed: {line}");
                return first.context("claude said nothing");
            }
        }
    }
}
