//! Whose turn it is.

use super::{Repository, TaskId, TaskState};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// How much a step of priority is worth: a task of low priority comes before one of normal that has waited this much less.
const STEP_MS: i64 = 3_600_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

impl Priority {
    pub const ALL: [Priority; 3] = [Self::Low, Self::Normal, Self::High];

    /// As it is kept.
    pub fn rank(self) -> i64 {
        match self {
            Self::Low => -1,
            Self::Normal => 0,
            Self::High => 1,
        }
    }

    pub fn of_rank(rank: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.rank() == rank)
    }
}

/// A task that could begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub id: TaskId,
    pub repository: Repository,
    pub priority: Priority,
    /// Since when it could.
    pub since: Timestamp,
}

/// Which begins next beside what runs: of the repository with the fewest at work, the one that has waited longest, where each
/// step of priority counts as an hour.
pub fn next<'w>(waiting: &'w [Waiting], running: &[Repository]) -> Option<&'w Waiting> {
    let at_work = |task: &Waiting| running.iter().filter(|repository| **repository == task.repository).count();
    let since = |task: &Waiting| task.since.0 - task.priority.rank() * STEP_MS;
    waiting.iter().min_by_key(|task| (at_work(task), since(task), Reverse(task.priority), task.id))
}

/// Whether one more may begin. One that waits for its owner leaves its place to others, until as many wait so as may be at
/// work: each has a sandbox.
pub fn has_room(running: impl IntoIterator<Item = TaskState>, at_once: usize) -> bool {
    let (asking, at_work): (Vec<_>, Vec<_>) = running.into_iter().partition(|state| *state == TaskState::NeedsYou);
    at_work.len() + asking.len().saturating_sub(at_once) < at_once
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn task(id: u32, repository: &str, priority: Priority, minutes: i64) -> Waiting {
        let repository = repository.parse().unwrap();
        Waiting { id: TaskId(id), repository, priority, since: Timestamp(minutes * 60_000) }
    }

    fn begins(waiting: &[Waiting], running: &[&str]) -> u32 {
        let running: Vec<Repository> = running.iter().map(|r| r.parse().unwrap()).collect();
        next(waiting, &running).unwrap().id.0
    }

    #[test]
    fn one_that_waits_for_its_owner_keeps_nobody_from_working_until_too_many_do() {
        use TaskState::{NeedsYou, Working};
        for (running, room) in [
            (&[][..], true),
            (&[Working, NeedsYou], true),
            (&[Working, Working], false),
            (&[NeedsYou, NeedsYou, Working], true),
            (&[NeedsYou, NeedsYou, NeedsYou], true),
            (&[NeedsYou, NeedsYou, NeedsYou, Working], false),
            (&[NeedsYou, NeedsYou, NeedsYou, NeedsYou], false),
        ] {
            assert_eq!(has_room(running.iter().copied(), 2), room, "{running:?}");
        }
    }

    #[test]
    fn the_oldest_begins_and_an_hour_is_worth_a_step_of_priority() {
        let (low, normal, high) = (Priority::Low, Priority::Normal, Priority::High);
        assert_eq!(begins(&[task(1, "a/a", normal, 5), task(2, "a/a", normal, 3)], &[]), 2);
        assert_eq!(begins(&[task(1, "a/a", normal, 0), task(2, "a/a", high, 59)], &[]), 2);
        assert_eq!(begins(&[task(1, "a/a", normal, 0), task(2, "a/a", high, 61)], &[]), 1);
        assert_eq!(begins(&[task(1, "a/a", low, 0), task(2, "a/a", normal, 59)], &[]), 2);
        assert_eq!(begins(&[task(1, "a/a", low, 0), task(2, "a/a", normal, 61)], &[]), 1);
    }

    #[test]
    fn no_repository_takes_all_the_places() {
        let normal = Priority::Normal;
        let waiting = [task(1, "a/a", normal, 0), task(2, "a/a", normal, 1), task(3, "b/b", normal, 9)];
        assert_eq!(begins(&waiting, &["a/a"]), 3);
        assert_eq!(begins(&waiting, &["a/a", "b/b"]), 1);
    }

    proptest! {
        /// With any queue, taking one after another: nobody is left, and between two of one repository and one priority the older
        /// is first.
        #[test]
        fn everybody_has_a_turn(tasks in prop::collection::vec((0..3usize, 0..3usize, 0..1000i64), 1..30)) {
            let names = ["a/a", "b/b", "c/c"];
            let mut waiting: Vec<Waiting> = tasks.iter().enumerate().map(|(n, (repository, priority, minutes))| {
                task(n as u32 + 1, names[*repository], Priority::ALL[*priority], *minutes)
            }).collect();
            let mut begun: Vec<Waiting> = Vec::new();
            while let Some(id) = next(&waiting, &[]).map(|task| task.id) {
                let at = waiting.iter().position(|task| task.id == id).unwrap();
                begun.push(waiting.remove(at));
            }
            prop_assert!(waiting.is_empty());
            for pair in begun.windows(2).filter(|pair| pair[0].priority == pair[1].priority) {
                prop_assert!(pair[0].since <= pair[1].since);
            }
        }
    }
}
