//! What people do with the queue.

use super::stand;
use crate::{approvals::internal, clock, gateway::App};
use domain::{
    Code, Problem, Timestamp,
    event::Channel,
    task::{Priority, Repository, TaskId, TaskState, is_branch},
    usage::MicroDollars,
};
use store::tasks::{self, NewTask, Queued, TaskRow};

/// The longest words that are taken, in bytes.
const PROMPT_BYTES: usize = 20_000;
/// Tasks that may wait at once: a script that goes wrong fills no disk.
const MOST_WAITING: usize = 1_000;

/// A task as somebody wishes it.
#[derive(Clone, Debug)]
pub struct Wish {
    pub repository: Repository,
    pub prompt: String,
    pub base: Option<String>,
    pub branch: Option<String>,
    pub budget: Option<MicroDollars>,
    pub priority: Priority,
    /// None: at once.
    pub not_before: Option<Timestamp>,
    pub channel: Channel,
    /// The same again is the same task.
    pub external: String,
    pub sender: Option<String>,
}

impl Wish {
    /// # Errors
    /// `BAD_REQUEST` for what can be no task.
    pub fn checked(self, now: Timestamp) -> Result<NewTask, Problem> {
        let bad = |why: &str| Err(Problem::with_detail(Code::BadRequest, why));
        let prompt = self.prompt.trim().to_owned();
        if prompt.is_empty() || prompt.len() > PROMPT_BYTES {
            return bad("A task's words have 1 to 20 000 bytes.");
        }
        for name in [&self.base, &self.branch].into_iter().flatten() {
            if !is_branch(name) {
                return bad(&format!("{:?} is no name of a branch.", domain::shown::shown_line(name, 80)));
            }
        }
        if self.budget.is_some_and(|budget| budget.0 == 0) {
            return bad("A budget of nothing begins nothing.");
        }
        Ok(NewTask {
            repository: self.repository,
            prompt,
            base: self.base,
            branch: self.branch,
            agent: "claude".into(),
            budget: self.budget,
            priority: self.priority,
            not_before: self.not_before.unwrap_or(now),
            channel: self.channel,
            external: self.external,
            sender: self.sender,
        })
    }
}

/// Puts a task into the queue; on success it is on disk.
///
/// # Errors
/// `BAD_REQUEST`, `BUSY`, `LOCKED`: nothing was queued.
pub async fn queue(app: &App, wish: Wish) -> Result<Queued, Problem> {
    app.lock.check()?;
    let now = clock::now();
    let new = wish.checked(now)?;
    app.store.write(move |tx| queue_in(tx, &new, now)).await.map_err(internal)
}

/// In somebody's transaction.
pub fn queue_in(tx: &store::Tx<'_>, new: &NewTask, now: Timestamp) -> store::Result<Queued> {
    if tasks::counts(tx)?.queued as usize >= MOST_WAITING {
        return Err(store::Error::Refused(Code::Busy));
    }
    tasks::queue(tx, new, now)
}

/// Ends a task that is not over: its agent is stopped, its sandbox goes.
///
/// # Errors
/// `UNKNOWN_TASK`, `TASK_STATE`.
pub async fn cancel(app: &App, id: TaskId) -> Result<TaskRow, Problem> {
    let now = clock::now();
    let cancelled = app.store.write(move |tx| {
        tasks::get(tx, id)?.ok_or(store::Error::Refused(Code::UnknownTask))?;
        tasks::become_(tx, id, TaskState::Cancelled, now)?.ok_or(store::Error::Refused(Code::TaskState))
    });
    let row = cancelled.await.map_err(internal)?;
    stand::stop_session(app, row.session).await;
    Ok(row)
}

/// Runs a task that is over again, with more words if there are any. What it pushed is gone on with.
///
/// # Errors
/// `UNKNOWN_TASK`, `TASK_STATE`, `LOCKED`.
pub async fn again(app: &App, id: TaskId, more: Option<String>) -> Result<TaskRow, Problem> {
    app.lock.check()?;
    if more.as_ref().is_some_and(|more| more.len() > PROMPT_BYTES) {
        return Err(Problem::with_detail(Code::BadRequest, "More words have at most 20 000 bytes."));
    }
    let now = clock::now();
    let queued = app.store.write(move |tx| {
        let known = tasks::get(tx, id)?.ok_or(store::Error::Refused(Code::UnknownTask))?;
        if !known.state.is_over() {
            return Err(store::Error::Refused(Code::TaskState));
        }
        tasks::again(tx, id, more.as_deref(), now)?.ok_or(store::Error::Refused(Code::TaskState))
    });
    queued.await.map_err(internal)
}
