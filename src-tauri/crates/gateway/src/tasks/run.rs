//! Begins what waits, as many at once as may be; tidies up after what is over; takes up what the last run left.

use super::{
    schedule,
    worker::{Worker, workshop_of},
};
use crate::{
    approvals::internal,
    clock,
    gateway::App,
    sessions::{Opening, Workshop, open_session},
};
use domain::{
    Code, Problem, SandboxId, SessionId, Timestamp,
    shown::shown_line,
    task::{self, Repository, TaskId},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use store::{
    Rows, Tx, facts, listing, sessions,
    tasks::{self, TaskRow},
};
use tokio_util::sync::CancellationToken;

/// The longest without a look: a computer that sleeps stops timers.
const LOOK: Duration = Duration::from_secs(30);
/// A sandbox is kept ready where a task was made within this.
const IN_USE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is at work in this process.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    workers: HashMap<TaskId, CancellationToken>,
    spare: Spare,
    /// Sandboxes that are being removed.
    going: Vec<SandboxId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Spare {
    #[default]
    None,
    BeingMade,
    Ready(SandboxId),
}

impl Running {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sandbox kept ready, if there is one.
    pub fn spare(&self, app: &App) -> Option<Workshop> {
        match self.state().spare {
            Spare::Ready(id) => Some(app.workshop.apart(id, None)),
            Spare::None | Spare::BeingMade => None,
        }
    }

    fn take_spare(&self) -> Option<SandboxId> {
        let mut state = self.state();
        let Spare::Ready(id) = state.spare else { return None };
        state.spare = Spare::None;
        Some(id)
    }
}

/// What the last run left, before any session goes on: what was cut off before any work is in the queue again, and the others'
/// sandboxes are known.
///
/// # Errors
/// As the store's.
pub async fn take_up(app: &App) -> store::Result<()> {
    let now = clock::now();
    let left = app.store.write(move |tx| {
        let running = tasks::running(tx)?;
        for task in running.iter().filter(|task| task.state.is_before_work()) {
            tasks::again(tx, task.id, None, now)?;
        }
        Ok(running.into_iter().filter(|task| !task.state.is_before_work()).collect::<Vec<_>>())
    });
    for task in left.await? {
        if let (Some(session), Some(sandbox)) = (task.session, task.sandbox) {
            app.apart.put(session, workshop_of(app, &task, sandbox));
        }
    }
    Ok(())
}

/// Runs until Lanyard stops.
pub async fn run(app: App) {
    let (mut bell, mut paused) = (app.store.bells().tasks.subscribe(), app.workshop.watch());
    if let Err(e) = find_spare(&app).await {
        tracing::error!(error = ?e, "the sandbox kept ready could not be found");
    }
    loop {
        bell.mark_unchanged();
        let next = match look(&app).await {
            Ok(next) => next,
            Err(e) => {
                tracing::error!(error = ?e, "the queue of tasks could not be looked at");
                None
            }
        };
        let wait = next.map_or(LOOK, |at| at.since(clock::now()).min(LOOK));
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
            _ = bell.changed() => {}
            _ = paused.changed() => {}
        }
    }
}

/// One look: gives when the next is due at the latest.
async fn look(app: &App) -> store::Result<Option<Timestamp>> {
    let now = clock::now();
    stop_what_is_over(app).await?;
    go_on(app).await?;
    let scheduled = match app.lock.is_shut() {
        true => None,
        false => schedule::due(app, now).await?,
    };
    // A pause is of all sandboxes, those that would be made too.
    if !app.workshop.is_paused() {
        begin(app, now).await?;
        keep_spare(app, now).await?;
    }
    tidy(app, now).await?;
    let waiting = app.store.read(move |r| tasks::next_at(r, now)).await?;
    Ok([waiting, scheduled].into_iter().flatten().min())
}

/// Workers of tasks that somebody took back.
async fn stop_what_is_over(app: &App) -> store::Result<()> {
    let ids: Vec<TaskId> = app.running.state().workers.keys().copied().collect();
    let over = app.store.read(move |r| {
        let mut over = Vec::new();
        for id in ids {
            if tasks::get(r, id)?.is_none_or(|task| task.state.is_over()) {
                over.push(id);
            }
        }
        Ok(over)
    });
    for id in over.await? {
        if let Some(worker) = app.running.state().workers.get(&id) {
            worker.cancel();
        }
    }
    Ok(())
}

/// Those that run by their state and have no worker: left by the last run.
async fn go_on(app: &App) -> store::Result<()> {
    for task in app.store.read(|r| tasks::running(r)).await? {
        if !app.running.state().workers.contains_key(&task.id) {
            start(app, &task);
        }
    }
    Ok(())
}

