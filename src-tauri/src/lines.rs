//! The page's live lines: what a scheme cannot carry. Each is one client of the gateway's stream; and answers that come line by
//! line.

use crate::scheme;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream::BoxStream};
use gateway::desk::{Desk, Says};
use http::Request;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tauri::ipc::Channel;
use tokio::task::AbortHandle;

/// Those that are open. Cheap to clone.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    last: u32,
    lines: HashMap<u32, Line>,
}

struct Line {
    says: Says,
    pump: AbortHandle,
}

impl Lines {
    /// Opens one; each frame goes to `channel`, and null when the line is over.
    pub fn open(&self, desk: &Desk, after: Option<i64>, channel: Channel<Option<String>>) -> u32 {
        let (says, mut hears) = desk.subscribe(after);
        let mut open = self.open_ones();
        open.last += 1;
        let (id, lines) = (open.last, self.clone());
        let pump = tokio::spawn(async move {
            while let Some(frame) = hears.next().await {
                if channel.send(Some(frame)).is_err() {
                    break;
                }
            }
            let _page_is_gone = channel.send(None);
            lines.open_ones().lines.remove(&id);
        });
        open.lines.insert(id, Line { says, pump: pump.abort_handle() });
        id
    }

    /// False if there is no such line any more.
    pub async fn tell(&self, id: u32, frame: String) -> bool {
        let says = self.open_ones().lines.get(&id).map(|line| line.says.clone());
        match says {
            Some(says) => says.tell(frame).await,
            None => false,
        }
    }

    pub fn close(&self, id: u32) {
        if let Some(line) = self.open_ones().lines.remove(&id) {
            line.pump.abort();
        }
    }

    /// The page is gone or another takes its place.
    pub fn close_all(&self) {
        for (_, line) in self.open_ones().lines.drain() {
            line.pump.abort();
        }
    }

    fn open_ones(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for an answer of lines: each goes to `channel` as it comes, and null at the end. It is heard to its end also where the
/// page is gone, for an answer that nobody hears is one that its sender breaks off.
///
/// # Errors
/// What was answered instead.
pub async fn each(desk: &Desk, request: Request<Vec<u8>>, channel: Channel<Option<String>>) -> Result<(), Value> {
    let (head, mut pieces) = desk.call_piecewise(scheme::inward(request)).await.into_parts();
    if !head.status.is_success() {
        return Err(whole(pieces).await);
    }
    tokio::spawn(async move {
        let mut rest = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            rest.extend_from_slice(&piece);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.split_to(end + 1);
                let _page_is_gone = channel.send(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
        }
        let _page_is_gone = channel.send(None);
    });
    Ok(())
}

async fn whole(pieces: BoxStream<'static, Bytes>) -> Value {
    let refusal: Vec<Bytes> = pieces.collect().await;
    serde_json::from_slice(&refusal.concat()).unwrap_or_default()
}
