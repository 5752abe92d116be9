//! How many connections, and how much of their requests in memory, each sandbox has. Per sandbox, so that none can shut
//! the others out.

use domain::SandboxId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Request bodies are in memory until the model answers; this many of the largest at once for a sandbox.
const LARGEST_AT_ONCE: usize = 4;
const KIB: usize = 1024;

pub(crate) struct Crowd {
    max_connections: usize,
    max_request: usize,
    sandboxes: Mutex<HashMap<SandboxId, Inside>>,
}

struct Inside {
    connections: usize,
    /// In KiB.
    room: Arc<Semaphore>,
}

/// A connection's place among those of its sandbox.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    sandbox: SandboxId,
    room: Arc<Semaphore>,
}

impl Crowd {
    pub fn new(max_connections: usize, max_request: usize) -> Arc<Self> {
        Arc::new(Self { max_connections, max_request, sandboxes: Mutex::default() })
    }

    /// A place for one more connection, unless the sandbox has its fill.
    pub fn enter(self: &Arc<Self>, sandbox: SandboxId) -> Option<Place> {
        let mut sandboxes = self.sandboxes();
        let inside = sandboxes.entry(sandbox).or_insert_with(|| {
            let room = Arc::new(Semaphore::new(LARGEST_AT_ONCE * kib(self.max_request)));
            Inside { connections: 0, room }
        });
        if inside.connections >= self.max_connections {
            return None;
        }
        inside.connections += 1;
        Some(Place { crowd: self.clone(), sandbox, room: inside.room.clone() })
    }

    fn sandboxes(&self) -> MutexGuard<'_, HashMap<SandboxId, Inside>> {
        self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for room for a body of at most `bytes`.
    pub async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let room = kib(bytes.min(self.crowd.max_request)) as u32;
        self.room.clone().acquire_many_owned(room).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sandboxes = self.crowd.sandboxes();
        if let Some(inside) = sandboxes.get_mut(&self.sandbox) {
            inside.connections -= 1;
            if inside.connections == 0 {
                sandboxes.remove(&self.sandbox);
            }
        }
    }
}

fn kib(bytes: usize) -> usize {
    bytes.div_ceil(KIB).max(1)
}
