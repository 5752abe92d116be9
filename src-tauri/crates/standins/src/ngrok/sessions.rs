//! Sessions: what is signed in, what it holds, and when it is given up.

use super::{
    gate::Hand,
    link::Opener,
    world::{State, World},
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

pub(super) struct Session {
    /// The link it is reached by.
    pub(super) link: u64,
    pub(super) hand: Hand,
    pub(super) opener: Opener,
    /// When its last heartbeat came, and how long the next may take.
    pub(super) heard: Instant,
    pub(super) patience: Duration,
    /// Host -> the tunnel's id.
    pub(super) tunnels: HashMap<String, String>,
}

/// A link that ended takes its session along: nobody else may wait for that domain.
pub(super) fn end_with_link(state: &mut State, link: u64) {
    state.sessions.retain(|_, session| session.link != link);
}

/// Gives up sessions whose heartbeats are overdue, and their domains.
pub(super) async fn forget_the_silent(world: Arc<World>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let overdue = |session: &Session| session.heard.elapsed() > session.patience;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if world.read(|state| state.sessions.values().any(overdue)) {
            world.change(|state| {
                state.sessions.values().filter(|session| overdue(session)).for_each(|session| session.hand.cut());
                state.sessions.retain(|_, session| !overdue(session));
            });
        }
    }
}
