//! The room's one handle: an engine, its sandboxes, and the lines to their relays.

use crate::{
    Carrier, Error, Incoming, Settings, carrier::Carriers, docker::Engine, image::Recipe, settings::RELAY_UID,
};
use domain::SandboxId;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OnceCell, mpsc};

pub use crate::docker::EngineInfo;

/// Connections from inside that wait for the egress door to take them. Each is small; the relay holds the rest back.
const WAITING_CONNECTIONS: usize = 256;
/// Longer than any carrier needs to leave.
const CLOSING: Duration = Duration::from_secs(5);

/// All sandboxes of one Lanyard on one engine. Cheap to clone.
#[derive(Clone)]
pub struct Sandboxes {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    info: EngineInfo,
    settings: Settings,
    carriers: Carriers,
    recipe: OnceCell<Recipe>,
    building: tokio::sync::Mutex<()>,
    /// One change to a sandbox at a time.
    gates: Mutex<HashMap<SandboxId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Sandboxes {
    /// Connects to the engine and checks the settings. Changes nothing in the engine yet. The receiver yields every
    /// connection a sandbox makes to the outside; it must be read, for a full queue holds the sandboxes back.
    pub async fn connect(settings: Settings) -> Result<(Self, mpsc::Receiver<Incoming>), Error> {
        check(&settings)?;
        make_private(&settings.run_dir)?;
        let engine = Engine::connect(settings.engine.as_deref()).await?;
        let info = engine.info().await?;
        let (sender, incoming) = mpsc::channel(WAITING_CONNECTIONS);
        let carrier = resolve(&settings, &info);
        tracing::info!(engine.version = %info.version, engine.arch = %info.arch, carrier = ?carrier, "engine found");
        let carriers =
            Carriers::new(engine.clone(), carrier, settings.run_dir.clone(), settings.instance.clone(), sender);
        let inner = Inner {
            engine,
            info,
            settings,
            carriers,
            recipe: OnceCell::new(),
            building: tokio::sync::Mutex::new(()),
            gates: Mutex::default(),
        };
        Ok((Self { inner: Arc::new(inner) }, incoming))
    }

    /// What the engine says of itself now.
    pub async fn engine(&self) -> Result<EngineInfo, Error> {
        self.inner.engine.info().await
    }

    /// Takes all carriers down. Containers stay as they are; the next run adopts or removes them ([`Sandboxes::sweep`]).
    pub async fn close(self) {
        if tokio::time::timeout(CLOSING, self.inner.carriers.close()).await.is_err() {
            tracing::warn!("some carriers did not close in time");
        }
    }

    pub(crate) fn engine_handle(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn known(&self) -> &EngineInfo {
        &self.inner.info
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn carriers(&self) -> &Carriers {
        &self.inner.carriers
    }

    pub(crate) fn recipe_cell(&self) -> &OnceCell<Recipe> {
        &self.inner.recipe
    }

    pub(crate) fn building(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.building
    }

    pub(crate) fn container_name(&self, id: SandboxId) -> String {
        container_name(&self.inner.settings.instance, id)
    }

    /// Held while a sandbox is changed.
    pub(crate) async fn gate(&self, id: SandboxId) -> tokio::sync::OwnedMutexGuard<()> {
        let gate = self.inner.gates.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().clone();
        gate.lock_owned().await
    }
}

pub(crate) fn container_name(instance: &str, id: SandboxId) -> String {
    format!("lanyard-{instance}-{}", id.0.simple())
}

fn check(settings: &Settings) -> Result<(), Error> {
    let wrong = |name, reason: &str| Err(Error::Setting { name, reason: reason.to_owned() });
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if settings.instance.is_empty() || settings.instance.len() > 40 || !settings.instance.chars().all(plain) {
        return wrong("sandbox.instance", "1 to 40 letters, digits, - or _");
    }
    if settings.agent_uid == 0 || settings.agent_uid == RELAY_UID {
        return wrong("sandbox.agent_uid", "the agent is neither root (0) nor the relay (990)");
    }
    Ok(())
}

/// The parent of all socket folders is the owner's alone, so that no other user of this machine reaches a socket.
fn make_private(run_dir: &Path) -> Result<(), Error> {
    let disk = |source| Error::Disk { doing: "make the folder", path: run_dir.to_owned(), source };
    std::fs::create_dir_all(run_dir).map_err(disk)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(run_dir, std::fs::Permissions::from_mode(0o700)).map_err(disk)?;
    }
    Ok(())
}

fn resolve(settings: &Settings, info: &EngineInfo) -> Carrier {
    match settings.carrier {
        Carrier::Auto if cfg!(unix) && info.shares_sockets && fits(&settings.run_dir) => Carrier::Socket,
        Carrier::Auto => Carrier::Exec,
        chosen @ (Carrier::Socket | Carrier::Exec) => chosen,
    }
}

/// A unix socket's path has at most 107 bytes on Linux.
fn fits(run_dir: &Path) -> bool {
    let longest: PathBuf = run_dir.join("0".repeat(32)).join(relay::SOCKET_NAME);
    longest.as_os_str().len() <= 107
}
