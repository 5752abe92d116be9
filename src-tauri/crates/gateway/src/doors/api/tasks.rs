//! The queue of tasks.

use super::{
    PairedPhone, Read, Tasks,
    no::{Asked, Body, No, Of, Refusals, bad},
    sessions::limit,
};
use crate::{
    gateway::App,
    stream::view,
    tasks::{self as queue, Wish},
    wire::{
        Branches, MakeSchedule, MakeTask, Repositories, RepositoryShown, RetryTask, ScheduleShown, Schedules, TaskPage,
        TaskShown,
    },
};
use axum::{Json, extract::State, http::StatusCode};
use domain::{
    Code, Timestamp,
    task::{Repository, TaskId},
    usage::MicroDollars,
};
use serde::Deserialize;
use store::tasks;
use utoipa::{IntoParams, ToSchema};

/// The highest number of a task: as the description's `int32` has it.
const NUMBERS: u32 = i32::MAX as u32;

/// Which tasks.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `next` of the page before.
    #[param(maximum = 2_147_483_647)]
    pub before: Option<u32>,
    /// 1 to 100; 50 if not said.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u16>,
}

/// The newest first.
#[utoipa::path(get, path = "/api/tasks", tag = "tasks", params(Which), responses((status = 200, body = TaskPage), Refusals))]
pub async fn list(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Asked(which): Asked<Which>,
) -> Result<Json<TaskPage>, No> {
    let limit = limit(which.limit, 100)?;
    if which.before.is_some_and(|before| before > NUMBERS) {
        return Err(bad("before is no task's number"));
    }
    Ok(Json(view::tasks(&app, which.before.map(TaskId), limit).await?))
}

/// Puts a task into the queue.
#[utoipa::path(post, path = "/api/tasks", tag = "tasks", request_body = MakeTask,
    responses((status = 201, body = TaskShown), (status = 200, description = "It was asked for before.", body = TaskShown), Refusals))]
pub async fn make(
    State(app): State<App>,
    phone: PairedPhone<Tasks>,
    Body(make): Body<MakeTask>,
) -> Result<(StatusCode, Json<TaskShown>), No> {
    let repository = make.repository.parse().map_err(bad)?;
    let budget = budget(make.budget_dollars)?;
    let client_id = make.client_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    if !(1..=100).contains(&client_id.chars().count()) {
        return Err(bad("client_id has 1 to 100 characters"));
    }
    let wish = Wish {
        repository,
        prompt: make.prompt,
        base: make.base,
        branch: make.branch,
        budget,
        priority: make.priority.map(Into::into).unwrap_or_default(),
        not_before: make.at.map(Timestamp),
        channel: phone.0.channel(),
        external: phone.0.key(&client_id),
        sender: phone.0.id().map(|id| id.to_string()),
    };
    let queued = queue::queue(&app, wish).await?;
    let status = if queued.fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(&app, queued.id).await?)))
}

/// One task as it stands now.
#[utoipa::path(get, path = "/api/tasks/{id}", tag = "tasks", params(("id" = u32, Path)),
    responses((status = 200, body = TaskShown), Refusals))]
pub async fn one(State(app): State<App>, _phone: PairedPhone<Read>, Of(id): Of<u32>) -> Result<Json<TaskShown>, No> {
    shown(&app, TaskId(id)).await.map(Json)
}

/// Takes a task back: its agent is stopped, its sandbox goes.
#[utoipa::path(delete, path = "/api/tasks/{id}", tag = "tasks", params(("id" = u32, Path)),
    responses((status = 200, body = TaskShown), Refusals))]
pub async fn cancel(
    State(app): State<App>,
    _phone: PairedPhone<Tasks>,
    Of(id): Of<u32>,
) -> Result<Json<TaskShown>, No> {
    queue::cancel(&app, TaskId(id)).await?;
    shown(&app, TaskId(id)).await.map(Json)
}

/// Runs a task that is over again, on the branch it pushed if it did.
#[utoipa::path(post, path = "/api/tasks/{id}/retry", tag = "tasks", params(("id" = u32, Path)), request_body = RetryTask,
    responses((status = 200, body = TaskShown), Refusals))]
pub async fn retry(
    State(app): State<App>,
    _phone: PairedPhone<Tasks>,
    Of(id): Of<u32>,
    Body(retry): Body<RetryTask>,
) -> Result<Json<TaskShown>, No> {
    match retry.feedback {
        true => queue::hand_back(&app, TaskId(id), retry.words).await?,
        false => queue::again(&app, TaskId(id), retry.words).await?,
    };
    shown(&app, TaskId(id)).await.map(Json)
}

fn budget(dollars: Option<f64>) -> Result<Option<MicroDollars>, No> {
    match dollars {
        Some(dollars) if dollars > 0.0 && dollars.is_finite() => Ok(Some(MicroDollars::from_dollars(dollars))),
        Some(_) => Err(bad("budget_dollars is more than 0")),
        None => Ok(None),
    }
}

