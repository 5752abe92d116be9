//! What a sandbox's container is to be, as plain values. The hardening is the same for all and lives in docker/containers.

use crate::{Carrier, EngineInfo, Error, SandboxSpec, Settings, Workspace, connect::container_name, workspace};
use domain::SandboxId;
use std::{collections::BTreeMap, path::PathBuf};

/// On every container and volume: whose it is.
pub(crate) const INSTANCE: &str = "dev.lanyard.instance";
/// Which sandbox it is of.
pub(crate) const SANDBOX: &str = "dev.lanyard.sandbox";
/// On an image, and so on its containers: a hash of all that went into it.
pub(crate) const SOURCE: &str = "dev.lanyard.image.source";
/// On a container: a hash of how it was made.
pub(crate) const SPEC: &str = "dev.lanyard.spec";

/// One container, before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub name: String,
    pub image: String,
    pub labels: BTreeMap<String, String>,
    pub env: Vec<String>,
    pub mounts: Vec<Mounted>,
    pub cpus: u32,
    pub memory_bytes: u64,
    pub pids: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mounted {
    Volume { name: String, at: &'static str },
    Folder { path: PathBuf, at: &'static str, read_only: bool },
}

impl Plan {
    /// Fails with [`Error::Workspace`] where the workspace folder is refused.
    pub(crate) fn of(
        spec: &SandboxSpec,
        settings: &Settings,
        engine: &EngineInfo,
        carrier: Carrier,
        image: &str,
    ) -> Result<Self, Error> {
        let mut mounts = vec![
            Mounted::Volume { name: volume(settings, spec.id, "home"), at: "/home/agent" },
            match &spec.workspace {
                Workspace::Volume => Mounted::Volume { name: volume(settings, spec.id, "work"), at: "/workspace" },
                Workspace::Folder(path) => {
                    let path = workspace::check(path, settings)?;
                    Mounted::Folder { path, at: "/workspace", read_only: false }
                }
            },
        ];
        if carrier == Carrier::Socket {
            let path = settings.run_dir.join(spec.id.0.simple().to_string());
            mounts.push(Mounted::Folder { path, at: relay::SOCKET_FOLDER, read_only: true });
        }
        Ok(Self {
            name: container_name(&settings.instance, spec.id),
            image: image.to_owned(),
            labels: labels(&settings.instance, spec.id),
            env: environment(),
            mounts,
            cpus: spec.size.cpus().min(engine.cpus.max(1)),
            memory_bytes: spec.size.memory(),
            pids: spec.size.pids(),
        })
    }
}

/// Labels of everything that belongs to one sandbox.
pub(crate) fn labels(instance: &str, id: SandboxId) -> BTreeMap<String, String> {
    BTreeMap::from([(INSTANCE.to_owned(), instance.to_owned()), (SANDBOX.to_owned(), id.to_string())])
}

pub(crate) fn volume(settings: &Settings, id: SandboxId, what: &str) -> String {
    format!("{}-{what}", container_name(&settings.instance, id))
}

/// Every program inside finds the way out in its environment; there is no other way.
fn environment() -> Vec<String> {
    let proxy = format!("http://127.0.0.1:{}", relay::PORT);
    let out = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"].map(|name| format!("{name}={proxy}"));
    let not = ["no_proxy", "NO_PROXY"].map(|name| format!("{name}=localhost,127.0.0.1,::1"));
    out.into_iter().chain(not).collect()
}
