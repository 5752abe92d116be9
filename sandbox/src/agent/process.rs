//! One running Claude Code: its pipes on one side, events and commands on the other.

use super::{
    Ending, Options, Patience,
    read::{Heard, Reader},
    say,
};
use crate::{Chunk, Ended, Error};
use domain::agent::{Activity, AgentCommand, AgentEvent, AgentFault, TurnOutcome};
use futures::{StreamExt, future::BoxFuture, stream::BoxStream};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{mpsc, watch},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Commands that wait to be written. A driver gives one at a time; more means the agent does not read.
const COMMANDS: usize = 16;
/// Events that wait for the driver, before the agent is held back and partial words are dropped.
const EVENTS: usize = 512;
/// Answers to the agent's own requests. It has a few under way at most.
const REPLIES: usize = 64;

pub(super) type Killing = BoxFuture<'static, Result<Ended, Error>>;

/// The pipes of a process, and the two things only its engine can do.
pub struct ProcessIo {
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub output: BoxStream<'static, Chunk>,
    /// The exit code; awaited once, after the output has ended.
    pub status: BoxFuture<'static, Option<i64>>,
    /// Ends the process and everything it started, gently to `pid` (as seen in the sandbox) first.
    pub kill: Box<dyn Fn(Option<u32>) -> Killing + Send + Sync>,
}

/// A process and its two ends. Dropping it closes the agent's input, which ends an idle one; use [`Process::end`].
pub struct Process {
    pub commands: mpsc::Sender<AgentCommand>,
    /// Everything the agent says, in order; [`AgentEvent::Exited`] is last. Partial words are dropped when nobody takes
    /// them, nothing else is: the agent is held back instead.
    pub events: mpsc::Receiver<AgentEvent>,
    pub control: Control,
}

/// What it takes to wait for a process, to ask about it and to end it. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(super) shared: Arc<Shared>,
    pub(super) state: watch::Receiver<State>,
}

pub(super) struct Shared {
    /// Cancelled: the agent's input is closed.
    pub close: CancellationToken,
    pub kill: Box<dyn Fn(Option<u32>) -> Killing + Send + Sync>,
    pub interrupt: mpsc::Sender<String>,
    agent_session: Mutex<String>,
    _close_when_dropped: DropGuard,
}

/// How a process stands.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub ready: bool,
    pub pid: Option<u32>,
    pub busy: bool,
    pub gone: bool,
    fault: Option<AgentFault>,
    stderr: String,
}

/// `initialize` was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Of the process, as seen in its sandbox.
    pub pid: Option<u32>,
}

/// The process cannot take a turn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("Claude Code left before it was ready: {}", stderr.trim())]
    Exited { fault: Option<AgentFault>, stderr: String },
    #[error("Claude Code was not ready after {} s", after.as_secs())]
    TimedOut { after: Duration },
}

impl NotReady {
    pub fn code(&self) -> domain::Code {
        match self {
            NotReady::Exited { fault: Some(fault), .. } => fault.code(),
            NotReady::Exited { fault: None, .. } | NotReady::TimedOut { .. } => domain::Code::ClaudeUnavailable,
        }
    }
}

impl Process {
    /// Listens to a process that was just started and says `initialize` to it.
    pub fn spawn(io: ProcessIo, options: Options) -> Self {
        let (commands, to_say) = mpsc::channel(COMMANDS);
        let (heard, events) = mpsc::channel(EVENTS);
        let (replies, to_reply) = mpsc::channel(REPLIES);
        let (state, watched) = watch::channel(State::default());
        let close = CancellationToken::new();
        let shared = Arc::new(Shared {
            close: close.clone(),
            kill: io.kill,
            interrupt: replies.clone(),
            agent_session: Mutex::new(options.agent_session.clone().unwrap_or_default()),
            _close_when_dropped: close.clone().drop_guard(),
        });
        let listener =
            Listener { reader: Reader::new(&options), events: heard, replies, state, shared: Arc::downgrade(&shared) };
        tokio::spawn(write(io.stdin, say::initialize(options.tools), to_say, to_reply, close));
        tokio::spawn(listener.run(io.output, io.status));
        Self { commands, events, control: Control { shared, state: watched } }
    }

    /// Ends the agent and everything it started, and says what it still had to say. See [`Control::end`].
    pub async fn end(&mut self, patience: Patience) -> Result<Ending, Error> {
        super::end::end(self, patience).await
    }
}