/// What is done again and again, the next first.
#[utoipa::path(get, path = "/api/schedules", tag = "tasks", responses((status = 200, body = Schedules), Refusals))]
pub async fn schedules(State(app): State<App>, _phone: PairedPhone<Read>) -> Result<Json<Schedules>, No> {
    planned(&app).await
}

/// Queues such a task each time.
#[utoipa::path(post, path = "/api/schedules", tag = "tasks", request_body = MakeSchedule,
    responses((status = 201, body = ScheduleShown), Refusals))]
pub async fn plan(
    State(app): State<App>,
    phone: PairedPhone<Tasks>,
    Body(make): Body<MakeSchedule>,
) -> Result<(StatusCode, Json<ScheduleShown>), No> {
    let wish = Wish {
        repository: make.repository.parse().map_err(bad)?,
        prompt: make.prompt,
        base: make.base,
        branch: None,
        budget: budget(make.budget_dollars)?,
        priority: make.priority.map(Into::into).unwrap_or_default(),
        not_before: None,
        channel: phone.0.channel(),
        external: String::new(),
        sender: phone.0.id().map(|id| id.to_string()),
    };
    let schedule = queue::plan(&app, wish, &make.cron).await?;
    Ok((StatusCode::CREATED, Json(one_planned(schedule))))
}

/// It is done no more. Tasks that it queued stay.
#[utoipa::path(delete, path = "/api/schedules/{id}", tag = "tasks", params(("id" = u32, Path)),
    responses((status = 200, body = Schedules), Refusals))]
pub async fn unplan(
    State(app): State<App>,
    _phone: PairedPhone<Tasks>,
    Of(id): Of<u32>,
) -> Result<Json<Schedules>, No> {
    queue::unplan(&app, id).await?;
    planned(&app).await
}

async fn planned(app: &App) -> Result<Json<Schedules>, No> {
    let all = app.store.read(|r| store::schedules::all(r)).await?;
    Ok(Json(Schedules { schedules: all.into_iter().map(one_planned).collect() }))
}

fn one_planned(schedule: store::schedules::Schedule) -> ScheduleShown {
    ScheduleShown {
        id: schedule.id,
        says: queue::in_words(&schedule.cron),
        cron: schedule.cron,
        repository: schedule.task.repository.to_string(),
        prompt: schedule.task.prompt,
        base: schedule.task.base,
        budget_dollars: schedule.task.budget.map(|budget| budget.dollars()),
        priority: schedule.task.priority.into(),
        next_at: schedule.next_at.0,
    }
}

/// Which forge.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct At {
    /// `github.com` if not said.
    pub host: Option<String>,
}

/// Repositories of the owner's account at a forge, the one last pushed to first; at most 100.
#[utoipa::path(get, path = "/api/repositories", tag = "tasks", params(At),
    responses((status = 200, body = Repositories), Refusals))]
pub async fn repositories(
    State(app): State<App>,
    _phone: PairedPhone<Tasks>,
    Asked(at): Asked<At>,
) -> Result<Json<Repositories>, No> {
    let host = at.host.unwrap_or_else(|| "github.com".to_owned());
    let any: Repository = format!("{host}/a/b").parse().map_err(bad)?;
    let forge = queue::forge_of(&app, &any).await?.ok_or(Code::NoForge)?;
    let found = forge.repositories().await.map_err(|e| queue::forge_problem(&e))?;
    let shown = found.into_iter().map(|found| RepositoryShown {
        repository: Repository { host: any.host.clone(), path: found.path }.to_string(),
        default_branch: found.default_branch,
        private: found.private,
    });
    Ok(Json(Repositories { repositories: shown.collect() }))
}

/// Which repository.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct In {
    pub repository: String,
}

/// Branches of a repository; at most 100.
#[utoipa::path(get, path = "/api/branches", tag = "tasks", params(In), responses((status = 200, body = Branches), Refusals))]
pub async fn branches(
    State(app): State<App>,
    _phone: PairedPhone<Tasks>,
    Asked(of): Asked<In>,
) -> Result<Json<Branches>, No> {
    let repository: Repository = of.repository.parse().map_err(bad)?;
    let forge = queue::forge_of(&app, &repository).await?.ok_or(Code::NoForge)?;
    let branches = forge.branches(&repository.path).await.map_err(|e| queue::forge_problem(&e))?;
    Ok(Json(Branches { branches }))
}

async fn shown(app: &App, id: TaskId) -> Result<TaskShown, No> {
    let glances = app.registry.glances();
    let read = app.store.read(move |r| {
        let task = tasks::get(r, id)?.ok_or(store::Error::Refused(Code::UnknownTask))?;
        view::task(r, task, &glances)
    });
    Ok(read.await?)
}
