//! Where processes come from: the sandbox, kept as it should be, and one agent started ahead, so that a new session's first
//! words need not wait for a start.

mod apart;
mod builds;
mod git;
mod looks;
mod settings;
mod spare;
mod start;
mod state;

use crate::{
    config::{Paths, Resolved},
    lock::Lock,
    packages::Packages,
    tokens::{TokenKey, Tokens},
};
use apart::Base;
pub use apart::{Apart, Pass};
use builds::{Builds, Hearer};
use domain::{Code, PermissionMode, Problem, SandboxId, agent::Rule};
use egress::{Door, Policy};
use sandbox::{
    Command, Health, Incoming, Progress, SandboxSpec, Sandboxes, Settings, Volumes,
    agent::{Limits, Patience, Process},
};
pub(crate) use settings::settings as engine_settings;
use settings::{settings, spec};
use spare::Spare;
pub use state::SandboxState;
use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use store::{Store, facts, tasks};
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// For money that is still being written down at the end.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);

/// What a session wants of its process.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The agent's own id of the conversation to go on with; none starts a new one.
    pub resume: Option<String>,
    pub rules: Vec<Rule>,
    pub mode: PermissionMode,
    /// None: the config's.
    pub model: Option<String>,
}

/// A process and the token it holds.
pub struct Lease {
    pub process: Process,
    pub token: TokenKey,
}

impl Lease {
    fn is_alive(&self) -> bool {
        self.process.control.alive()
    }

    /// Ends the process with all it started, and makes its token worthless.
    pub async fn end(mut self, tokens: &Tokens) {
        if let Err(e) = self.process.end(Patience::default()).await {
            tracing::warn!(error = ?e, "a process could not be ended");
        }
        tokens.forget(self.token);
    }
}

/// What a workshop shares with the rest of the house.
#[derive(Clone)]
pub struct Rooms {
    pub door: Door,
    pub tokens: Tokens,
    pub packages: Packages,
    /// While it is shut the sandbox counts as paused.
    pub lock: Lock,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

#[derive(Clone)]
pub struct Workshop(Arc<Inner>);

struct Inner {
    settings: Settings,
    spec: SandboxSpec,
    /// Of a sandbox that a repository wants made from an image of its own.
    base: RwLock<Option<Base>>,
    model: Option<String>,
    mode: PermissionMode,
    instructions: Option<String>,
    retries: u32,
    limits: Limits,
    keep_spare: bool,
    rooms: Rooms,
    /// The engine, once it was reached; that of all workshops.
    engine: Arc<Mutex<Option<Sandboxes>>>,
    /// Sandboxes that the last run left and that are still wanted.
    left: Arc<[SandboxId]>,
    spare: Spare,
    state: watch::Sender<SandboxState>,
    builds: Arc<Builds>,
    /// Of the work that is done in it.
    env: RwLock<Vec<(String, String)>>,
    /// Whether the sandbox's package managers have the owner's settings.
    managers_told: AtomicBool,
    /// What the kernel had killed in the sandbox for want of memory when it was last looked.
    oom_kills: AtomicU64,
}

impl Workshop {
    /// Reaches nothing yet. The sandbox's id is kept in the store, so that every start finds the same one.
    pub async fn new(config: &Resolved, paths: &Paths, store: &Store, rooms: Rooms) -> Result<Self, Problem> {
        let id = sandbox_id(store).await.map_err(crate::approvals::internal)?;
        let left = store.read(|r| {
            let mut left: Vec<_> = tasks::with_sandbox(r)?.into_iter().filter_map(|task| task.sandbox).collect();
            left.extend(facts::get(r, facts::SPARE_SANDBOX)?.and_then(|id| id.parse::<SandboxId>().ok()));
            Ok(left)
        });
        let left = left.await.map_err(crate::approvals::internal)?;
        let text = |s: &str| Some(s.to_owned()).filter(|s| !s.is_empty());
        let agent = &config.written.agent;
        Ok(Self(Arc::new(Inner {
            settings: settings(config, paths),
            spec: spec(config, id),
            base: RwLock::default(),
            model: text(&agent.model),
            mode: agent.mode,
            instructions: text(&agent.instructions),
            retries: agent.model_retries,
            limits: config.limits,
            keep_spare: agent.spare,
            rooms,
            engine: Arc::default(),
            left: left.into(),
            spare: Spare::default(),
            state: watch::Sender::new(SandboxState::Unknown),
            builds: Arc::default(),
            env: RwLock::default(),
            managers_told: AtomicBool::new(false),
            oom_kills: AtomicU64::new(0),
        })))
    }

