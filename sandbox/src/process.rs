//! Processes inside a sandbox: run one to its end, hold on to a long one, and end one with everything it started.
//!
//! Every process carries its [`ProcessMark`] in its environment, which its children inherit. That is how a tool that has
//! left its parent's session (`nohup setsid …`) is still found. A child that clears its environment is not.

use crate::{Error, Sandboxes, docker::exec::ExecRequest};
use bytes::Bytes;
use domain::SandboxId;
use futures::{StreamExt, stream::BoxStream};
use relay::end::Report;
use std::{fmt, time::Duration};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

/// The name of the environment variable that marks a process and all it starts.
pub use relay::end::MARK_VARIABLE;

/// Names one started process with all its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessMark(pub Uuid);

impl ProcessMark {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for ProcessMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A program to run as the agent's user.
#[derive(Clone)]
pub struct Command {
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    /// `None`: `/workspace`.
    pub cwd: Option<String>,
    /// Written to its standard input first. [`Sandboxes::exec`] then closes the input, [`Sandboxes::attach`] leaves it open.
    pub stdin: Option<Bytes>,
    /// Of [`Sandboxes::exec`]: the process is ended after this.
    pub timeout: Duration,
    /// Of [`Sandboxes::exec`]: bytes kept of each of the two outputs. The rest is read and dropped.
    pub cap: usize,
}

impl Command {
    /// A program with its arguments, one minute, 1 MB of output, nothing on its input.
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: None,
            stdin: None,
            timeout: Duration::from_secs(60),
            cap: 1_000_000,
        }
    }

    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub fn cwd(mut self, path: impl Into<String>) -> Self {
        self.cwd = Some(path.into());
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Bytes>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub fn cap(mut self, bytes: usize) -> Self {
        self.cap = bytes;
        self
    }
}

/// The program only: arguments, environment and input may hold what no log should.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.argv.first().map_or("", String::as_str))
    }
}

/// What a finished process left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; 126 or 127 where the program could not be started.
    pub status: i64,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// More was printed than the command's cap.
    pub truncated: bool,
}

/// A piece of output, cut anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    Stdout(Bytes),
    Stderr(Bytes),
}

/// A long-lived process. `shutdown` on `stdin` gives it end-of-file; keep `stdin` alive as long as the output is wanted.
/// The output ends when the process does, or when the engine is gone; [`ExecHandle::status`] tells which.
pub struct Attached {
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub output: BoxStream<'static, Chunk>,
    pub exec: ExecHandle,
}

/// Tells how an attached process ended.
#[derive(Clone)]
pub struct ExecHandle {
    pub sandbox: SandboxId,
    pub mark: ProcessMark,
    pub(crate) id: String,
    pub(crate) engine: crate::docker::Engine,
}

impl ExecHandle {
    /// The exit code, or `None` while the process runs and where the engine no longer knows it.
    pub async fn status(&self) -> Option<i64> {
        self.engine.exec_status(&self.id).await.ok().flatten()
    }
}

/// How hard it was to end a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing with this mark was alive.
    Gone,
    /// It left by itself when interrupted, and took its children along.
    Interrupted,
    /// This many processes had to be killed.
    Killed(u32),
    /// The container was killed and started again: every process in it is gone, volumes stay.
    Restarted,
}

impl Sandboxes {
    /// Runs a program as the agent to its end. Fails with [`Error::TimedOut`] after ending it with all its children.
    pub async fn exec(&self, id: SandboxId, mut command: Command) -> Result<Output, Error> {
        let (cap, timeout, input) = (command.cap, command.timeout, command.stdin.take());
        let program = command.argv.first().cloned().unwrap_or_default();
        let Attached { stdin, output, exec } = self.attach_with(id, command, input.is_some()).await?;
        let mark = exec.mark;
        let run = async {
            let (_, kept) = futures::join!(feed(stdin, input), collect(output, cap));
            (kept, exec.status().await)
        };
        let Ok((kept, status)) = tokio::time::timeout(timeout, run).await else {
            self.end_process(id, mark, None).await?;
            return Err(Error::TimedOut { doing: program, after: timeout });
        };
        Ok(Output { status: status.ok_or(Error::NotRunning(id))?, ..kept })
    }

    /// Starts a program as the agent and holds on to it. When the caller drops it (or dies) the program sees the end of its
    /// input but may go on; [`Sandboxes::end_process`] with its mark ends it for certain. `command.stdin` is written first.
    pub async fn attach(&self, id: SandboxId, mut command: Command) -> Result<Attached, Error> {
        let first = command.stdin.take();
        let mut attached = self.attach_with(id, command, true).await?;
        if let Some(bytes) = first {
            let _ = attached.stdin.write_all(&bytes).await;
            let _ = attached.stdin.flush().await;
        }
        Ok(attached)
    }

