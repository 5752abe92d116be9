//! The whole: what is opened and bound ([`Gateway::build`], nothing spawned), then launched, then run until told to stop.

use crate::{
    address::{Address, Tunnelled},
    approvals, audit,
    config::{Paths, Resolved},
    doors,
    home::Looks,
    house::House,
    lan::{Lan, Nearby},
    launch,
    links::LinkKey,
    live::Live,
    lock::Lock,
    metrics::Metrics,
    packages::Packages,
    pairing::{Callers, Limits},
    parking,
    pin::Pin,
    push::{self, VapidKey},
    records::import::Importing,
    secrets::Secrets,
    sessions::{Apart, LastFailure, Registry, Rooms, Workshop},
    settings::Settings,
    sms::{self, letters::Post, refusals::Refusals, texting::Texts},
    stream::{self, Stream},
    switch,
    tasks::{self, Forges, Running},
    tokens::Tokens,
};
use domain::{Code, Problem};
use std::{
    fs::File,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::Store;
use tokio::{
    net::{TcpListener, UnixListener},
    sync::OnceCell,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Everything that doors, drivers and senders share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

pub struct Shared {
    pub config: Resolved,
    /// What of the config holds now, where that may change while Lanyard runs.
    pub settings: Settings,
    pub paths: Paths,
    /// How people and Twilio reach this computer.
    pub address: Address,
    /// How phones on the same network do.
    pub lan: Lan,
    pub store: Store,
    pub secrets: Secrets,
    pub tokens: Tokens,
    pub workshop: Workshop,
    /// Sandboxes of single sessions.
    pub apart: Apart,
    /// Tasks at work.
    pub running: Running,
    /// Tokens for forges.
    pub forges: Forges,
    /// Where the sandbox gets packages from without asking.
    pub packages: Packages,
    pub house: House,
    pub registry: Registry,
    /// What last went wrong with an agent.
    pub last_failure: LastFailure,
    /// What the engine and the keychain last said.
    pub looks: Looks,
    pub texting: Texts,
    link_key: OnceCell<LinkKey>,
    vapid_key: OnceCell<VapidKey>,
    /// Requests to the texting door whose signature was wrong.
    pub refusals: Refusals,
    pub importing: Importing,
    pub live: Live,
    /// Who may come in by the public door.
    pub callers: Callers,
    pub limits: Limits,
    /// What a phone's yes may need.
    pub pin: Pin,
    /// A lost phone shuts everything.
    pub lock: Lock,
    /// What goes to every open WebSocket.
    pub stream: Stream,
    pub metrics: Metrics,
    pub started: domain::Timestamp,
    /// Cancelled once, when what the last run left was taken up: from then on things are as they are shown.
    pub launched: CancellationToken,
    /// Cancelled once, when Lanyard stops; every task watches it.
    pub stop: CancellationToken,
    /// Whether it is to start again then.
    again: AtomicBool,
    pub tasks: TaskTracker,
    /// Where the public door really listens (port 0 resolved).
    pub public_addr: std::net::SocketAddr,
}

/// One that keeps nothing alive.
#[derive(Clone)]
pub struct WeakApp(Weak<Shared>);

impl App {
    pub fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.0))
    }
}

impl WeakApp {
    pub fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(App)
    }
}

impl Shared {
    /// Stops as always; [`Gateway::run`] then says that it is to be built again, from the config file as it is now.
    pub fn restart(&self) {
        self.again.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    /// How words become letters.
    pub fn post(&self) -> Post {
        Post { sms: self.config.sms, public_url: self.address.url() }
    }

    /// What proves links; read when the first is sent or opened.
    pub async fn link_key(&self) -> &LinkKey {
        self.link_key.get_or_init(|| LinkKey::open(&self.secrets)).await
    }

    /// What push services know this gateway by; read when the first phone asks or is told.
    ///
    /// # Errors
    /// If what is kept is no such key.
    pub async fn vapid_key(&self) -> Result<&VapidKey, push::Unreadable> {
        self.vapid_key.get_or_try_init(|| VapidKey::open(&self.secrets)).await
    }
}

/// How a run came to its end, which was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Stop,
    /// It is to be built again, by whoever runs it.
    Restart,
}

/// Built: files open, addresses bound, nothing running.
pub struct Gateway {
    pub app: App,
    public: TcpListener,
    local: UnixListener,
    /// Held as long as this Lanyard runs: a second one on the same folder is refused.
    _lock: File,
}

/// How long stopping may take: processes get their escalation, answers in flight their end.
const STOP_WITHIN: Duration = Duration::from_secs(20);

