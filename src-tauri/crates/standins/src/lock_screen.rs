//! A desktop that shows notices (`org.freedesktop.Notifications` 1.2), on a session bus of its own: what a real browser has
//! the system show, with buttons that can be pressed.

use anyhow::Context;
use std::{
    collections::HashMap,
    fs,
    os::unix::net::UnixStream,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::watch,
};
use zbus::{Connection, connection, interface, object_server::SignalEmitter, zvariant::OwnedValue};

const PATH: &str = "/org/freedesktop/Notifications";
/// Names are had and calls are made freely; no service is started by the bus itself.
const POLICY: &str = r#"<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>"#;
/// A bus on an idle machine answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A notice as it stands on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    id: u32,
    pub title: String,
    pub body: String,
    /// What the buttons say.
    pub buttons: Vec<String>,
    keys: Vec<String>,
    /// It came without a sound.
    pub silent: bool,
}

#[derive(Default)]
struct World {
    last: u32,
    shown: Vec<Shown>,
    /// Every notice that ever came, also in place of another.
    came: usize,
}

#[derive(Clone)]
struct Screen(Arc<(Mutex<World>, watch::Sender<()>)>);

pub struct LockScreen {
    screen: Screen,
    connection: Connection,
    folder: TempDir,
    _bus: Child,
}

impl LockScreen {
    /// # Errors
    /// If there is no `dbus-daemon`.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (config, socket) = (folder.path().join("bus.conf"), folder.path().join("bus"));
        let listen = format!("<listen>unix:path={}</listen><auth>EXTERNAL</auth>", socket.display());
        fs::write(&config, format!("<busconfig><type>session</type>{listen}{POLICY}</busconfig>"))?;
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--nopidfile"]).arg(format!("--config-file={}", config.display())).kill_on_drop(true);
        let bus = bus.spawn().context("dbus-daemon")?;
        let waiting = async {
            // It is there a moment before anybody listens.
            while UnixStream::connect(&socket).is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.context("the session bus did not come up")?;
        let screen = Screen(Arc::new((Mutex::default(), watch::Sender::new(()))));
        let connection = connection::Builder::address(format!("unix:path={}", socket.display()).as_str())?
            .serve_at(PATH, screen.clone())?
            .name("org.freedesktop.Notifications")?
            .build()
            .await?;
        Ok(Self { screen, connection, folder, _bus: bus })
    }

    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// What stands there now, the oldest first.
    pub fn shown(&self) -> Vec<Shown> {
        self.screen.world().shown.clone()
    }

    /// How many notices ever came, those in place of another among them.
    pub fn came(&self) -> usize {
        self.screen.world().came
    }

    /// Waits until `wanted` holds for what stands there; gives that.
    pub async fn until(&self, within: Duration, wanted: impl Fn(&[Shown]) -> bool) -> anyhow::Result<Vec<Shown>> {
        let mut bell = self.screen.0.1.subscribe();
        let waiting = async {
            loop {
                bell.mark_unchanged();
                let shown = self.shown();
                if wanted(&shown) {
                    return shown;
                }
                let _sender_lives_as_long = bell.changed().await;
            }
        };
        let waited = tokio::time::timeout(within, waiting).await;
        waited.with_context(|| format!("the lock screen shows {:?}", self.shown()))
    }

    /// The owner presses a button of a notice.
    pub async fn press(&self, notice: &Shown, button: &str) -> anyhow::Result<()> {
        let at = notice.buttons.iter().position(|b| b == button).context("there is no such button")?;
        let screen = self.connection.object_server().interface::<_, Screen>(PATH).await?;
        Ok(Screen::action_invoked(screen.signal_emitter(), notice.id, &notice.keys[at]).await?)
    }
}

impl Screen {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        let _nobody_waits = self.0.1.send(());
    }
}

#[interface(name = "org.freedesktop.Notifications")]
impl Screen {
    #[allow(clippy::too_many_arguments, reason = "the protocol's")]
    fn notify(
        &self,
        _app: String,
        replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let (keys, buttons) = actions.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).unzip();
        let silent = hints.get("suppress-sound").is_some_and(|v| bool::try_from(v).unwrap_or_default());
        let mut world = self.world();
        let old = world.shown.iter().position(|s| s.id == replaces);
        let id = old.map_or(world.last + 1, |_| replaces);
        world.last = world.last.max(id);
        world.came += 1;
        let notice = Shown { id, title, body, buttons, keys, silent };
        match old {
            Some(at) => world.shown[at] = notice,
            None => world.shown.push(notice),
        }
        drop(world);
        self.ring();
        id
    }

    async fn close_notification(&self, id: u32, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        self.world().shown.retain(|s| s.id != id);
        self.ring();
        // 3: closed by who had it shown.
        let _nobody_listens = Self::notification_closed(&emitter, id, 3).await;
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "persistence"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        let said = ["lock screen", "lanyard", "1", "1.2"].map(str::to_owned);
        said.into()
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}