    async fn attach_with(&self, id: SandboxId, command: Command, stdin: bool) -> Result<Attached, Error> {
        let mark = ProcessMark::new();
        let started = self.engine_handle().start_exec(id, self.agent_exec(id, command, mark, stdin)).await?;
        let exec = ExecHandle { sandbox: id, mark, id: started.id, engine: self.engine_handle().clone() };
        Ok(Attached { stdin: started.stdin, output: started.output, exec })
    }

    pub(crate) fn agent_exec(&self, id: SandboxId, command: Command, mark: ProcessMark, stdin: bool) -> ExecRequest {
        let mut env = vec!["HOME=/home/agent".to_owned(), "USER=agent".to_owned(), format!("{MARK_VARIABLE}={mark}")];
        env.extend(command.env.into_iter().map(|(name, value)| format!("{name}={value}")));
        ExecRequest {
            container: self.container_name(id),
            argv: command.argv,
            env,
            cwd: command.cwd.unwrap_or_else(|| "/workspace".to_owned()),
            uid: self.settings().agent_uid,
            stdin,
        }
    }

    /// Ends a marked process with everything it started, and comes back when it is gone: SIGINT to `pid` (as seen inside
    /// the sandbox; Claude Code takes its tools along), then SIGKILL to all that carry the mark, and as the last resort
    /// the whole container is killed and started again. Fails only where the engine does.
    pub async fn end_process(&self, id: SandboxId, mark: ProcessMark, pid: Option<u32>) -> Result<Ended, Error> {
        match self.end_by_mark(id, mark, pid).await {
            Ok(ended) => Ok(ended),
            Err(Error::Unknown(_) | Error::NotRunning(_)) => Ok(Ended::Gone),
            Err(e @ (Error::Paused(_) | Error::NoEngine { .. })) => Err(e),
            Err(e) => {
                tracing::warn!(sandbox.id = %id, error = %e, "a process would not end; restarting its container");
                self.restart(id).await?;
                Ok(Ended::Restarted)
            }
        }
    }

    async fn end_by_mark(&self, id: SandboxId, mark: ProcessMark, pid: Option<u32>) -> Result<Ended, Error> {
        let mut argv = vec!["lanyard-relay".to_owned(), "end".to_owned(), mark.to_string()];
        argv.extend(pid.map(|pid| pid.to_string()));
        // Its own mark is another one, so it does not end itself.
        let request = self.agent_exec(id, Command::new(argv).cwd("/"), ProcessMark::new(), false);
        Ok(self.report_of_end(id, request).await?.into())
    }

    pub(crate) async fn report_of_end(&self, id: SandboxId, request: ExecRequest) -> Result<Report, Error> {
        let engine = self.engine_handle();
        let started = engine.start_exec(id, request).await?;
        let run = async { (collect(started.output, 1000).await, engine.exec_status(&started.id).await) };
        let too_long = || Error::TimedOut { doing: "ending processes".to_owned(), after: END_DEADLINE };
        let (said, status) = tokio::time::timeout(END_DEADLINE, run).await.map_err(|_| too_long())?;
        match (status?, Report::parse(&String::from_utf8_lossy(&said.stdout))) {
            (Some(0), Some(report)) => Ok(report),
            _ => Err(too_long()),
        }
    }
}

impl From<Report> for Ended {
    fn from(report: Report) -> Self {
        match report {
            Report { killed: 0, interrupted: false } => Ended::Gone,
            Report { killed: 0, interrupted: true } => Ended::Interrupted,
            Report { killed, .. } => Ended::Killed(killed),
        }
    }
}

/// Inside, an interrupted process has two seconds before it is killed and the sweep five.
const END_DEADLINE: Duration = Duration::from_secs(10);

/// Writes all input and closes it. A program that stops reading early is no error. The input is given back alive: the
/// engine ends the exec's stream when it is dropped.
async fn feed(
    mut stdin: Box<dyn AsyncWrite + Send + Unpin>,
    input: Option<Bytes>,
) -> Box<dyn AsyncWrite + Send + Unpin> {
    if let Some(bytes) = input {
        let _ = stdin.write_all(&bytes).await;
        let _ = stdin.shutdown().await;
    }
    stdin
}

pub(crate) async fn collect(mut output: BoxStream<'static, Chunk>, cap: usize) -> Output {
    let mut kept = Output { status: 0, stdout: Vec::new(), stderr: Vec::new(), truncated: false };
    while let Some(chunk) = output.next().await {
        let (to, bytes) = match chunk {
            Chunk::Stdout(bytes) => (&mut kept.stdout, bytes),
            Chunk::Stderr(bytes) => (&mut kept.stderr, bytes),
        };
        let room = cap.saturating_sub(to.len()).min(bytes.len());
        to.extend_from_slice(&bytes[..room]);
        kept.truncated |= room < bytes.len();
    }
    kept
}