impl Gateway {
    /// # Errors
    /// `ALREADY_RUNNING`, `PORT_TAKEN`, `DATABASE_DAMAGED`, `DISK_FULL`, `CONFIG_INVALID`.
    pub async fn build(config: Resolved, paths: Paths) -> Result<Self, Problem> {
        let _another_set_it_first = rustls::crypto::ring::default_provider().install_default();
        paths.make()?;
        let lock = lock(&paths)?;
        let store = open_store(&paths)?;
        let public = TcpListener::bind(config.listen)
            .await
            .map_err(|e| Problem::with_detail(Code::PortTaken, format!("{}: {e}.", config.listen)))?;
        let public_addr = public.local_addr().map_err(|e| Problem::with_detail(Code::PortTaken, e))?;
        let local = doors::local::bind(&paths.local_door())?;
        let secrets = Secrets::open(&config);
        let tokens = Tokens::default();
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let settings = Settings::of(&config);
        let house = House::new(store.clone(), secrets.clone(), tokens.clone(), settings.watch_rules());
        let door = house.door(&config)?;
        let shut = Lock::open(&store).await.map_err(approvals::internal)?;
        let packages = Packages::default();
        let rooms = Rooms {
            door,
            tokens: tokens.clone(),
            packages: packages.clone(),
            lock: shut.clone(),
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        let workshop = Workshop::new(&config, &paths, &store, rooms).await?;
        let texting = Texts::open(config.twilio.clone(), &secrets).await;
        let address = Address::open(&config, &store).await.map_err(approvals::internal)?;
        let lan = Lan::open(&config, &store).await.map_err(approvals::internal)?;
        let registry = Registry::of(config.api.sessions);
        let callers = Callers::open(&store).await.map_err(approvals::internal)?;
        let limits = Limits::new(config.api.per_minute, config.api.address_per_minute);
        let app = App(Arc::new(Shared {
            config,
            settings,
            paths,
            address,
            lan,
            store,
            secrets,
            tokens,
            workshop,
            apart: Apart::default(),
            running: Running::default(),
            forges: Forges::default(),
            packages,
            house,
            registry,
            last_failure: LastFailure::default(),
            looks: Looks::default(),
            texting,
            link_key: OnceCell::new(),
            vapid_key: OnceCell::new(),
            refusals: Refusals::default(),
            importing: Importing::default(),
            live: Live::default(),
            callers,
            limits,
            lock: shut,
            pin: Pin::default(),
            stream: Stream::default(),
            metrics: Metrics::default(),
            started: crate::clock::now(),
            launched: CancellationToken::new(),
            stop,
            again: AtomicBool::new(false),
            tasks,
            public_addr,
        }));
        app.house.moves_in(&app);
        Ok(Self { app, public, local, _lock: lock })
    }

    /// Whether a Lanyard holds this data folder now.
    pub fn runs_at(paths: &Paths) -> bool {
        matches!(lock(paths), Err(problem) if problem.code == Code::AlreadyRunning)
    }

    /// Takes up what the last run left, then serves until `stop` is cancelled, then stops everything within a deadline. The
    /// folder, the port and the socket are free when this ends: the next run may be built at once.
    ///
    /// # Errors
    /// As [`launch::take_up`].
    pub async fn run(self) -> Result<Ended, Problem> {
        let Gateway { app, public, local, _lock } = self;
        if let Err(problem) = launch::take_up(&app).await {
            end(&app).await;
            return Err(problem);
        }
        app.launched.cancel();
        app.tasks.spawn(approvals::expire(app.clone()));
        app.tasks.spawn(audit::keep_signed(app.clone()));
        app.tasks.spawn(audit::cut_daily(app.clone()));
        app.tasks.spawn(parking::run(app.clone()));
        app.tasks.spawn(tasks::run(app.clone()));
        app.tasks.spawn(tasks::watch(app.clone()));
        app.tasks.spawn(sms::desk::run(app.clone()));
        app.tasks.spawn(sms::outbox::run(app.clone()));
        app.tasks.spawn(sms::reconcile::run(app.clone()));
        app.tasks.spawn(switch::run::<Tunnelled>(app.clone()));
        app.tasks.spawn(switch::run::<Nearby>(app.clone()));
        app.tasks.spawn(push::run(app.clone()));
        app.tasks.spawn(app.workshop.clone().stay_ready());
        app.tasks.spawn(stream::tell(app.clone()));
        app.tasks.spawn(doors::public::serve(app.clone(), public));
        app.tasks.spawn(doors::local::serve(app.clone(), local));
        tracing::info!(address = %app.public_addr, "Lanyard is up");
        app.stop.cancelled().await;
        end(&app).await;
        Ok(if app.again.load(Ordering::Relaxed) { Ended::Restart } else { Ended::Stop })
    }
}

async fn end(app: &App) {
    app.tasks.close();
    if tokio::time::timeout(STOP_WITHIN, app.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = app.tasks.len(), "stopped with tasks left");
    }
    let apart: Vec<Workshop> = app.apart.all().into_iter().chain(app.running.spare(app)).collect();
    let stopping = futures::future::join_all(apart.iter().map(Workshop::stop));
    if tokio::time::timeout(STOP_WITHIN, stopping).await.is_err() {
        tracing::warn!("a task's sandbox did not stop in time");
    }
    if tokio::time::timeout(STOP_WITHIN, app.workshop.close()).await.is_err() {
        tracing::warn!("the sandbox did not stop in time");
    }
    if tokio::time::timeout(STOP_WITHIN, app.house.settle()).await.is_err() {
        tracing::warn!("stopped before all that was reached was written down");
    }
    let _gone_already = std::fs::remove_file(app.paths.local_door());
    tracing::info!("Lanyard has stopped");
}

fn lock(paths: &Paths) -> Result<File, Problem> {
    let path = paths.data.join("lanyard.lock");
    let problem = |e: std::io::Error| Problem::with_detail(Code::ConfigInvalid, format!("{}: {e}.", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(problem)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Code::AlreadyRunning.into()),
    }
}

fn open_store(paths: &Paths) -> Result<Store, Problem> {
    Store::open(&paths.database()).map_err(|e| {
        tracing::error!(error = ?e, "the database could not be opened");
        match e {
            store::Error::Newer => {
                let at = paths.database().display().to_string();
                Problem::with_detail(Code::DatabaseDamaged, format!("{at} was written by a newer Lanyard."))
                    .suggest("Install the newer Lanyard again. The file was left unchanged.")
            }
            e => database_problem(e.code(), paths),
        }
    })
}

/// Trouble with the file as a whole.
pub(crate) fn database_problem(code: Code, paths: &Paths) -> Problem {
    Problem::with_detail(code, format!("The database is at {} and was left unchanged.", paths.database().display()))
}
