//! Who drives which session. A session's driver is started the first time somebody rings it.

use super::driver::Driver;
use crate::gateway::App;
use domain::{SessionId, session::Input};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, watch};

/// Inputs a driver may be behind. What people say is in the inbox already, so a full queue only holds the ringer back.
const QUEUE: usize = 256;

/// What a session does right now, for those who look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Glance {
    /// `cold`, `starting`, `idle`, `working` or `closed`.
    pub state: &'static str,
    pub waiting: usize,
    /// The tool that runs, or what it is at.
    pub doing: Option<String>,
}

struct Rope {
    inputs: mpsc::Sender<Input>,
    glance: watch::Receiver<Glance>,
}

#[derive(Clone, Default)]
pub struct Registry {
    ropes: Arc<Mutex<HashMap<SessionId, Rope>>>,
    /// Rings when any session's glance changed.
    glances: watch::Sender<()>,
}

impl Registry {
    /// Gives `input` to the session's driver. Errs only while Lanyard stops; what matters is in the store then.
    pub async fn ring(&self, app: &App, session: SessionId, input: Input) {
        let inputs = self.rope(app, session);
        let _stopping = inputs.send(input).await;
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
        let busy = |rope: &&Rope| matches!(rope.glance.borrow().state, "starting" | "idle" | "working");
        self.table().values().filter(busy).count()
    }

    /// Rings when any session's glance changed.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.glances.subscribe()
    }

    pub(super) fn ring_glances(&self) {
        self.glances.send_replace(());
    }

    fn rope(&self, app: &App, session: SessionId) -> mpsc::Sender<Input> {
        let mut table = self.table();
        if let Some(rope) = table.get(&session)
            && !rope.inputs.is_closed()
        {
            return rope.inputs.clone();
        }
        let (inputs, taken) = mpsc::channel(QUEUE);
        let (shown, glance) = watch::channel(Glance::default());
        app.tasks.spawn(Driver::run(app.clone(), session, taken, shown));
        table.insert(session, Rope { inputs: inputs.clone(), glance });
        inputs
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Rope>> {
        self.ropes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
