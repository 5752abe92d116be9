//! How a sandbox is, in one word.

use crate::{Error, Sandboxes, docker::containers::Status};
use domain::SandboxId;

/// How a sandbox is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It runs and its relay answers.
    Well,
    /// It runs, and its relay does not answer: nothing inside reaches the outside. [`Sandboxes::ensure`] mends it.
    NoRelay,
    /// By [`Sandboxes::pause`] (`by_owner`), or by another hand.
    Paused { by_owner: bool },
    /// With its last exit code.
    Stopped { exit: i64 },
    /// There is no container. Its volumes may still be there.
    Absent,
    /// The engine does not answer, so nobody knows.
    NoEngine,
}

impl Sandboxes {
    pub async fn health(&self, id: SandboxId) -> Health {
        let status = match self.engine_handle().find(id, &self.container_name(id)).await {
            Ok(Some(found)) => found.status,
            Ok(None) => return Health::Absent,
            Err(e) => {
                tracing::debug!(sandbox.id = %id, error = %e, "health unknown");
                return Health::NoEngine;
            }
        };
        match status {
            Status::Running if self.carriers().answers(id).await => Health::Well,
            Status::Running => Health::NoRelay,
            Status::Paused => Health::Paused { by_owner: self.pause_note(id).exists() },
            Status::Stopped { exit } => Health::Stopped { exit },
        }
    }

    /// Memory the sandbox uses now, without the page cache, in bytes.
    pub async fn memory_used(&self, id: SandboxId) -> Result<u64, Error> {
        self.engine_handle().memory_used(id, &self.container_name(id)).await
    }
}
