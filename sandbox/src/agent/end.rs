//! The end of a process, from a request to force. Whatever happens, nothing it started is left.

use super::{Process, process::Control, say};
use crate::{Ended, Error};
use domain::agent::{AgentCommand, AgentEvent};
use std::time::Duration;

/// How long each step may take before the next, harder one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a running turn to stop after it was asked to. It takes 10 to 20 ms when all is well.
    pub interrupt: Duration,
    /// For the process to leave after its input was closed. It takes 35 to 65 ms when idle; background commands are
    /// given 5 s by Claude Code itself, which is longer than anybody should wait who wants it ended.
    pub leave: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { interrupt: Duration::from_secs(2), leave: Duration::from_secs(1) }
    }
}

/// How a process ended, and what it still said, up to and with [`AgentEvent::Exited`] if it came.
#[derive(Debug)]
pub struct Ending {
    pub how: Ended,
    pub last: Vec<AgentEvent>,
}

/// For the output to end after everything was killed; the engine closes it when the process is gone.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Ends it and takes its events meanwhile, for it could not leave while nobody listens.
pub(super) async fn end(process: &mut Process, patience: Patience) -> Result<Ending, Error> {
    let control = process.control.clone();
    let mut last = Vec::new();
    let ending = control.end(patience);
    tokio::pin!(ending);
    let how = loop {
        tokio::select! {
            how = &mut ending => break how?,
            Some(event) = process.events.recv() => last.push(event),
        }
    };
    let rest = async {
        while let Some(event) = process.events.recv().await {
            last.push(event);
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS, rest).await;
    last.retain(|event| !matches!(event, AgentEvent::Partial { .. }));
    Ok(Ending { how, last })
}

impl Control {
    /// Interrupt, then end of input, then (in the engine) SIGINT, SIGKILL to everything with its mark, and the whole
    /// container as the last resort. Somebody must take the events meanwhile; [`Process::end`] does.
    pub async fn end(&self, patience: Patience) -> Result<Ended, Error> {
        let mut state = self.state.clone();
        if state.borrow().busy {
            let _ = self.shared.interrupt.try_send(say::encode(&AgentCommand::Interrupt));
            let _ = tokio::time::timeout(patience.interrupt, state.wait_for(|s| !s.busy || s.gone)).await;
        }
        self.shared.close.cancel();
        let _ = tokio::time::timeout(patience.leave, state.wait_for(|s| s.gone)).await;
        // Also after it left by itself: a background command may live on.
        let pid = state.borrow().pid;
        (self.shared.kill)(pid).await
    }
}
