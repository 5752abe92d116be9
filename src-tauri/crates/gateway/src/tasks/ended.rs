//! How a task ended, in words for its owner.

use domain::{
    phrases::{self, TaskDone},
    task::TaskState,
};
use store::{
    Rows,
    tasks::{self, TaskResult, TaskRow},
    usage,
};

/// None where it has not ended, or its owner ended it.
pub fn in_words(rows: &impl Rows, task: &TaskRow) -> store::Result<Option<String>> {
    Ok(match (task.state, &task.failed) {
        (TaskState::Done, _) => Some(done(rows, task)?),
        (TaskState::Failed, Some((code, why))) => {
            let detail = why.strip_prefix(code.entry().sentence).unwrap_or(why);
            Some(phrases::task_failed(task.id, *code, detail))
        }
        _ => None,
    })
}

fn done(rows: &impl Rows, task: &TaskRow) -> store::Result<String> {
    let cost = match task.session {
        Some(session) => usage::of_session(rows, session)?.cost,
        None => Default::default(),
    };
    let began = tasks::steps(rows, task.id)?.into_iter().rfind(|step| step.state == TaskState::Starting);
    let TaskResult { files, added, removed, ref request, .. } = task.result;
    Ok(phrases::task_done(&TaskDone {
        id: task.id,
        repository: &task.repository,
        branch: &task.branch,
        request: request.as_ref(),
        files,
        added,
        removed,
        took: task.state_at.since(began.map_or(task.state_at, |step| step.at)),
        cost,
    }))
}
