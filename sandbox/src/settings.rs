//! What the owner of this room decides: where the engine is, how large a sandbox may be, where its work lies.

use domain::SandboxId;
use std::path::PathBuf;

/// The user of the relay inside every sandbox. The agent's user may not be the same.
pub const RELAY_UID: u32 = 990;

/// How this room finds its engine and keeps its things apart.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `unix:///…`, `tcp://…`, `npipe://…` or a bare socket path. `None`: `DOCKER_HOST`, then the usual socket.
    pub engine: Option<String>,
    /// The image the sandbox image is built from, e.g. `debian:bookworm-slim`. It must be in the engine already.
    pub base: String,
    /// The static `lanyard-relay` for the engine's processor.
    pub relay_binary: PathBuf,
    /// Downloaded packages are kept here between builds.
    pub cache_dir: PathBuf,
    /// A folder of mode 0700, made if missing, for one socket folder per sandbox. Short: a socket path has at most 107 bytes.
    pub run_dir: PathBuf,
    /// The user the agent works as; that of the owner, so that files in a workspace folder stay the owner's.
    pub agent_uid: u32,
    pub carrier: Carrier,
    /// A label on everything made, so that two Lanyards (or two test runs) never touch each other's.
    pub instance: String,
}

/// How bytes travel between the gateway and the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// [`Carrier::Socket`] where the engine runs on this Linux with this user mapping, else [`Carrier::Exec`].
    Auto,
    /// A unix socket in a mounted folder.
    Socket,
    /// The standard streams of an exec. Works with every engine.
    Exec,
}

/// How much of the machine a sandbox may use. All have 512 MB of `/tmp` and 256 MB of shared memory, which count as memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 1 processor, 2 GiB, 512 processes and threads.
    Small,
    /// 2 processors, 4 GiB, 1024 processes and threads.
    Medium,
    /// 4 processors, 8 GiB, 2048 processes and threads.
    Large,
}

impl Size {
    /// Processors. The engine's own number is the ceiling.
    pub fn cpus(self) -> u32 {
        match self {
            Size::Small => 1,
            Size::Medium => 2,
            Size::Large => 4,
        }
    }

    /// Bytes, without swap.
    pub fn memory(self) -> u64 {
        u64::from(self.cpus()) * 2 * 1024 * 1024 * 1024
    }

    /// Processes and threads together.
    pub fn pids(self) -> u32 {
        self.cpus() * 512
    }
}

/// One sandbox as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxSpec {
    pub id: SandboxId,
    pub size: Size,
    pub workspace: Workspace,
    /// An image to build on in place of [`Settings::base`]: see [`Sandboxes::ensure_image_on`](crate::Sandboxes::ensure_image_on).
    pub base: Option<String>,
}

/// What is at `/workspace`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workspace {
    /// A volume of the engine's, kept as long as the sandbox.
    Volume,
    /// A folder of the owner's. Refused unless it exists, belongs to the agent's uid, and is neither `/` nor a home folder.
    Folder(PathBuf),
}

/// What becomes of a sandbox's volumes when it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volumes {
    Keep,
    Delete,
}
