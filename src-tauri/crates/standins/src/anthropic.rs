//! The Anthropic Messages API as a server on loopback: the same routes, headers, errors and stream events, with answers
//! from [`Script`]s. Checked by the real Claude Code, which cannot tell the difference (`tests/claude_code.rs`).
//!
//! ```no_run
//! # async fn f() -> anyhow::Result<()> {
//! use standins::anthropic::{Anthropic, Script, Step};
//! let model = Anthropic::start([Script::when("hello").step(Step::text("Hello yourself."))]).await?;
//! std::env::var("PATH")?; // point ANTHROPIC_BASE_URL at model.url(), with the key anthropic::KEY
//! # model.stop().await; Ok(()) }
//! ```

mod answer;
mod cache;
mod fault;
mod request;
mod script;
mod serve;
mod stream;

pub use fault::Fault;
pub use request::{Purpose, Seen};
pub use script::{Block, Script, Step, StopReason, When};

use serve::State;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// The key that is accepted unless [`Anthropic::accept_keys`] says otherwise.
pub const KEY: &str = "sk-ant-standin-key";

/// How fast the model speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Pace {
    /// Before the first byte of the answer's body, in milliseconds.
    pub first_ms: u64,
    /// Between two pieces, in milliseconds.
    pub between_ms: u64,
    /// Characters in a piece of text, thinking or tool input.
    pub piece: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { first_ms: 0, between_ms: 0, piece: 16 }
    }
}

impl Pace {
    pub(crate) fn first(self) -> Duration {
        Duration::from_millis(self.first_ms)
    }

    pub(crate) fn between(self) -> Duration {
        Duration::from_millis(self.between_ms)
    }
}

/// A running stand-in. It ends when dropped.
pub struct Anthropic {
    at: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Anthropic {
    /// Listens on a free port of 127.0.0.1. The first script whose `when` fits the newest human text answers; without
    /// one the answer is `You said: …`.
    pub async fn start(scripts: impl IntoIterator<Item = Script>) -> anyhow::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), scripts).await
    }

    /// As [`Anthropic::start`], at a chosen address.
    pub async fn start_at(at: SocketAddr, scripts: impl IntoIterator<Item = Script>) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind(at).await?;
        let at = listener.local_addr()?;
        let state = Arc::new(State::new(scripts.into_iter().collect()));
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve::run(listener, state.clone(), stop.clone()));
        Ok(Self { at, state, stop, task: Some(task) })
    }

    /// `http://127.0.0.1:<port>`, for `ANTHROPIC_BASE_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Requests to `/v1/messages` so far, oldest first; the newest 256 are kept.
    pub fn requests(&self) -> Vec<Seen> {
        self.state.seen()
    }

    /// How many requests to `/v1/messages` there have been.
    pub fn count(&self) -> u64 {
        self.state.count()
    }

    /// Answers begun from now on take this pace, unless their step has its own.
    pub fn set_pace(&self, pace: Pace) {
        self.state.set_pace(pace);
    }

    /// Replaces all scripts.
    pub fn set_scripts(&self, scripts: impl IntoIterator<Item = Script>) {
        self.state.set_scripts(scripts.into_iter().collect());
    }

    /// Only these keys are accepted from now on, as `x-api-key` or as bearer.
    pub fn accept_keys(&self, keys: impl IntoIterator<Item = impl Into<String>>) {
        self.state.set_keys(keys.into_iter().map(Into::into).collect());
    }

    /// Lets every answer that waits at a [`Step::hold`] go on.
    pub fn release(&self) {
        self.state.release();
    }

    /// Closes the listener and cuts what is still streaming.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Anthropic {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
