//! What goes to phones while they look: durable events by each client's own cursor, partial words that may be lost, and how
//! things stand.
//!
//! Nothing here waits for a client. A socket pulls what it sends next; one that reads slowly falls behind alone, loses partial
//! words and keeps every event, for those it reads from the store.

pub mod facts;
mod hear;
pub mod letters;
mod outgoing;
mod recent;
mod socket;
mod tasks;
pub mod view;

pub use hear::FRAME_BYTES;
pub use socket::serve;

use crate::{
    gateway::App,
    wire::{Frame, FromServer, HouseStatus, Status},
};
use axum::extract::ws::Utf8Bytes;
use domain::SessionId;
use recent::Recent;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{broadcast, watch};

/// Changes of state kept for a client that lags; one that lags more is told everything anew.
const KEPT: usize = 256;

/// What all sockets share. Cheap to clone.
#[derive(Clone)]
pub struct Stream {
    recent: Arc<Recent>,
    statuses: broadcast::Sender<Utf8Bytes>,
    bell: watch::Sender<()>,
    /// Sessions that changed in the store and were not told of yet.
    touched: Arc<Mutex<HashSet<SessionId>>>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            recent: Arc::default(),
            statuses: broadcast::Sender::new(KEPT),
            bell: watch::Sender::new(()),
            touched: Arc::default(),
        }
    }
}

impl Stream {
    /// The house changed.
    pub fn ring(&self) {
        self.bell.send_replace(());
    }

    /// A session changed in the store in a way no driver tells of (a new one, a title).
    pub fn ring_for(&self, session: SessionId) {
        self.touched().insert(session);
        self.ring();
    }

    fn touched(&self) -> MutexGuard<'_, HashSet<SessionId>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What clients were told last.
#[derive(Default)]
struct Told {
    sessions: HashMap<SessionId, String>,
    house: Option<HouseStatus>,
}

/// Says to all sockets what changed in how things stand, until Lanyard stops.
pub async fn tell(app: App) {
    let (mut glances, mut sandbox) = (app.registry.changes(), app.workshop.watch());
    let (mut events, mut bell) = (app.store.bells().events.subscribe(), app.stream.bell.subscribe());
    let (mut told, mut letters) = (Told::default(), letters::Changed::of(&app.store));
    let mut tasks = tasks::Changed::of(&app).await;
    loop {
        let mut frames = changes(&app, &mut told).await;
        let letters_now = letters.frames(&app.store).await;
        app.stream.recent.anew(&app.store, &letters_now).await;
        frames.extend(letters_now);
        frames.extend(tasks.frames(&app).await);
        for frame in frames {
            let Ok(text) = serde_json::to_string(&frame) else { continue };
            let _nobody_looks = app.stream.statuses.send(text.into());
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = glances.changed() => {}
            _ = sandbox.changed() => {}
            _ = bell.changed() => {}
            _ = events.changed() => {}
            () = tasks.any() => {}
            () = letters.any() => {}
        }
    }
}

/// Frames for what is not as it was told: the sessions that have a driver, and those that changed without one.
async fn changes(app: &App, told: &mut Told) -> Vec<Frame> {
    let mut frames = Vec::new();
    let house = view::house(app).await;
    if told.house.as_ref() != Some(&house) {
        frames.push(Frame::live(FromServer::Status(Status::House(house.clone()))));
        told.house = Some(house);
    }
    let glances = app.registry.glances();
    let touched = std::mem::take(&mut *app.stream.touched());
    let looked_at: HashSet<SessionId> = glances.keys().chain(&touched).copied().collect();
    // Those whose driver has ended are told once more, as they are now.
    let ended: Vec<SessionId> = told.sessions.keys().filter(|id| !looked_at.contains(id)).copied().collect();
    let all: Vec<SessionId> = looked_at.into_iter().chain(ended.iter().copied()).collect();
    let found = app.store.read(move |r| {
        let mut sessions = Vec::new();
        for id in all {
            if let Some(row) = store::sessions::get(r, id)? {
                sessions.push((id, view::session(r, row, glances.get(&id))?));
            }
        }
        Ok(sessions)
    });
    let Ok(sessions) = found.await else {
        app.stream.touched().extend(touched);
        return frames;
    };
    for (id, mut shown) in sessions {
        // The time of its last use changes with every word; that alone is not worth a frame.
        let at = std::mem::take(&mut shown.last_at);
        let now = serde_json::to_string(&shown).unwrap_or_default();
        shown.last_at = at;
        if told.sessions.get(&id) != Some(&now) {
            told.sessions.insert(id, now);
            frames.push(Frame::live(FromServer::Status(Status::Session(shown))));
        }
    }
    told.sessions.retain(|id, _| !ended.contains(id));
    frames
}
