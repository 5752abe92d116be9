//! A sandbox as it should be, whatever happened to it: made, mended, paused, stopped, removed.

use crate::{
    Error, SandboxSpec, Sandboxes, Volumes,
    container::{Plan, SOURCE, SPEC, volume},
    docker::containers::{Found, Status, fingerprint},
    image::ImageInfo,
};
use domain::SandboxId;
use std::{path::PathBuf, time::Duration};

/// From the container's start to the relay's first word; 0.1 s when the machine is idle.
const RELAY_START: Duration = Duration::from_secs(15);
/// The relay leaves at once when told to; nothing else in a sandbox hears of a stop.
const STOP_GRACE_S: i32 = 5;

impl Sandboxes {
    /// Makes the sandbox what `spec` says and comes back when its relay is connected. Calling it again changes nothing.
    /// Mends what other hands did: a container that was killed, removed, paused, or made from an older image or another
    /// spec is started, resumed or made anew; volumes are kept. Fails with [`Error::Paused`] where
    /// [`Sandboxes::pause`] was called before, for that is the owner's will.
    pub async fn ensure(&self, spec: &SandboxSpec) -> Result<(), Error> {
        let _gate = self.gate(spec.id).await;
        if self.pause_note(spec.id).exists() {
            return Err(Error::Paused(spec.id));
        }
        let image = self.image_ready(spec.base.as_deref()).await?;
        self.carriers().up(spec.id)?;
        let plan = Plan::of(spec, self.settings(), self.known(), self.carriers().kind, &image.tag)?;
        self.mend(spec.id, &plan, &image).await?;
        match self.carriers().connected(spec.id, RELAY_START).await {
            Ok(_) => Ok(()),
            Err(_) => self.start_again(spec.id).await,
        }
    }

    async fn mend(&self, id: SandboxId, plan: &Plan, image: &ImageInfo) -> Result<(), Error> {
        let engine = self.engine_handle();
        match engine.find(id, &plan.name).await? {
            Some(found) if is_current(&found, plan, image) => match found.status {
                Status::Running => Ok(()),
                Status::Paused => {
                    tracing::info!(sandbox.id = %id, "resuming a sandbox that somebody else paused");
                    engine.unpause(id, &plan.name).await
                }
                Status::Stopped { exit } => {
                    tracing::info!(sandbox.id = %id, exit, "starting a stopped sandbox");
                    engine.start(id, &plan.name).await
                }
            },
            Some(_) => {
                tracing::info!(sandbox.id = %id, "making a sandbox anew: its image or its spec changed");
                engine.remove(id, &plan.name).await?;
                self.make(id, plan).await?;
                self.tidy_images().await;
                Ok(())
            }
            None => self.make(id, plan).await,
        }
    }

    async fn make(&self, id: SandboxId, plan: &Plan) -> Result<(), Error> {
        self.engine_handle().create(id, plan).await?;
        self.engine_handle().start(id, &plan.name).await
    }

    /// Ends whatever runs in a sandbox by killing its container and starting it again.
    pub(crate) async fn restart(&self, id: SandboxId) -> Result<(), Error> {
        let _gate = self.gate(id).await;
        self.start_again(id).await
    }

    async fn start_again(&self, id: SandboxId) -> Result<(), Error> {
        let name = self.container_name(id);
        self.engine_handle().kill(id, &name).await?;
        self.engine_handle().start(id, &name).await?;
        self.carriers().up(id)?;
        self.carriers().connected(id, RELAY_START).await.map(|_| ())
    }

    /// Freezes everything in the sandbox where it is. It stays so, over restarts of this program, until
    /// [`Sandboxes::resume`]. Harmless when it is paused already.
    pub async fn pause(&self, id: SandboxId) -> Result<(), Error> {
        let _gate = self.gate(id).await;
        let note = self.pause_note(id);
        std::fs::write(&note, "").map_err(|source| Error::Disk { doing: "write", path: note, source })?;
        match self.engine_handle().pause(id, &self.container_name(id)).await {
            // Nothing runs, and nothing will be started before resume.
            Ok(()) | Err(Error::Paused(_) | Error::NotRunning(_) | Error::Unknown(_)) => Ok(()),
            Err(e) => {
                self.forget_pause(id)?;
                Err(e)
            }
        }
    }

    /// Lets a paused sandbox go on where it was. Harmless when it is not paused.
    pub async fn resume(&self, id: SandboxId) -> Result<(), Error> {
        let _gate = self.gate(id).await;
        let name = self.container_name(id);
        if let Some(Found { status: Status::Paused, .. }) = self.engine_handle().find(id, &name).await? {
            self.engine_handle().unpause(id, &name).await?;
        }
        self.forget_pause(id)
    }

    /// Ends everything in the sandbox and keeps its container and volumes; one that was paused is paused still. Harmless when
    /// it is stopped or gone.
    pub async fn stop(&self, id: SandboxId) -> Result<(), Error> {
        let _gate = self.gate(id).await;
        self.carriers().down(id);
        let name = self.container_name(id);
        match self.engine_handle().stop(id, &name, STOP_GRACE_S).await {
            Ok(()) | Err(Error::Unknown(_)) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Removes the container, and with [`Volumes::Delete`] all that was ever in it. A workspace folder is never touched.
    /// Harmless when there is none.
    pub async fn remove(&self, id: SandboxId, volumes: Volumes) -> Result<(), Error> {
        let _gate = self.gate(id).await;
        self.carriers().down(id);
        self.engine_handle().remove(id, &self.container_name(id)).await?;
        self.forget_pause(id)?;
        self.remove_socket_folder(id)?;
        if volumes == Volumes::Delete {
            for what in ["home", "work"] {
                self.engine_handle().remove_volume(&volume(self.settings(), id, what)).await?;
            }
        }
        Ok(())
    }

    pub(crate) fn pause_note(&self, id: SandboxId) -> PathBuf {
        self.settings().run_dir.join(format!("{}.paused", id.0.simple()))
    }

    fn forget_pause(&self, id: SandboxId) -> Result<(), Error> {
        gone(std::fs::remove_file(self.pause_note(id)), self.pause_note(id))
    }

    pub(crate) fn remove_socket_folder(&self, id: SandboxId) -> Result<(), Error> {
        let folder = self.settings().run_dir.join(id.0.simple().to_string());
        gone(std::fs::remove_dir_all(&folder), folder)
    }
}

fn gone(removed: std::io::Result<()>, path: PathBuf) -> Result<(), Error> {
    match removed {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Disk { doing: "remove", path, source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn is_current(found: &Found, plan: &Plan, image: &ImageInfo) -> bool {
    found.labels.get(SOURCE) == Some(&image.source) && found.labels.get(SPEC) == Some(&fingerprint(plan))
}
