//! Containers and volumes, and the hardening that every sandbox has.

use super::Engine;
use crate::{
    Error,
    container::{INSTANCE, Mounted, Plan, SANDBOX, SPEC},
    settings::RELAY_UID,
};
use bollard::{
    errors::Error as EngineError,
    models::{
        ContainerCreateBody, ContainerState, ContainerSummary, ContainerSummaryStateEnum, HostConfig,
        HostConfigLogConfig, Mount, MountType, MountVolumeOptions, ResourcesUlimits,
    },
    query_parameters::{
        CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptions, ListContainersOptionsBuilder,
        ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions, StartContainerOptions,
        StatsOptionsBuilder, StopContainerOptionsBuilder,
    },
};
use domain::SandboxId;
use futures::StreamExt;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Enough for a browser and file watchers; an engine refuses more than it was started with itself, which may be little.
const OPEN_FILES: i64 = 8192;

pub(crate) type Labels = HashMap<String, String>;

/// A container as it is.
pub(crate) struct Found {
    pub status: Status,
    pub labels: Labels,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Paused,
    Stopped { exit: i64 },
}

impl Engine {
    pub(crate) async fn find(&self, id: SandboxId, name: &str) -> Result<Option<Found>, Error> {
        match self.docker.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(found) => Ok(Some(Found {
                status: status(found.state.unwrap_or_default()),
                labels: found.config.and_then(|config| config.labels).unwrap_or_default(),
            })),
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(e) => Err(self.refused_for(id, "look at a sandbox", e)),
        }
    }

    pub(crate) async fn create(&self, id: SandboxId, plan: &Plan) -> Result<(), Error> {
        let options = CreateContainerOptionsBuilder::default().name(&plan.name).build();
        let mut body = body(plan);
        body.labels.get_or_insert_default().insert(SPEC.to_owned(), fingerprint(plan));
        let made = self.docker.create_container(Some(options), body).await;
        made.map(|_| ()).map_err(|e| self.refused_for(id, "make a sandbox", e))
    }

    pub(crate) async fn start(&self, id: SandboxId, name: &str) -> Result<(), Error> {
        let started = self.docker.start_container(name, None::<StartContainerOptions>).await;
        started.map_err(|e| self.refused_for(id, "start a sandbox", e))
    }

    pub(crate) async fn stop(&self, id: SandboxId, name: &str, grace_s: i32) -> Result<(), Error> {
        let options = StopContainerOptionsBuilder::default().t(grace_s).build();
        let stopped = self.docker.stop_container(name, Some(options)).await;
        stopped.map_err(|e| self.refused_for(id, "stop a sandbox", e))
    }

    /// Harmless when nothing runs.
    pub(crate) async fn kill(&self, id: SandboxId, name: &str) -> Result<(), Error> {
        match self.docker.kill_container(name, None::<KillContainerOptions>).await {
            Ok(()) | Err(EngineError::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
            Err(e) => Err(self.refused_for(id, "kill a sandbox", e)),
        }
    }

    pub(crate) async fn pause(&self, id: SandboxId, name: &str) -> Result<(), Error> {
        self.docker.pause_container(name).await.map_err(|e| self.refused_for(id, "pause a sandbox", e))
    }

    pub(crate) async fn unpause(&self, id: SandboxId, name: &str) -> Result<(), Error> {
        self.docker.unpause_container(name).await.map_err(|e| self.refused_for(id, "resume a sandbox", e))
    }

    /// Kills and removes, with volumes that its image wished and nobody named. Harmless when there is none. Named volumes stay.
    pub(crate) async fn remove(&self, id: SandboxId, name: &str) -> Result<(), Error> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.docker.remove_container(name, Some(options)).await {
            Ok(()) | Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
            Err(e) => Err(self.refused_for(id, "remove a sandbox", e)),
        }
    }

    /// All containers with this label, running or not.
    pub(crate) async fn list(&self, label: &str, value: &str) -> Result<Vec<Found>, Error> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{label}={value}")])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = self.docker.list_containers(Some(options)).await.map_err(|e| self.refused("list sandboxes", e))?;
        Ok(listed.into_iter().map(summarised).collect())
    }

    /// All volumes with this label, with all their labels.
    pub(crate) async fn volumes(&self, label: &str, value: &str) -> Result<Vec<(String, Labels)>, Error> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{label}={value}")])]);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let listed = self.docker.list_volumes(Some(options)).await.map_err(|e| self.refused("list volumes", e))?;
        Ok(listed.volumes.unwrap_or_default().into_iter().map(|volume| (volume.name, volume.labels)).collect())
    }

    /// Harmless when there is none.
    pub(crate) async fn remove_volume(&self, name: &str) -> Result<(), Error> {
        match self.docker.remove_volume(name, None::<RemoveVolumeOptions>).await {
            Ok(()) | Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
            Err(e) => Err(self.refused("remove a volume", e)),
        }
    }

    pub(crate) async fn memory_used(&self, id: SandboxId, name: &str) -> Result<u64, Error> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let stats = self.docker.stats(name, Some(options)).next().await.ok_or(Error::Unknown(id))?;
        let memory = stats.map_err(|e| self.refused_for(id, "measure a sandbox", e))?.memory_stats.unwrap_or_default();
        let usage = memory.usage.ok_or(Error::NotRunning(id))?;
        // The page cache that can be dropped, as cgroup v1 and v2 call it.
        let cache = memory
            .stats
            .and_then(|stats| stats.get("total_inactive_file").or_else(|| stats.get("inactive_file")).copied());
        Ok(usage.saturating_sub(cache.unwrap_or(0)))
    }
}

