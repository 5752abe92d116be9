//! Tasks by text.

use super::words::{Desk, Then};
use crate::{
    clock,
    gateway::App,
    sms::letters::To,
    tasks::{self as queue, Wish},
};
use domain::{
    Problem,
    event::Channel,
    phrases,
    task::{Priority, Repository, TaskId},
};
use store::{Tx, inbox, tasks};

/// Tasks in a list that is texted.
const LISTED: usize = 6;

/// What is to be done with a task, beside the forge's answer.
pub enum OfTask {
    Drop(TaskId),
    Retry(TaskId, Option<String>),
    Fix(TaskId, Option<String>),
}

impl Desk {
    /// In the queue in the same transaction: a text that comes twice is one task.
    pub(super) fn task(&self, tx: &Tx<'_>, repository: Repository, words: String) -> store::Result<Then> {
        let wish = Wish {
            repository,
            prompt: words,
            base: None,
            branch: None,
            budget: None,
            priority: Priority::Normal,
            not_before: None,
            channel: Channel::Sms,
            external: format!("message:{}", self.message.message),
            sender: Some(self.to.address.clone()),
        };
        let new = match wish.checked(self.now) {
            Ok(new) => new,
            Err(problem) => return self.reply(tx, phrases::failed(problem.code)),
        };
        match queue::queue_in(tx, &new, self.now) {
            Ok(queued) => self.reply(tx, &phrases::task_queued(queued.id, &new.repository, None)),
            Err(store::Error::Refused(code)) => self.reply(tx, phrases::failed(code)),
            Err(e) => Err(e),
        }
    }

    pub(super) fn tasks(&self, tx: &Tx<'_>) -> store::Result<Then> {
        let line = |task: &tasks::TaskRow| {
            phrases::task_line(task.id, &task.repository, task.state, self.now.since(task.state_at), &task.prompt)
        };
        let lines: Vec<String> = tasks::latest(tx, None, LISTED)?.iter().map(line).collect();
        match lines.is_empty() {
            true => self.reply(tx, phrases::no_tasks()),
            false => self.reply(tx, &lines.join("\n")),
        }
    }
}

/// Does it and says what came of it. The message is done with once that is written.
pub async fn act(app: &App, message: i64, to: To, of: OfTask) -> store::Result<()> {
    let words = match done(app, of).await {
        Ok(words) => words,
        Err(problem) => phrases::failed(problem.code).to_owned(),
    };
    let (post, now) = (app.post(), clock::now());
    let written = app.store.write(move |tx| {
        inbox::handled(tx, message)?;
        post.say(tx, &to, &words, now)
    });
    written.await
}

async fn done(app: &App, of: OfTask) -> Result<String, Problem> {
    let again = |row: tasks::TaskRow| phrases::task_again(row.id, row.attempt);
    match of {
        OfTask::Drop(id) => queue::cancel(app, id).await.map(|row| phrases::task_cancelled(row.id)),
        OfTask::Retry(id, words) => queue::again(app, id, words).await.map(again),
        OfTask::Fix(id, words) => queue::hand_back(app, id, words).await.map(again),
    }
}
