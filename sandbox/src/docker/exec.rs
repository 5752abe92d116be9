//! Processes inside a container.

use super::Engine;
use crate::{Chunk, Error};
use bollard::{
    container::LogOutput,
    exec::{StartExecOptions, StartExecResults},
    models::ExecConfig,
};
use domain::SandboxId;
use futures::{StreamExt, stream::BoxStream};
use std::{future::ready, time::Duration};
use tokio::io::AsyncWrite;

/// Output comes in pieces of at most this many bytes (the engine's own are up to 32 kB).
const PIECE: usize = 32 * 1024;

pub(crate) struct ExecRequest {
    pub container: String,
    pub argv: Vec<String>,
    pub env: Vec<String>,
    pub cwd: String,
    pub uid: u32,
    pub stdin: bool,
}

pub(crate) struct StartedExec {
    pub id: String,
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub output: BoxStream<'static, Chunk>,
}

impl Engine {
    pub(crate) async fn start_exec(&self, sandbox: SandboxId, request: ExecRequest) -> Result<StartedExec, Error> {
        let config = ExecConfig {
            attach_stdin: Some(request.stdin),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(request.argv),
            env: Some(request.env),
            working_dir: Some(request.cwd),
            user: Some(format!("{0}:{0}", request.uid)),
            ..Default::default()
        };
        let refused = |e| self.refused_for(sandbox, "start a process", e);
        let id = self.docker.create_exec(&request.container, config).await.map_err(refused)?.id;
        let options = StartExecOptions { output_capacity: Some(PIECE), ..Default::default() };
        match self.docker.start_exec(&id, Some(options)).await.map_err(refused)? {
            StartExecResults::Attached { output, input } => Ok(StartedExec {
                id,
                stdin: Box::new(input),
                output: output.filter_map(|piece| ready(chunk(piece))).boxed(),
            }),
            StartExecResults::Detached => Err(Error::NotRunning(sandbox)),
        }
    }

    /// The exit code, waited for up to two seconds: the stream of a process ends a moment before the engine knows its code.
    pub(crate) async fn exec_status(&self, exec: &str) -> Result<Option<i64>, Error> {
        for _ in 0..100 {
            let state = self.docker.inspect_exec(exec).await.map_err(|e| self.refused("look at a process", e))?;
            if state.running != Some(true) {
                return Ok(state.exit_code);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(None)
    }
}

/// A broken stream is its end: what became of the process is asked of the engine.
fn chunk(piece: Result<LogOutput, bollard::errors::Error>) -> Option<Chunk> {
    match piece {
        Ok(LogOutput::StdErr { message }) => Some(Chunk::Stderr(message)),
        Ok(LogOutput::StdOut { message } | LogOutput::Console { message }) => Some(Chunk::Stdout(message)),
        Ok(LogOutput::StdIn { .. }) => None,
        Err(e) => {
            tracing::debug!(error = %e, "the output of a process broke off");
            None
        }
    }
}