fn status(state: ContainerState) -> Status {
    match (state.paused, state.running) {
        (Some(true), _) => Status::Paused,
        (_, Some(true)) => Status::Running,
        _ => Status::Stopped { exit: state.exit_code.unwrap_or(0) },
    }
}

fn summarised(container: ContainerSummary) -> Found {
    let status = match container.state {
        Some(ContainerSummaryStateEnum::RUNNING) => Status::Running,
        Some(ContainerSummaryStateEnum::PAUSED) => Status::Paused,
        _ => Status::Stopped { exit: 0 },
    };
    Found { status, labels: container.labels.unwrap_or_default() }
}

/// A hash of everything the engine is told: a container made otherwise, by an older version too, is made anew.
pub(crate) fn fingerprint(plan: &Plan) -> String {
    let mut told = serde_json::to_value(body(plan)).unwrap_or_default();
    told.sort_all_objects();
    crate::image::hex(&Sha256::digest(told.to_string()))
}

fn body(plan: &Plan) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(plan.image.clone()),
        // The relay is the main process. The agent has another user, so it can neither signal nor replace it.
        user: Some(format!("{RELAY_UID}:{RELAY_UID}")),
        hostname: Some("sandbox".to_owned()),
        working_dir: Some("/workspace".to_owned()),
        env: Some(plan.env.clone()),
        labels: Some(plan.labels.clone().into_iter().collect()),
        host_config: Some(hardened(plan)),
        ..Default::default()
    }
}

/// The walls. Checked from inside by the tests: no capabilities, no new privileges, seccomp, a read-only root, no network.
fn hardened(plan: &Plan) -> HostConfig {
    let memory = i64::try_from(plan.memory_bytes).ok();
    HostConfig {
        network_mode: Some("none".to_owned()),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        readonly_rootfs: Some(true),
        tmpfs: Some(scratch()),
        mounts: Some(plan.mounts.iter().map(|mounted| mount(mounted, plan)).collect()),
        memory,
        // The same number: no swap.
        memory_swap: memory,
        nano_cpus: Some(i64::from(plan.cpus) * 1_000_000_000),
        pids_limit: Some(i64::from(plan.pids)),
        shm_size: Some(256 * 1024 * 1024),
        ulimits: Some(vec![ulimit("nofile", OPEN_FILES), ulimit("core", 0)]),
        // Reaps what the agent's tools leave behind.
        init: Some(true),
        // What the agent prints is nobody's log.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..Default::default()
    }
}

/// The engine's own default for a tmpfs is noexec; tools build and run things in `/tmp`.
fn scratch() -> HashMap<String, String> {
    HashMap::from([
        ("/tmp".to_owned(), "rw,nosuid,nodev,exec,size=512m,mode=1777".to_owned()),
        ("/run".to_owned(), "rw,nosuid,nodev,noexec,size=16m,mode=755".to_owned()),
        (
            relay::PRIVATE_FOLDER.to_owned(),
            format!("rw,nosuid,nodev,noexec,size=64k,mode=700,uid={RELAY_UID},gid={RELAY_UID}"),
        ),
    ])
}

fn ulimit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}

fn mount(mounted: &Mounted, plan: &Plan) -> Mount {
    match mounted {
        Mounted::Volume { name, at } => Mount {
            typ: Some(MountType::VOLUME),
            source: Some(name.clone()),
            target: Some((*at).to_owned()),
            volume_options: Some(MountVolumeOptions { labels: Some(whose(plan)), ..Default::default() }),
            ..Default::default()
        },
        Mounted::Folder { path, at, read_only } => Mount {
            typ: Some(MountType::BIND),
            source: Some(path.to_string_lossy().into_owned()),
            target: Some((*at).to_owned()),
            read_only: Some(*read_only),
            ..Default::default()
        },
    }
}

fn whose(plan: &Plan) -> Labels {
    let both = [INSTANCE, SANDBOX];
    both.iter().filter_map(|name| Some(((*name).to_owned(), plan.labels.get(*name)?.clone()))).collect()
}