    /// Changes what the sandbox reaches without asking, for every connection from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.0.rooms.door.set_policy(policy);
    }

    /// Where the package managers in the sandbox look, if it runs. See [`Sandboxes::package_sources`].
    pub async fn package_sources(&self) -> Option<String> {
        if *self.0.state.borrow() != SandboxState::Ready {
            return None;
        }
        let said = self.engine().await.ok()?.package_sources(self.0.spec.id).await;
        said.inspect_err(|e| tracing::warn!(error = ?e, "the sandbox's package managers could not be asked")).ok()
    }

    /// The one sandbox's id.
    pub fn sandbox(&self) -> SandboxId {
        self.0.spec.id
    }

    /// How the sandbox is, from now on.
    pub fn watch(&self) -> watch::Receiver<SandboxState> {
        self.0.state.subscribe()
    }

    /// A process for a session: the one started ahead if it fits, else a new one.
    pub async fn take(&self, wanted: Wanted) -> Result<Lease, Problem> {
        if self.is_paused() {
            return Err(Code::SandboxPaused.into());
        }
        if self.fits_spare(&wanted)
            && let Some(lease) = self.take_spare().await
        {
            return Ok(lease);
        }
        let engine = self.ready().await?;
        if self.fits_spare(&wanted) {
            // Whoever made the sandbox ready starts a spare. Two starts at once would both be slow.
            self.refill();
            if let Some(lease) = self.take_spare().await {
                return Ok(lease);
            }
        }
        let lease = self.start(&engine, wanted).await?;
        self.refill_later();
        Ok(lease)
    }

    /// By the owner, or because everything is locked.
    pub fn is_paused(&self) -> bool {
        self.0.rooms.lock.is_shut() || *self.0.state.borrow() == SandboxState::Paused
    }

    fn found(&self, state: SandboxState) -> bool {
        state::found(&self.0.state, state)
    }

    /// Builds the image alone, telling each step. Gives its name.
    pub async fn build_image(
        config: &Resolved,
        paths: &Paths,
        rebuild: bool,
        step: impl Fn(&Progress) + Send + Sync,
    ) -> Result<String, Problem> {
        let (engine, _nobody_comes) = Sandboxes::connect(settings(config, paths)).await.map_err(|e| problem(&e))?;
        let image = match rebuild {
            true => engine.rebuild_image(&|p| step(&p)).await,
            false => engine.ensure_image(&|p| step(&p)).await,
        };
        engine.close().await;
        Ok(image.map_err(|e| problem(&e))?.tag)
    }

    /// Makes the sandbox ready at the start and starts the spare, so that the first words find both.
    pub async fn stay_ready(self) {
        match self.ready().await {
            Ok(_) => self.refill(),
            Err(problem) => tracing::warn!(code = %problem.code, why = problem.message, "the sandbox is not ready yet"),
        }
    }

    /// Makes the sandbox ready now, image and all.
    ///
    /// # Errors
    /// Why it cannot be.
    pub async fn make(&self) -> Result<(), Problem> {
        self.ready().await.map(drop)?;
        self.refill();
        Ok(())
    }

