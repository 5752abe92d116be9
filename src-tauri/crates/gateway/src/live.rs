//! Partial words, for those who watch while an agent writes. Lossy by design: whoever reads too slowly misses some, and
//! finds the finished text among the events.

use domain::SessionId;
use serde::Serialize;
use tokio::sync::broadcast;

/// Words an agent is writing: `offset` counts the UTF-8 bytes of this block that came before.
#[derive(Clone, Debug, Serialize)]
pub struct Partial {
    pub session: SessionId,
    pub message: String,
    pub block: u32,
    pub offset: usize,
    pub text: String,
    pub thinking: bool,
    /// The newest event when these words were said: they come after it and before any later one.
    #[serde(skip)]
    pub after: i64,
}

/// Pieces kept for a reader that lags: about ten seconds of fast writing.
const KEPT: usize = 1024;

#[derive(Clone)]
pub struct Live(broadcast::Sender<Partial>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Live {
    pub fn say(&self, partial: Partial) {
        let _nobody_watches = self.0.send(partial);
    }

    pub fn watch(&self) -> broadcast::Receiver<Partial> {
        self.0.subscribe()
    }
}
