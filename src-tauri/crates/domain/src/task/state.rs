//! Where a task stands.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A task's state. It only ever becomes what [`TaskState::may_become`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It waits for its time or its turn.
    Queued,
    /// Its sandbox is being made.
    Starting,
    Cloning,
    /// The agent is at it, or its tests run.
    Working,
    /// A question to the owner is open.
    NeedsYou,
    /// The branch goes out, and the pull request is opened.
    Pushing,
    Done,
    Failed,
    Cancelled,
}

impl TaskState {
    pub const ALL: [TaskState; 9] = [
        Self::Queued,
        Self::Starting,
        Self::Cloning,
        Self::Working,
        Self::NeedsYou,
        Self::Pushing,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// As it is kept and sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Cloning => "cloning",
            Self::Working => "working",
            Self::NeedsYou => "needs_you",
            Self::Pushing => "pushing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Nothing more happens by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// It has, or may have, a sandbox.
    pub fn is_running(self) -> bool {
        !self.is_over() && self != Self::Queued
    }

    /// Whether nothing of the agent's can have happened yet: it may begin anew without anything being done twice.
    pub fn is_before_work(self) -> bool {
        matches!(self, Self::Queued | Self::Starting | Self::Cloning)
    }

    pub fn may_become(self, next: TaskState) -> bool {
        use TaskState::{Cancelled, Cloning, Done, Failed, NeedsYou, Pushing, Queued, Starting, Working};
        match next {
            // Begun anew after a kill before any work, or run again after an end.
            Queued => matches!(self, Starting | Cloning | Done | Failed | Cancelled),
            Starting => matches!(self, Queued),
            Cloning => matches!(self, Starting | Cloning),
            // Back from pushing: failed checks, or a branch that moved on.
            Working => matches!(self, Cloning | NeedsYou | Pushing),
            NeedsYou => matches!(self, Working | Cloning | Pushing),
            Pushing => matches!(self, Working | NeedsYou),
            Done => matches!(self, Working | Pushing),
            Failed | Cancelled => !self.is_over(),
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state of a task")]
pub struct NoSuchState;

impl FromStr for TaskState {
    type Err = NoSuchState;
    fn from_str(name: &str) -> Result<Self, NoSuchState> {
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or(NoSuchState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_left_only_by_running_again_and_every_state_can_be_reached() {
        for state in TaskState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
            let nexts = TaskState::ALL.into_iter().filter(|next| state.may_become(*next));
            match state.is_over() {
                true => assert_eq!(nexts.collect::<Vec<_>>(), [TaskState::Queued]),
                false => assert!(nexts.into_iter().any(TaskState::is_over), "{state} leads to no end"),
            }
            assert!(TaskState::ALL.into_iter().any(|from| from.may_become(state)), "{state} is never reached");
        }
    }

    #[test]
    fn what_the_agent_may_have_touched_never_goes_back_to_the_queue_by_itself() {
        for state in TaskState::ALL.into_iter().filter(|state| !state.is_over() && !state.is_before_work()) {
            assert!(!state.may_become(TaskState::Queued), "{state}");
        }
    }
}