    /// The engine with the sandbox as it should be: image there, container up, relay connected. Mends what is not.
    async fn ready(&self) -> Result<Sandboxes, Problem> {
        if self.is_paused() {
            return Err(Code::SandboxPaused.into());
        }
        let result = self.make_ready().await;
        let running = self.found(match &result {
            Ok(_) => SandboxState::Ready,
            Err(p) if p.code == Code::SandboxPaused => SandboxState::Paused,
            Err(p) => SandboxState::Trouble { code: p.code, message: p.message.clone() },
        });
        if running { result } else { Err(Code::SandboxPaused.into()) }
    }

    async fn make_ready(&self) -> Result<Sandboxes, Problem> {
        // An agent is told of the owner's package indexes; that takes half a second to find out.
        let packages = self.0.rooms.packages.clone();
        self.0.rooms.tasks.spawn(async move { packages.environment().await });
        let engine = self.engine().await?;
        let mut spec = self.0.spec.clone();
        spec.base = self.base().map(|base| base.image);
        // What is built on a repository's image is shown with its task.
        let builds = if spec.base.is_none() { self.0.builds.clone() } else { Arc::default() };
        let hearer = Arc::new(Hearer::of(&builds));
        let (workshop, hearing) = (self.clone(), hearer.clone());
        let progress = move |p: Progress| {
            hearing.hear(&p);
            if let Progress::Step { n, of, words } = p {
                workshop.found(SandboxState::Preparing { step: format!("image, step {n} of {of}: {words}") });
            }
        };
        let image = engine.ensure_image_on(spec.base.as_deref(), &progress).await.map_err(|e| problem(&e));
        hearer.end(image.as_ref());
        self.found_programs(image?.path);
        engine.ensure(&spec).await.map_err(|e| problem(&e))?;
        self.tell_the_managers(&engine).await;
        Ok(engine)
    }

    /// What of the owner's package managers' settings no environment says. A file that is there stays as it is.
    async fn tell_the_managers(&self, engine: &Sandboxes) {
        if self.0.managers_told.swap(true, Ordering::Relaxed) {
            return;
        }
        for file in self.0.rooms.packages.files().await {
            let path = format!("/home/agent/{}", file.path);
            if let Err(e) = engine.write_new_file(self.0.spec.id, &path, file.text).await {
                tracing::warn!(path, error = ?e, "a package manager could not be told of the owner's indexes");
            }
        }
    }

    async fn engine(&self) -> Result<Sandboxes, Problem> {
        let mut engine = self.0.engine.lock().await;
        if let Some(engine) = engine.as_ref() {
            return Ok(engine.clone());
        }
        let (connected, incoming) = Sandboxes::connect(self.0.settings.clone()).await.map_err(|e| problem(&e))?;
        let kept = [&[self.0.spec.id][..], &self.0.left].concat();
        let swept = connected.sweep(&kept).await.map_err(|e| problem(&e))?;
        tracing::debug!(?swept, "what the last run left was looked at");
        self.0.rooms.tasks.spawn(carry(
            self.0.rooms.door.clone(),
            incoming,
            self.0.rooms.stop.clone(),
            self.0.rooms.tasks.clone(),
        ));
        // The first words need not wait for a handshake with the model's side.
        let door = self.0.rooms.door.clone();
        self.0.rooms.tasks.spawn(async move { door.warm().await });
        *engine = Some(connected.clone());
        Ok(connected)
    }

    pub async fn read_file(&self, path: &str, most: usize) -> Result<Vec<u8>, Problem> {
        let engine = self.engine().await?;
        let bytes = engine.read_file(self.0.spec.id, path, most).await.map_err(|e| problem(&e))?;
        Ok(bytes.into())
    }

    /// A picture (PNG) of a page as the sandbox sees it.
    pub async fn shot(&self, url: &str) -> Result<Vec<u8>, Problem> {
        let engine = self.ready().await?;
        let file = format!("/tmp/shot-{}.png", uuid::Uuid::new_v4());
        let command = Command::new(["lanyard-shot", url, &file]).timeout(Duration::from_secs(30));
        let output = engine.exec(self.0.spec.id, command).await.map_err(|e| problem(&e))?;
        if output.status != 0 {
            let words = String::from_utf8_lossy(&output.stderr);
            let line = words.lines().last().unwrap_or_default().to_owned();
            return Err(Problem::with_detail(Code::PictureRefused, format!("The page could not be shown: {line}")));
        }
        self.read_file(&file, 20_000_000).await
    }

