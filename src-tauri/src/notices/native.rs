//! Notices on macOS and Windows: without buttons; the tray and the window answer. Written to the crate's documentation: it
//! could not be run on Linux.

use super::{Key, Notice};
use crate::controller::Tick;
use tokio::sync::mpsc;

pub struct Notices;

impl Notices {
    pub fn new(_ticks: mpsc::Sender<Tick>) -> Self {
        Self
    }

    /// Showing one may take a moment, and waits for nobody here.
    pub fn show(&self, notice: Notice) {
        tauri::async_runtime::spawn_blocking(move || {
            let mut shown = notify_rust::Notification::new();
            if let Err(e) = shown.appname("Lanyard").summary(&notice.title).body(&notice.body).show() {
                tracing::warn!(error = %e, "a notice was not shown");
            }
        });
    }

    /// These systems put notices away themselves.
    pub fn take_back(&self, _key: Key) {}

    pub fn take_all_back(&self) {}
}
