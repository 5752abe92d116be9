//! The branch pushed, the pull request opened, and its words.

use super::{Halt, Step, Worker};
use crate::{
    clock,
    sessions::{Pass, Scene},
    tasks::{ended, forges, room::Room},
};
use accounts::forge::{Forge, NewRequest};
use domain::task::TaskState;
use store::tasks::{self, TaskResult, TaskRow};

/// Characters of a commit's or pull request's first line.
const TITLE: usize = 70;
/// Characters of the agent's last words that go into a pull request.
const SUMMARY: usize = 20_000;

impl Worker {
    /// The branch goes out, the pull request is opened, and whoever asked is told.
    pub(super) async fn deliver(&self, task: &TaskRow, forge: Option<&dyn Forge>, pass: &Pass) -> Step {
        self.enter(TaskState::Pushing).await?;
        let room = Room { workshop: &self.workshop, pass };
        room.push(&task.branch).await?;
        crate::may_die!("task-pushed");
        let result = self.change_result(|result| result.pushed = true).await?;
        let request = match forge {
            Some(forge) => {
                let words = self.request(task, &result).await?;
                Some(forges::tried(|| forge.open(&task.repository.path, &words)).await?)
            }
            None => None,
        };
        crate::may_die!("task-requested");
        let (id, now) = (self.id, clock::now());
        let scene = Scene::of(&self.app, self.session);
        let ended = self.app.store.write(move |tx| {
            let task = tasks::get(tx, id)?.ok_or(store::Error::Missing)?;
            let result = TaskResult { request, ..task.result };
            tasks::set_result(tx, id, &result)?;
            let Some(task) = tasks::become_(tx, id, TaskState::Done, now)? else { return Ok(false) };
            let words = ended::in_words(tx, &task)?.unwrap_or_default();
            scene.end_of_task(tx, &task, &words, now)?;
            Ok(true)
        });
        if ended.await? { Ok(()) } else { Err(Halt::Elsewhere) }
    }

    async fn request(&self, task: &TaskRow, result: &TaskResult) -> Step<NewRequest> {
        let summary: String = result.summary.clone().unwrap_or_default().chars().take(SUMMARY).collect();
        let tests = match result.tests {
            Some(true) => "\n\nThe repository's own tests passed.",
            Some(false) | None => "",
        };
        let asked = domain::shown::shown(task.prompt.trim()).replace('\n', "\n> ");
        let body = format!("{}{tests}\n\n---\nAsked for:\n\n> {asked}\n\nLanyard-Task: {}", summary.trim(), task.id);
        Ok(NewRequest {
            title: title_of(&task.prompt),
            body,
            head: task.branch.clone(),
            base: result.base.clone().unwrap_or_else(|| "main".into()),
        })
    }
}

/// The first line of the words.
pub(super) fn title_of(prompt: &str) -> String {
    domain::shown::shown_line(prompt.trim().lines().next().unwrap_or_default().trim(), TITLE)
}
