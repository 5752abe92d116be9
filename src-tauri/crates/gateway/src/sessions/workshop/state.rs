//! How the sandbox is. A pause is the owner's will: nothing that is found out about the sandbox ends it.

use domain::Code;
use serde::Serialize;
use tokio::sync::watch;

/// How the sandbox is, for those who look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SandboxState {
    /// Nobody needed it yet.
    Unknown,
    /// Being made ready: what it is at.
    Preparing {
        step: String,
    },
    Ready,
    Paused,
    Trouble {
        code: Code,
        message: String,
    },
}

/// What was found out about the sandbox. False, and nothing changed, if it is paused: only resuming or removing it ends that.
pub fn found(known: &watch::Sender<SandboxState>, state: SandboxState) -> bool {
    let mut paused = false;
    known.send_if_modified(|known| {
        paused = *known == SandboxState::Paused;
        let news = !paused && *known != state;
        if news {
            *known = state;
        }
        news
    });
    !paused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_that_was_made_ready_while_it_was_paused_stays_paused() {
        let known = watch::Sender::new(SandboxState::Unknown);
        assert!(found(&known, SandboxState::Preparing { step: "image".into() }));
        known.send_replace(SandboxState::Paused);
        assert!(!found(&known, SandboxState::Ready));
        assert_eq!(*known.borrow(), SandboxState::Paused);
    }
}
