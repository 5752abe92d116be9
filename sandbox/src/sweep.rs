//! What the last run left: adopt it or remove it, by labels alone.

use crate::{
    Error, ProcessMark, Sandboxes, Volumes,
    container::{INSTANCE, SANDBOX},
    docker::{containers::Status, exec::ExecRequest},
    image,
};
use domain::SandboxId;

/// One sandbox that has a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: SandboxId,
    pub running: bool,
    pub paused: bool,
}

/// What a sweep found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Containers that stay.
    pub kept: Vec<SandboxId>,
    /// Containers that were removed. Their volumes were not.
    pub removed: Vec<SandboxId>,
    /// Processes of the last run that were still at work in kept sandboxes, and were ended.
    pub ended: u32,
    /// Volumes of sandboxes that are not to be kept. Nothing deletes work but [`Sandboxes::remove`].
    pub orphaned_volumes: Vec<String>,
}

/// All that the engine holds of this instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    pub sandboxes: Vec<SandboxId>,
    /// Their homes and workspaces, those of sandboxes that are gone among them.
    pub volumes: Vec<String>,
    /// Images it built, by name.
    pub images: Vec<String>,
}

impl Sandboxes {
    /// What [`Sandboxes::remove_all`] would remove.
    pub async fn holdings(&self) -> Result<Holdings, Error> {
        let instance = &self.settings().instance;
        let images = self.engine_handle().images_of(image::REPOSITORY, Some((image::INSTANCE, instance))).await?;
        Ok(Holdings {
            sandboxes: self.list().await?.into_iter().map(|listed| listed.id).collect(),
            volumes: self
                .engine_handle()
                .volumes(INSTANCE, instance)
                .await?
                .into_iter()
                .map(|(name, _)| name)
                .collect(),
            images: images.into_iter().flat_map(|image| image.tags).collect(),
        })
    }

    /// Removes every container, volume and image of this instance: all work that is not in a folder of the owner's. An image
    /// that somebody else made a container from stays. What was removed.
    pub async fn remove_all(&self) -> Result<Holdings, Error> {
        let mut gone = self.holdings().await?;
        for id in &gone.sandboxes {
            self.remove(*id, Volumes::Delete).await?;
        }
        for volume in &gone.volumes {
            self.engine_handle().remove_volume(volume).await?;
        }
        let mut images = Vec::new();
        for image in gone.images {
            if self.engine_handle().remove_unused_image(&image).await {
                images.push(image);
            }
        }
        gone.images = images;
        Ok(gone)
    }

    /// Every sandbox of this instance that has a container.
    pub async fn list(&self) -> Result<Vec<Listed>, Error> {
        let containers = self.engine_handle().list(INSTANCE, &self.settings().instance).await?;
        let listed = containers.into_iter().filter_map(|found| {
            Some(Listed {
                id: found.labels.get(SANDBOX)?.parse().ok()?,
                running: found.status == Status::Running,
                paused: found.status == Status::Paused,
            })
        });
        Ok(listed.collect())
    }

    /// To be called once at launch. Containers not in `keep` are removed. In those kept, processes the last run started
    /// are ended, for nobody listens to them any more; what carries `LANYARD_KEEP` (the owner's terminals) goes on.
    /// Touches nothing of another instance.
    pub async fn sweep(&self, keep: &[SandboxId]) -> Result<SweepReport, Error> {
        let mut report = SweepReport::default();
        for listed in self.list().await? {
            if !keep.contains(&listed.id) {
                self.remove(listed.id, Volumes::Keep).await?;
                report.removed.push(listed.id);
                continue;
            }
            if listed.running {
                report.ended += self.end_leftovers(listed.id).await?;
            }
            report.kept.push(listed.id);
        }
        for (name, labels) in self.engine_handle().volumes(INSTANCE, &self.settings().instance).await? {
            let of: Option<SandboxId> = labels.get(SANDBOX).and_then(|id| id.parse().ok());
            if of.is_none_or(|id| !keep.contains(&id)) {
                report.orphaned_volumes.push(name);
            }
        }
        tracing::info!(
            kept = report.kept.len(),
            removed = report.removed.len(),
            ended = report.ended,
            orphaned_volumes = report.orphaned_volumes.len(),
            "swept what the last run left"
        );
        Ok(report)
    }

    async fn end_leftovers(&self, id: SandboxId) -> Result<u32, Error> {
        let request = ExecRequest {
            container: self.container_name(id),
            argv: ["lanyard-relay", "end", relay::end::ALL].map(str::to_owned).into(),
            env: vec![format!("{}={}", relay::end::KEEP_VARIABLE, ProcessMark::new())],
            cwd: "/".to_owned(),
            uid: self.settings().agent_uid,
            stdin: false,
        };
        match self.report_of_end(id, request).await {
            Ok(report) => Ok(report.killed),
            Err(Error::NotRunning(_) | Error::Unknown(_)) => Ok(0),
            Err(_) => {
                self.restart(id).await?;
                Ok(0)
            }
        }
    }
}
