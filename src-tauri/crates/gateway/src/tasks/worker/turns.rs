//! The agent's part: words said to it, and what came of them.

use super::{AGAIN, Halt, Step, Worker};
use crate::{
    clock,
    tasks::stand::{self, LastWords, Stand},
};
use domain::{Code, Problem, event::Outcome, task::TaskState};
use std::time::{Duration, Instant};
use store::tasks::TaskRow;

/// A look at the session where no bell rang.
const LOOK: Duration = Duration::from_secs(5);

impl Worker {
    /// Says words and waits until nothing is to be done about them any more.
    pub(super) async fn agent_works(&mut self, task: &TaskRow, key: &str, words: String) -> Step {
        loop {
            match stand::say_once(&self.app, task, key, words.clone(), clock::now()).await {
                Ok(()) => break,
                Err(problem) if problem.code == Code::SessionLimit => tokio::time::sleep(AGAIN).await,
                Err(problem) => return Err(problem.into()),
            }
        }
        let session = self.session;
        let mut bell = self.app.store.bells().events.subscribe();
        loop {
            bell.mark_unchanged();
            let since = Instant::now();
            let stand = self.app.store.read(move |r| stand::of(r, session)).await?;
            match stand {
                Stand::Rests(outcome) => return self.ended(outcome.map(|(_, outcome)| outcome)).await,
                Stand::Asks => self.enter(TaskState::NeedsYou).await?,
                Stand::Works => self.enter(TaskState::Working).await?,
            }
            let _rang_or_not = tokio::time::timeout(LOOK, bell.changed()).await;
            if stand == Stand::Works && !self.workshop.is_paused() {
                self.worked += since.elapsed();
                if self.worked > self.app.config.tasks.longest {
                    return Err(Code::TaskTooLong.into());
                }
            }
        }
    }

    async fn ended(&self, outcome: Option<Outcome>) -> Step {
        let session = self.session;
        let LastWords { said, wrong } = self.app.store.read(move |r| stand::last_words(r, session)).await?;
        match outcome {
            Some(Outcome::Completed) => {
                self.change_result(move |result| result.summary = said).await?;
                self.enter(TaskState::Working).await
            }
            Some(Outcome::Halted) => {
                self.enter(TaskState::Cancelled).await?;
                Err(Halt::Elsewhere)
            }
            Some(Outcome::Interrupted) => {
                Err(Problem::with_detail(Code::AgentDied, "Its turn was cut off, and was not run again.").into())
            }
            Some(Outcome::Failed) | None => {
                let (code, detail) = wrong.unwrap_or((Code::AgentDied, String::new()));
                Err(Problem::with_detail(code, detail).into())
            }
        }
    }
}
