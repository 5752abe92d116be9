//! How tasks look from outside.

use crate::{
    approvals,
    gateway::App,
    sessions::Glance,
    wire::{ErrorData, Frame, FromServer, TaskOutcome, TaskPage, TaskRequest, TaskShown, TaskStep},
};
use domain::{Problem, SessionId, task::TaskId};
use std::collections::HashMap;
use store::{
    Rows, sessions,
    tasks::{self, TaskResult, TaskRow},
    usage,
};
use tokio::sync::watch;

/// Changes of the newest this many are told of; and in `welcome` they are shown.
pub const NEWEST: usize = 30;

/// What was told last of each task.
pub struct Changed {
    bell: watch::Receiver<()>,
    told: HashMap<u32, String>,
}

impl Changed {
    /// From now on: what is there by now is in each client's `welcome`.
    pub async fn of(app: &App) -> Self {
        let mut changed = Self { bell: app.store.bells().tasks.subscribe(), told: HashMap::new() };
        changed.bell.mark_changed();
        let _told_by_welcome = changed.frames(app).await;
        changed
    }

    /// Returns when a task stands otherwise than before.
    pub async fn any(&mut self) {
        if self.bell.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.bell.mark_changed();
    }

    /// Those that are not as they were told. Where no bell rang, only those at work are looked at, for what their agents do.
    pub async fn frames(&mut self, app: &App) -> Vec<Frame> {
        let rang = self.bell.has_changed().unwrap_or(false);
        self.bell.mark_unchanged();
        let glances = app.registry.glances();
        let read = app.store.read(move |r| {
            let rows = if rang { tasks::latest(r, None, NEWEST)? } else { tasks::running(r)? };
            rows.into_iter().map(|row| task(r, row, &glances)).collect::<store::Result<Vec<_>>>()
        });
        let Ok(shown) = read.await else {
            self.bell.mark_changed();
            return Vec::new();
        };
        let mut frames = Vec::new();
        for task in shown {
            let now = serde_json::to_string(&task).unwrap_or_default();
            if self.told.get(&task.id) != Some(&now) {
                self.told.insert(task.id, now);
                frames.push(Frame::live(FromServer::TaskUpdate(Box::new(task))));
            }
        }
        frames
    }
}

/// A task's row with what its agent does right now.
pub fn task(rows: &impl Rows, task: TaskRow, glances: &HashMap<SessionId, Glance>) -> store::Result<TaskShown> {
    let spent = match task.session {
        Some(session) => usage::of_session(rows, session)?,
        None => usage::Sum::default(),
    };
    let session = match task.session {
        Some(session) => sessions::get(rows, session)?,
        None => None,
    };
    let glance = task.session.and_then(|session| glances.get(&session));
    let step = |step: tasks::Step| TaskStep { attempt: step.attempt, state: step.state.into(), at: step.at.0 };
    Ok(TaskShown {
        id: task.id.0,
        repository: task.repository.to_string(),
        prompt: task.prompt,
        base: task.base,
        branch: task.branch,
        priority: task.priority.into(),
        budget_dollars: task.budget.map(|budget| budget.dollars()),
        channel: task.channel.into(),
        made_at: task.made_at.0,
        not_before: task.not_before.0,
        attempt: task.attempt,
        state: task.state.into(),
        state_at: task.state_at.0,
        session_id: task.session.map(|session| session.0),
        session_number: session.map(|session| session.number),
        doing: glance.and_then(|glance| glance.doing.clone()).filter(|_| task.state.is_running()),
        cost_dollars: spent.cost.dollars(),
        tokens: spent.tokens.into(),
        steps: tasks::steps(rows, task.id)?.into_iter().map(step).collect(),
        result: outcome(task.result),
        error: task.failed.map(|(code, why)| ErrorData::from(Problem { message: why, ..code.into() })),
        kept_until: task.keep_until.map(|until| until.0),
    })
}

fn outcome(result: TaskResult) -> TaskOutcome {
    let TaskResult { base, image: _, from: _, head, commits, files, added, removed, summary, tests, pushed, request } =
        result;
    let request =
        request.map(|request| TaskRequest { number: request.number, url: request.url, checks: request.checks.into() });
    TaskOutcome { base, head, commits, files, added, removed, summary, tests, pushed, request }
}

/// A page of them, the newest first.
///
/// # Errors
/// As the store's.
pub async fn tasks(app: &App, before: Option<TaskId>, limit: usize) -> Result<TaskPage, Problem> {
    let glances = app.registry.glances();
    let read = app.store.read(move |r| {
        let mut rows = tasks::latest(r, before, limit + 1)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| last.id.0);
        let tasks = rows.into_iter().map(|row| task(r, row, &glances)).collect::<store::Result<_>>()?;
        Ok(TaskPage { tasks, next })
    });
    read.await.map_err(approvals::internal)
}