impl Control {
    /// Waits until the agent can take a turn. One that was started ahead is ready long before it is needed.
    pub async fn ready(&self, within: Duration) -> Result<Ready, NotReady> {
        let mut state = self.state.clone();
        let known = state.wait_for(|s| s.ready || s.gone);
        let Ok(known) = tokio::time::timeout(within, known).await else {
            return Err(NotReady::TimedOut { after: within });
        };
        match known {
            Ok(state) if state.ready => Ok(Ready { pid: state.pid }),
            Ok(state) => Err(NotReady::Exited { fault: state.fault.clone(), stderr: state.stderr.clone() }),
            Err(_) => Err(NotReady::Exited { fault: None, stderr: String::new() }),
        }
    }

    /// The agent's own id of the conversation, for `--resume`.
    pub fn agent_session(&self) -> String {
        self.shared.agent_session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the process is still there.
    pub fn alive(&self) -> bool {
        !self.state.borrow().gone
    }
}

/// Writes lines until its input is to be closed. Answers go first: the agent waits for them.
async fn write(
    mut stdin: Box<dyn AsyncWrite + Send + Unpin>,
    first: String,
    mut commands: mpsc::Receiver<AgentCommand>,
    mut replies: mpsc::Receiver<String>,
    close: CancellationToken,
) {
    let mut next = Some(first);
    while let Some(line) = next {
        if let Err(error) = write_line(&mut stdin, line, &close).await {
            tracing::debug!(%error, "the agent's input is closed");
            return;
        }
        next = tokio::select! {
            biased;
            () = close.cancelled() => None,
            Some(reply) = replies.recv() => Some(reply),
            Some(command) = commands.recv() => Some(say::encode(&command)),
            else => None,
        };
    }
    let _ = stdin.shutdown().await;
}

async fn write_line(
    stdin: &mut (dyn AsyncWrite + Send + Unpin),
    mut line: String,
    close: &CancellationToken,
) -> std::io::Result<()> {
    line.push('\n');
    let written = async {
        stdin.write_all(line.as_bytes()).await?;
        stdin.flush().await
    };
    tokio::select! {
        () = close.cancelled() => Err(std::io::ErrorKind::BrokenPipe.into()),
        done = written => done,
    }
}

struct Listener {
    reader: Reader,
    events: mpsc::Sender<AgentEvent>,
    replies: mpsc::Sender<String>,
    state: watch::Sender<State>,
    shared: std::sync::Weak<Shared>,
}

impl Listener {
    async fn run(mut self, mut output: BoxStream<'static, Chunk>, status: BoxFuture<'static, Option<i64>>) {
        while let Some(chunk) = output.next().await {
            let heard = match chunk {
                Chunk::Stdout(bytes) => self.reader.stdout(bytes),
                Chunk::Stderr(bytes) => self.reader.stderr(bytes),
            };
            self.pass_on(heard).await;
        }
        let heard = self.reader.finish(status.await);
        self.pass_on(heard).await;
        self.state.send_modify(|s| s.gone = true);
    }

    async fn pass_on(&mut self, heard: Vec<Heard>) {
        for heard in heard {
            match heard {
                Heard::Event(event) => self.event(event).await,
                Heard::Reply(line) => drop(self.replies.send(line).await),
                Heard::Ready { pid } => self.state.send_modify(|s| (s.ready, s.pid) = (true, pid)),
            }
        }
    }

    async fn event(&mut self, event: AgentEvent) {
        self.note(&event);
        match event {
            // Lossy: the finished block repeats it. Whoever is too slow for all of it gets the next one with its offset.
            AgentEvent::Partial { .. } => drop(self.events.try_send(event)),
            // Without a driver the output is still read, so that the process can come to its end.
            _ => drop(self.events.send(event).await),
        }
    }

    fn note(&self, event: &AgentEvent) {
        match event {
            AgentEvent::TurnStarted { agent_session, .. } | AgentEvent::ConversationReset { agent_session } => {
                if let Some(shared) = self.shared.upgrade() {
                    shared.agent_session.lock().unwrap_or_else(PoisonError::into_inner).clone_from(agent_session);
                }
                self.state.send_modify(|s| s.busy = true);
            }
            AgentEvent::Activity(activity) => self.state.send_modify(|s| s.busy = *activity != Activity::Idle),
            AgentEvent::TurnEnded(end) => self.state.send_modify(|s| {
                s.busy = false;
                if let TurnOutcome::Failed(fault) = &end.outcome {
                    s.fault = Some(fault.clone());
                }
            }),
            AgentEvent::Exited { stderr, .. } => self.state.send_modify(|s| s.stderr.clone_from(stderr)),
            _ => {}
        }
    }
}
