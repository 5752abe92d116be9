//! Everything that can go wrong with a sandbox, sorted by what a caller can do about it.

use domain::{Code, SandboxId};
use std::{path::PathBuf, time::Duration};

/// An error's cause that this room does not sort further; the chain is for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no Docker engine answers at {at}")]
    NoEngine { at: String, source: Source },
    #[error("the engine refused to {doing}")]
    Engine { doing: &'static str, source: Source },
    #[error(
        "the base image {base} is not in the engine: pull it (docker pull {base}), or make one with cargo xtask image"
    )]
    BaseMissing { base: String },
    #[error("the image {image} could not be pulled: {reason}")]
    Pull { image: String, reason: String },
    #[error("the image could not be built at {step}:\n{lines}")]
    BuildFailed { step: String, lines: String },
    #[error("the package {package} could not be fetched with npm: {reason}")]
    Package { package: String, reason: String },
    #[error("the relay program {path} cannot be used: {reason}")]
    RelayProgram { path: PathBuf, reason: String },
    #[error("there is no sandbox {0}")]
    Unknown(SandboxId),
    #[error("sandbox {0} is paused")]
    Paused(SandboxId),
    #[error("sandbox {0} is not running")]
    NotRunning(SandboxId),
    #[error("{path} cannot be the workspace: {reason}")]
    Workspace { path: PathBuf, reason: String },
    #[error("the relay of sandbox {sandbox} did not connect")]
    RelayDown { sandbox: SandboxId },
    #[error("port {port} of sandbox {sandbox} cannot be reached: {reason}")]
    Unreachable { sandbox: SandboxId, port: u16, reason: String },
    #[error("{doing} took longer than {} s", after.as_secs())]
    TimedOut { doing: String, after: Duration },
    #[error("{path} in the sandbox: {reason}")]
    File { path: String, reason: String },
    #[error("{path} in the sandbox has more than {max} bytes")]
    FileTooLarge { path: String, max: usize },
    #[error("setting {name}: {reason}")]
    Setting { name: &'static str, reason: String },
    #[error("could not {doing} {}", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: std::io::Error },
}

impl Error {
    /// The entry in the index of everything a person can meet.
    pub fn code(&self) -> Code {
        match self {
            Error::NoEngine { .. } => Code::NoEngine,
            Error::BaseMissing { .. }
            | Error::Pull { .. }
            | Error::BuildFailed { .. }
            | Error::Package { .. }
            | Error::RelayProgram { .. } => Code::NoImage,
            Error::Paused(_) => Code::SandboxPaused,
            Error::Workspace { .. } => Code::WorkspaceRefused,
            Error::Setting { .. } => Code::ConfigInvalid,
            Error::FileTooLarge { .. } => Code::TooLarge,
            Error::File { .. } => Code::NotFound,
            Error::Unreachable { .. } => Code::UpstreamUnreachable,
            Error::Disk { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => Code::DiskFull,
            Error::Engine { .. }
            | Error::Unknown(_)
            | Error::NotRunning(_)
            | Error::RelayDown { .. }
            | Error::TimedOut { .. }
            | Error::Disk { .. } => Code::SandboxFailed,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn retryable(&self) -> bool {
        match self {
            Error::NoEngine { .. }
            | Error::Engine { .. }
            | Error::NotRunning(_)
            | Error::RelayDown { .. }
            | Error::Unreachable { .. }
            | Error::TimedOut { .. }
            | Error::Package { .. } => true,
            Error::BaseMissing { .. }
            | Error::Pull { .. }
            | Error::BuildFailed { .. }
            | Error::RelayProgram { .. }
            | Error::Unknown(_)
            | Error::Paused(_)
            | Error::Workspace { .. }
            | Error::File { .. }
            | Error::FileTooLarge { .. }
            | Error::Setting { .. }
            | Error::Disk { .. } => false,
        }
    }
}