async fn begin(app: &App, now: Timestamp) -> store::Result<()> {
    loop {
        let (waiting, running) = app.store.read(move |r| Ok((tasks::waiting(r, now)?, tasks::running(r)?))).await?;
        if !task::has_room(running.iter().map(|task| task.state), app.config.tasks.at_once) {
            return Ok(());
        }
        let at_work: Vec<Repository> = running.into_iter().map(|task| task.repository).collect();
        let Some(next) = task::next(&waiting, &at_work) else { return Ok(()) };
        let spare = app.running.take_spare();
        let sandbox = spare.unwrap_or_else(SandboxId::new);
        let (id, mode) = (next.id, app.config.tasks.mode);
        let opening = Opening { mode, ..Opening::usual(app) };
        let begun = app.store.write(move |tx| {
            let session = SessionId::new();
            open_session(tx, session, &opening, now)?;
            let Some(task) = tasks::begin(tx, id, sandbox, session, now)? else {
                return Err(store::Error::Refused(Code::TaskState));
            };
            sessions::set_task(tx, session, id)?;
            listing::set_title(tx, session, &shown_line(&format!("Task {id}: {}", task.prompt), 80))?;
            if spare.is_some() {
                facts::set(tx, facts::SPARE_SANDBOX, "")?;
            }
            Ok(task)
        });
        match begun.await {
            Ok(task) => {
                crate::may_die!("task-begun");
                start(app, &task);
            }
            // Taken back in this moment; the sandbox waits for the next.
            Err(store::Error::Refused(Code::TaskState)) => {
                if let Some(id) = spare {
                    app.running.state().spare = Spare::Ready(id);
                }
            }
            Err(e) => return Err(e),
        }
    }
}

fn start(app: &App, task: &TaskRow) {
    let Some(worker) = Worker::of(app, task) else {
        return tracing::error!(task.id = %task.id, "a task that runs has no sandbox");
    };
    let (id, cancelled) = (task.id, CancellationToken::new());
    app.running.state().workers.insert(id, cancelled.clone());
    let app = app.clone();
    let (tasks, stop) = (app.tasks.clone(), app.stop.clone());
    tasks.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => return,
            () = worker.work(cancelled) => {}
        }
        app.running.state().workers.remove(&id);
        app.store.bells().tasks.send_replace(());
    });
}

/// Sandboxes of what is over, and of what begins anew.
async fn tidy(app: &App, now: Timestamp) -> store::Result<()> {
    let all = app.store.read(|r| tasks::with_sandbox(r)).await?;
    for task in all {
        let kept = task.keep_until.is_some_and(|until| now < until);
        let wanted = task.state.is_running() || task.state.is_over() && kept;
        let Some(sandbox) = task.sandbox else { continue };
        let mut state = app.running.state();
        if wanted || state.workers.contains_key(&task.id) || state.going.contains(&sandbox) {
            continue;
        }
        state.going.push(sandbox);
        drop(state);
        let app = app.clone();
        app.tasks.clone().spawn(async move {
            if let Err(problem) = remove(&app, sandbox).await {
                tracing::warn!(task.id = %task.id, %problem, "a task's sandbox could not be removed; it is tried again");
                let _or_stopped = app.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
            }
            app.running.state().going.retain(|going| *going != sandbox);
        });
    }
    Ok(())
}

async fn remove(app: &App, sandbox: SandboxId) -> Result<(), Problem> {
    app.workshop.apart(sandbox, None).dissolve().await?;
    app.store.write(move |tx| tasks::forget_sandbox(tx, sandbox)).await.map_err(internal)
}

/// The one that the last run kept ready.
async fn find_spare(app: &App) -> store::Result<()> {
    let known = app.store.read(|r| facts::get(r, facts::SPARE_SANDBOX)).await?;
    if let Some(id) = known.and_then(|id| id.parse().ok()) {
        match app.config.tasks.spare {
            true => app.running.state().spare = Spare::Ready(id),
            false => forget_spare(app, id),
        }
    }
    Ok(())
}

fn forget_spare(app: &App, id: SandboxId) {
    let own = app.clone();
    app.tasks.spawn(async move {
        if let Err(problem) = own.workshop.apart(id, None).dissolve().await {
            return tracing::warn!(%problem, "the sandbox kept ready could not be removed");
        }
        let forgotten = own.store.write(|tx| facts::set(tx, facts::SPARE_SANDBOX, "")).await;
        if let Err(e) = forgotten {
            tracing::warn!(error = ?e, "the sandbox kept ready could not be forgotten");
        }
    });
}

/// Makes one, if it is wanted, tasks are in use, and none is there.
async fn keep_spare(app: &App, now: Timestamp) -> store::Result<()> {
    if !app.config.tasks.spare || app.running.state().spare != Spare::None {
        return Ok(());
    }
    if !app.store.read(move |r| in_use(r, now)).await? {
        return Ok(());
    }
    app.running.state().spare = Spare::BeingMade;
    let app = app.clone();
    app.tasks.clone().spawn(async move {
        let made = app.stop.run_until_cancelled(make_spare(&app)).await;
        app.running.state().spare = match made {
            Some(Ok(id)) => Spare::Ready(id),
            Some(Err(problem)) => {
                tracing::warn!(%problem, "no sandbox could be made ready ahead");
                let _or_stopped = app.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
                Spare::None
            }
            None => Spare::None,
        };
    });
    Ok(())
}

/// Written down first: one that a kill leaves half made is found again.
async fn make_spare(app: &App) -> Result<SandboxId, Problem> {
    let id = app
        .store
        .write(|tx: &Tx<'_>| {
            if let Some(id) = facts::get(tx, facts::SPARE_SANDBOX)?.and_then(|id| id.parse().ok()) {
                return Ok(id);
            }
            let id = SandboxId::new();
            facts::set(tx, facts::SPARE_SANDBOX, &id.to_string())?;
            Ok(id)
        })
        .await
        .map_err(internal)?;
    app.workshop.apart(id, None).make().await?;
    Ok(id)
}

fn in_use(rows: &impl Rows, now: Timestamp) -> store::Result<bool> {
    let newest = tasks::latest(rows, None, 1)?;
    Ok(newest.first().is_some_and(|task| now.since(task.made_at) < IN_USE))
}
