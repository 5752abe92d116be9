//! Every call to the engine. No other file names bollard.

pub(crate) mod build;
pub(crate) mod containers;
pub(crate) mod exec;
pub(crate) mod images;

use crate::Error;
use bollard::{API_DEFAULT_VERSION, Docker, errors::Error as EngineError};
use domain::SandboxId;

/// Answers that take longer than this mean that the engine hangs. It covers the head of an answer only, not a stream's body.
const TIMEOUT_S: u64 = 120;

/// A connection to an engine. Cheap to clone; it connects anew by itself when the engine was away.
#[derive(Clone)]
pub(crate) struct Engine {
    docker: Docker,
    at: String,
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// The engine's version, e.g. `20.10.24`.
    pub version: String,
    pub api_version: String,
    /// `x86_64` or `aarch64`, as the kernel says it.
    pub arch: String,
    /// Reached by a unix socket, on this machine's own Linux kernel.
    pub local_linux: bool,
    /// Its containers can share a unix socket with us: local, users inside are the same users outside, and no SELinux.
    pub shares_sockets: bool,
    /// `1` or `2`.
    pub cgroup: String,
    pub cpus: u32,
    pub memory_bytes: u64,
    /// Free where the engine keeps its images and volumes; `None` where that is another machine's disk.
    pub disk_free_bytes: Option<u64>,
}

impl Engine {
    /// Connects and settles on an API version both sides speak.
    pub(crate) async fn connect(address: Option<&str>) -> Result<Self, Error> {
        let at = address.map(str::to_owned).or_else(docker_host).unwrap_or_else(|| default_address().to_owned());
        let unreachable = |e: EngineError| Error::NoEngine { at: at.clone(), source: e.into() };
        let docker = dial(&at).map_err(unreachable)?.negotiate_version().await.map_err(unreachable)?;
        Ok(Self { docker, at })
    }

    pub(crate) async fn info(&self) -> Result<EngineInfo, Error> {
        let version = self.docker.version().await.map_err(|e| self.refused("tell its version", e))?;
        let info = self.docker.info().await.map_err(|e| self.refused("describe itself", e))?;
        let options = info.security_options.unwrap_or_default();
        let local_linux = self.is_local_socket() && info.kernel_version == own_kernel();
        let apart = ["name=userns", "name=rootless", "name=selinux"];
        Ok(EngineInfo {
            version: version.version.unwrap_or_default(),
            api_version: version.api_version.unwrap_or_default(),
            arch: info.architecture.unwrap_or_default(),
            local_linux,
            shares_sockets: local_linux && !options.iter().any(|option| apart.iter().any(|name| option.contains(name))),
            cgroup: info.cgroup_version.map(|v| v.to_string()).unwrap_or_default(),
            cpus: info.ncpu.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
            memory_bytes: info.mem_total.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            disk_free_bytes: info.docker_root_dir.filter(|_| local_linux).and_then(|dir| free_bytes(&dir)),
        })
    }

    fn is_local_socket(&self) -> bool {
        cfg!(target_os = "linux") && (!self.at.contains("://") || self.at.starts_with("unix://"))
    }

    fn refused(&self, doing: &'static str, e: EngineError) -> Error {
        match e {
            EngineError::HyperLegacyError { .. }
            | EngineError::HyperResponseError { .. }
            | EngineError::SocketNotFoundError(_)
            | EngineError::RequestTimeoutError
            | EngineError::IOError { .. } => Error::NoEngine { at: self.at.clone(), source: e.into() },
            _ => Error::Engine { doing, source: e.into() },
        }
    }

    /// As [`Engine::refused`], for calls on a sandbox's container: the engine says in words why it will not.
    fn refused_for(&self, id: SandboxId, doing: &'static str, e: EngineError) -> Error {
        match &e {
            EngineError::DockerResponseServerError { status_code: 404, message } if message.contains("container") => {
                Error::Unknown(id)
            }
            EngineError::DockerResponseServerError { status_code: 409, message } if message.contains("paused") => {
                Error::Paused(id)
            }
            EngineError::DockerResponseServerError { message, .. } if message.contains("is not running") => {
                Error::NotRunning(id)
            }
            _ => self.refused(doing, e),
        }
    }
}

fn docker_host() -> Option<String> {
    std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty())
}

fn default_address() -> &'static str {
    if cfg!(windows) { "npipe:////./pipe/docker_engine" } else { "unix:///var/run/docker.sock" }
}

fn dial(at: &str) -> Result<Docker, EngineError> {
    if at.contains("://") {
        return Docker::connect_with_host(at);
    }
    Docker::connect_with_socket(at, TIMEOUT_S, API_DEFAULT_VERSION)
}

/// The kernel we run on; Docker Desktop's engine has another one, in its own machine.
fn own_kernel() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|release| release.trim().to_owned())
}

#[cfg(unix)]
fn free_bytes(dir: &str) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_dir: &str) -> Option<u64> {
    None
}