    pub async fn pause(&self) -> Result<(), Problem> {
        let engine = self.engine().await?;
        engine.pause(self.0.spec.id).await.map_err(|e| problem(&e))?;
        self.0.state.send_replace(SandboxState::Paused);
        Ok(())
    }

    /// # Errors
    /// `LOCKED`; as the engine's.
    pub async fn resume(&self) -> Result<(), Problem> {
        self.0.rooms.lock.check()?;
        let engine = self.engine().await?;
        engine.resume(self.0.spec.id).await.map_err(|e| problem(&e))?;
        self.0.state.send_replace(SandboxState::Ready);
        Ok(())
    }

    /// Removes the sandbox with its volumes. The next words make a new one.
    pub async fn remove(&self) -> Result<(), Problem> {
        self.end_spare(spare::Place::Empty).await;
        let engine = self.engine().await?;
        engine.remove(self.0.spec.id, Volumes::Delete).await.map_err(|e| problem(&e))?;
        self.0.managers_told.store(false, Ordering::Relaxed);
        self.0.state.send_replace(SandboxState::Unknown);
        Ok(())
    }

    /// The container's own state, asked anew.
    pub async fn health(&self) -> Result<Health, Problem> {
        Ok(self.engine().await?.health(self.0.spec.id).await)
    }

    /// The engine's version, for doctor.
    pub async fn engine_info(&self) -> Result<sandbox::EngineInfo, Problem> {
        let engine = self.engine().await?;
        engine.engine().await.map_err(|e| problem(&e))
    }

    pub async fn state(&self) -> SandboxState {
        self.0.state.borrow().clone()
    }

    /// Ends the spare, stops the container (its volumes stay), takes the carriers down.
    pub async fn close(&self) {
        self.end_spare(spare::Place::Closed).await;
        if let Some(engine) = self.0.engine.lock().await.take() {
            if let Err(e) = engine.stop(self.0.spec.id).await {
                tracing::warn!(error = ?e, "the sandbox could not be stopped");
            }
            engine.close().await;
        }
        if tokio::time::timeout(SETTLED_WITHIN, self.0.rooms.door.settled()).await.is_err() {
            tracing::error!("stopped before all that was spent was written down");
        }
    }
}

/// An error's words as a sentence of their own.
fn sentence(e: &impl std::fmt::Display) -> String {
    let words = e.to_string();
    let rest = words.chars().next().map_or(0, char::len_utf8);
    format!("{}{}.", words[..rest].to_uppercase(), &words[rest..])
}

fn problem(e: &sandbox::Error) -> Problem {
    tracing::warn!(error = ?e, "the sandbox is in trouble");
    match e {
        sandbox::Error::NoEngine { at, .. } => Problem::with_detail(e.code(), format!("It was looked for at {at}.")),
        e => Problem::with_detail(e.code(), sentence(e)),
    }
}

async fn sandbox_id(store: &Store) -> store::Result<SandboxId> {
    store
        .write(|tx| {
            if let Some(id) = facts::get(tx, facts::SANDBOX)?.and_then(|id| id.parse().ok()) {
                return Ok(id);
            }
            let id = SandboxId::new();
            facts::set(tx, facts::SANDBOX, &id.to_string())?;
            Ok(id)
        })
        .await
}

/// Every connection from inside goes to the egress door, and nowhere else.
async fn carry(door: Door, mut incoming: mpsc::Receiver<Incoming>, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let connection = tokio::select! {
            () = stop.cancelled() => return,
            connection = incoming.recv() => connection,
        };
        let Some(Incoming { sandbox, stream, .. }) = connection else { return };
        let (door, stop) = (door.clone(), stop.clone());
        tasks.spawn(async move { door.serve(stream, sandbox, stop).await });
    }
}
