//! Looks what a forge's checks say of pull requests that were opened, tells whoever asked for the task, and hands what failed
//! back to the agent where the owner's settings say so.

use super::{forge_of, forges, queue};
use crate::{clock, gateway::App, sms::letters::To};
use accounts::forge::{CheckState, Comment, FailedCheck};
use domain::{
    Code, Problem,
    event::Channel,
    phrases,
    shown::shown,
    task::{Checks, PullRequest, TaskId, TaskState},
};
use std::time::Duration;
use store::tasks::{self, TaskRow};

const LOOK: Duration = Duration::from_secs(60);
/// Checks that have not begun by then are none; such as run longer are looked at no more.
const BEGUN_WITHIN: Duration = Duration::from_secs(30 * 60);
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Of the newest tasks.
const MOST: usize = 50;
/// Characters of what one check or comment says.
const SAID: usize = 2_000;

/// Runs until Lanyard stops.
pub async fn watch(app: App) {
    while app.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        look(&app).await;
    }
}

/// One look at every pull request whose checks may still change.
pub async fn look(app: &App) {
    let now = clock::now();
    let newest = match app.store.read(|r| tasks::latest(r, None, MOST)).await {
        Ok(newest) => newest,
        Err(e) => return tracing::error!(error = ?e, "tasks could not be read"),
    };
    for task in newest {
        let patience = match task.result.request.as_ref().map(|request| request.checks) {
            Some(Checks::None) => BEGUN_WITHIN,
            Some(Checks::Running) => LONGEST,
            Some(Checks::Passed | Checks::Failed) | None => continue,
        };
        let due = task.state == TaskState::Done && now.since(task.state_at) < patience;
        if due && let Err(problem) = look_at(app, task).await {
            tracing::warn!(%problem, "checks could not be looked at");
        }
    }
}

async fn look_at(app: &App, task: TaskRow) -> Result<(), Problem> {
    let Some(state) = checks_of(app, &task).await? else { return Ok(()) };
    let Some(known) = task.result.request.clone().filter(|known| known.checks != state.checks) else { return Ok(()) };
    let request = PullRequest { checks: state.checks, ..known };
    let names: Vec<String> = state.failed.iter().map(|check| check.name.clone()).collect();
    let (id, now, post) = (task.id, clock::now(), app.post());
    let hands_back = state.checks == Checks::Failed && task.attempt <= app.config.tasks.fix_checks;
    let changed = app.store.write(move |tx| {
        let Some(task) = tasks::get(tx, id)?.filter(|task| task.state == TaskState::Done) else { return Ok(false) };
        let told = phrases::checks(id, &request, &names).filter(|_| !hands_back);
        let result = tasks::TaskResult { request: Some(request), ..task.result };
        tasks::set_result(tx, id, &result)?;
        if let (Some(words), Some(number), Channel::Sms) = (told, task.sender, task.channel) {
            post.say(tx, &To::address(number), &words, now)?;
        }
        Ok(true)
    });
    if changed.await.map_err(crate::approvals::internal)? && hands_back {
        queue::again(app, id, Some(words_of(&state.failed, &[]))).await?;
    }
    Ok(())
}

async fn checks_of(app: &App, task: &TaskRow) -> Result<Option<CheckState>, Problem> {
    let Some(forge) = forge_of(app, &task.repository).await? else { return Ok(None) };
    let Some(head) = &task.result.head else { return Ok(None) };
    forge.checks(&task.repository.path, head).await.map(Some).map_err(|e| forges::problem(&e))
}

/// Hands what checks and people say of the task's pull request to its agent, with more words if there are any.
///
/// # Errors
/// `UNKNOWN_TASK`, `TASK_STATE`; `NOTHING_CHANGED` where nobody says anything.
pub async fn hand_back(app: &App, id: TaskId, more: Option<String>) -> Result<TaskRow, Problem> {
    let task = app.store.read(move |r| tasks::get(r, id)).await.map_err(crate::approvals::internal)?;
    let task = task.ok_or(Code::UnknownTask)?;
    let failed = checks_of(app, &task).await?.map(|state| state.failed).unwrap_or_default();
    let comments = match (&task.result.request, forge_of(app, &task.repository).await?) {
        (Some(request), Some(forge)) => {
            forge.comments(&task.repository.path, request.number).await.map_err(|e| forges::problem(&e))?
        }
        _ => Vec::new(),
    };
    let said = words_of(&failed, &comments);
    let words: Vec<String> = more.into_iter().chain((!said.is_empty()).then_some(said)).collect();
    if words.is_empty() {
        return Err(Problem::with_detail(Code::BadRequest, "No check failed, and nobody commented.")
            .suggest("Run the task again with words of your own."));
    }
    queue::again(app, id, Some(words.join("\n\n"))).await
}

/// As the agent reads it. Whoever may comment on a pull request may write to the agent so: it is told whose words they are.
fn words_of(failed: &[FailedCheck], comments: &[Comment]) -> String {
    let cut = |text: &str| shown(text.trim()).chars().take(SAID).collect::<String>();
    let failed = failed.iter().map(|check| {
        let summary = cut(&check.summary);
        format!("- the check {} failed{}{summary}", check.name, if summary.is_empty() { "" } else { ":\n" })
    });
    let comments = comments.iter().map(|comment| {
        let about = match &comment.about {
            Some((path, Some(line))) => format!(" on {path}:{line}"),
            Some((path, None)) => format!(" on {path}"),
            None => String::new(),
        };
        format!("- {} commented{about}:\n{}", comment.author, cut(&comment.text))
    });
    let all: Vec<String> = failed.chain(comments).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("About the pull request there is:\n{}\n\nTake care of it on the same branch.", all.join("\n")),
    }
}
