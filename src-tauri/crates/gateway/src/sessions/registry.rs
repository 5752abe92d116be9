//! Who drives which session. A session's driver is started the first time somebody rings it.

use super::{
    driver::{Driver, Rung},
    places::{Place, Places},
};
use crate::gateway::App;
use domain::{Code, SessionId, session::Input};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::{
    Notify,
    mpsc::{
        self,
        error::{SendTimeoutError, TrySendError},
    },
    watch,
};

/// Inputs a driver may be behind. It falls behind only while the disk is full.
const QUEUE: usize = 256;
/// How long a ringer is held back by a full queue, where what it brings is not in the store.
const HELD_BACK: Duration = Duration::from_secs(1);
/// A driver that was given words and has shown nothing since counts as busy for as long.
const TAKES_UP: Duration = Duration::from_secs(10);

/// What a session does right now, for those who look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Glance {
    /// `cold`, `starting`, `idle`, `working` or `closed`.
    pub state: &'static str,
    pub waiting: usize,
    /// The tool that runs, or what it is at.
    pub doing: Option<String>,
}

#[derive(Clone)]
struct Rope {
    inputs: mpsc::Sender<Input>,
    /// Rung where the queue has no room: the driver reads the store again.
    bell: Arc<Notify>,
    glance: watch::Receiver<Glance>,
    /// When it was last given words.
    said_at: Option<Instant>,
    /// It was told to end its idle process.
    makes_room: bool,
}

impl Rope {
    /// Whether the session has a process, or is about to.
    fn busy(&self) -> bool {
        let glance = self.glance.borrow();
        let taking_up = self.said_at.is_some_and(|at| at.elapsed() < TAKES_UP);
        let leaves = self.makes_room && glance.state == "idle";
        let shows = matches!(glance.state, "" | "starting" | "idle" | "working") && !leaves || glance.waiting > 0;
        drop(glance);
        !self.inputs.is_closed() && (shows || taking_up && !self.glance.has_changed().unwrap_or(true))
    }

    /// Whether its process has nothing to do and nothing is on its way to it.
    fn idle(&self) -> bool {
        let glance = self.glance.borrow();
        let idle = glance.state == "idle" && glance.waiting == 0 && !self.makes_room;
        drop(glance);
        idle && (self.said_at.is_none_or(|at| at.elapsed() >= TAKES_UP) || self.glance.has_changed().unwrap_or(false))
    }

    /// A halt, a decision: what only this input says. After a while it waits in a task of its own.
    async fn wait(self, app: &App, input: Input) {
        if let Err(SendTimeoutError::Timeout(input)) = self.inputs.send_timeout(input, HELD_BACK).await {
            let stop = app.stop.clone();
            app.tasks.spawn(async move {
                let _stopping_or_ended = stop.run_until_cancelled(self.inputs.send(input)).await;
            });
        }
    }
}

type Table = HashMap<SessionId, Rope>;

/// Tells the longest idle one to end its process. False if all have work.
fn make_room(table: &mut Table) -> bool {
    let longest = table.values_mut().filter(|rope| rope.idle()).min_by_key(|rope| rope.said_at);
    longest.is_some_and(|rope| {
        rope.makes_room = rope.inputs.try_send(Input::MakeRoom).is_ok();
        rope.makes_room
    })
}

#[derive(Clone)]
pub struct Registry {
    ropes: Arc<Mutex<Table>>,
    /// Rings when any session's glance changed.
    glances: watch::Sender<()>,
    places: Places,
}

impl Registry {
    /// With room for so many sessions that have a process.
    pub fn of(most: usize) -> Self {
        Self { ropes: Arc::default(), glances: watch::Sender::default(), places: Places::of(most) }
    }

    /// Room for what is about to be said in `session`. Held until it was rung. Where there is none, the process ends that was
    /// without work for the longest time.
    ///
    /// # Errors
    /// `SESSION_LIMIT` while as many others as may are at work.
    pub fn admit(&self, session: SessionId) -> Result<Place, Code> {
        let mut table = self.table();
        let busy = |table: &Table| table.iter().filter(|(_, rope)| rope.busy()).map(|(id, _)| *id).collect::<Vec<_>>();
        let taken = self.places.take(session, busy(&table).into_iter());
        if taken.is_ok() || !make_room(&mut table) {
            return taken;
        }
        self.places.take(session, busy(&table).into_iter())
    }

    /// A session whose driver has ended is as one that nobody rang.
    pub(super) fn forget(&self, session: SessionId) {
        let mut table = self.table();
        if table.get(&session).is_some_and(|rope| rope.inputs.is_closed()) {
            table.remove(&session);
        }
        drop(table);
        self.ring_glances();
    }

    /// Gives `input` to the session's driver, and soon comes back even if that is far behind. Nothing comes of it only while
    /// Lanyard stops; what matters is in the store then.
    pub async fn ring(&self, app: &App, session: SessionId, mut input: Input) {
        while !app.stop.is_cancelled() {
            let rope = self.rope(app, session, matches!(input, Input::Said(_)));
            match rope.inputs.try_send(input) {
                Ok(()) => return,
                // Its driver has just ended: the next one takes it.
                Err(TrySendError::Closed(back)) => input = back,
                Err(TrySendError::Full(Input::Said(_) | Input::Again(_) | Input::GoOn)) => {
                    return rope.bell.notify_one();
                }
                Err(TrySendError::Full(input)) => return rope.wait(app, input).await,
            }
        }
    }

    /// What the session does; none if nothing was asked of it since the start.
    pub fn glance(&self, session: SessionId) -> Option<Glance> {
        self.table().get(&session).map(|rope| rope.glance.borrow().clone())
    }

    /// Every session that was rung since the start, and what it does.
    pub fn glances(&self) -> HashMap<SessionId, Glance> {
        self.table().iter().map(|(id, rope)| (*id, rope.glance.borrow().clone())).collect()
    }

    /// Sessions that have a process or wait for one.
    pub fn active(&self) -> usize {
        self.table().values().filter(|rope| rope.busy()).count()
    }

    /// Rings when any session's glance changed.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.glances.subscribe()
    }

    pub(super) fn ring_glances(&self) {
        self.glances.send_replace(());
    }

    fn rope(&self, app: &App, session: SessionId, said: bool) -> Rope {
        let mut table = self.table();
        if let Some(rope) = table.get_mut(&session)
            && !rope.inputs.is_closed()
        {
            if said {
                rope.glance.mark_unchanged();
                rope.said_at = Some(Instant::now());
                rope.makes_room = false;
            }
            return rope.clone();
        }
        let (inputs, taken) = mpsc::channel(QUEUE);
        let (shown, glance) = watch::channel(Glance::default());
        let said_at = said.then(Instant::now);
        let rope = Rope { inputs, bell: Arc::default(), glance, said_at, makes_room: false };
        let rung = Rung { inputs: taken, bell: rope.bell.clone() };
        app.tasks.spawn(Driver::run(app.clone(), session, rung, shown));
        table.insert(session, rope.clone());
        rope
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.ropes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
