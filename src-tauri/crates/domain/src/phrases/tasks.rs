//! Sentences about tasks.

use crate::{
    Code,
    shown::shown_line,
    task::{Checks, PullRequest, Repository, TaskId, TaskState},
    usage::MicroDollars,
};
use std::time::Duration;

/// `5 min`, `1 h 20 min`, `40 s`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds / 3600, seconds % 3600 / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// A task is in the queue. `at`: when it may begin, as a person reads it, if that is later.
pub fn task_queued(id: TaskId, repository: &Repository, at: Option<&str>) -> String {
    match at {
        Some(at) => format!("Task {id} for {repository} begins {at}. To take it back: drop {id}"),
        None => format!("Task {id} for {repository} is in the queue. To take it back: drop {id}"),
    }
}

/// What a finished task left.
#[derive(Clone, Debug)]
pub struct TaskDone<'t> {
    pub id: TaskId,
    pub repository: &'t Repository,
    pub branch: &'t str,
    pub request: Option<&'t PullRequest>,
    pub files: u32,
    pub added: u32,
    pub removed: u32,
    pub took: Duration,
    pub cost: MicroDollars,
}

pub fn task_done(done: &TaskDone<'_>) -> String {
    let TaskDone { id, repository, branch, request, files, added, removed, took, cost } = done;
    let many = if *files == 1 { "file" } else { "files" };
    let cost = if cost.0 == 0 { String::new() } else { format!(", ${:.2}", cost.dollars()) };
    let size = format!("{files} {many}, +{added} -{removed}, {}{cost}", span(*took));
    match request {
        Some(request) => format!("Task {id} is done: {repository} #{}, {size}\n{}", request.number, request.url),
        None => format!(
            "Task {id} is done: branch {branch} of {repository}, {size}. There is no account to open a pull request with."
        ),
    }
}

/// For a lock screen.
pub fn task_in_short(repository: &Repository, request: Option<&PullRequest>) -> String {
    match request {
        Some(request) => format!("{repository} #{} is open.", request.number),
        None => format!("Its branch is at {repository}."),
    }
}

/// `detail`: what went wrong, in its own words.
pub fn task_failed(id: TaskId, code: Code, detail: &str) -> String {
    let detail = shown_line(detail.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim(), 120);
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    format!("Task {id} failed: {}{detail} To try again: retry {id}", code.entry().sentence)
}

/// It goes on by itself when that has passed.
pub fn task_waits(id: TaskId, code: Code) -> String {
    format!("Task {id} waits: {} It goes on by itself after.", code.entry().sentence)
}

/// In its session's history.
pub fn task_on_image(image: &str) -> String {
    format!("This repository's tasks run on {image}. Putting the agent into it takes a minute or two the first time.")
}

pub fn task_cancelled(id: TaskId) -> String {
    format!("Task {id} is taken back.")
}

pub fn task_again(id: TaskId, attempt: u32) -> String {
    format!("Task {id} is in the queue again, attempt {attempt}.")
}

/// One line of a list.
pub fn task_line(id: TaskId, repository: &Repository, state: TaskState, since: Duration, prompt: &str) -> String {
    let state = match state {
        TaskState::NeedsYou => "needs you",
        state => state.name(),
    };
    format!("{id} {repository} {state} {}: {}", span(since), shown_line(prompt.trim(), 40))
}

pub fn no_tasks() -> &'static str {
    "There are no tasks. To begin one: task acme/shop fix the login test"
}

/// What `task` alone, or with something that names no repository, is answered.
pub fn task_how() -> &'static str {
    "Write: task acme/shop and what is to be done. Others: tasks, drop 3, retry 3: more words, fix 3"
}

pub fn checks(id: TaskId, request: &PullRequest, failed: &[String]) -> Option<String> {
    match request.checks {
        Checks::Failed => {
            let names = shown_line(&failed.join(", "), 80);
            Some(format!(
                "Task {id}: checks failed on #{} ({names}). To hand them to the agent: fix {id}",
                request.number
            ))
        }
        Checks::None | Checks::Running | Checks::Passed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments;

    #[test]
    fn what_is_said_at_the_end_fits_a_text_and_needs_no_wide_letters() {
        let repository = "acme/shop".parse().unwrap();
        let request =
            PullRequest { number: 41, url: "https://github.com/acme/shop/pull/41".into(), checks: Checks::Failed };
        let done = TaskDone {
            id: TaskId(12),
            repository: &repository,
            branch: "lanyard/12",
            request: Some(&request),
            files: 3,
            added: 20,
            removed: 4,
            took: Duration::from_secs(252),
            cost: MicroDollars(420_000),
        };
        let said = [
            task_done(&done),
            task_done(&TaskDone { request: None, ..done }),
            task_failed(TaskId(12), Code::TestsFailed, "a\n\nAssertionError: 1 != 2\n"),
            checks(TaskId(12), &request, &["build".into()]).unwrap(),
            task_line(TaskId(12), &repository, TaskState::NeedsYou, Duration::from_secs(7_300), "fix it"),
            task_how().into(),
            no_tasks().into(),
            task_waits(TaskId(12), Code::NoEngine),
        ];
        assert_eq!(
            said[0],
            "Task 12 is done: acme/shop #41, 3 files, +20 -4, 4 min, $0.42\nhttps://github.com/acme/shop/pull/41"
        );
        assert_eq!(
            said[2],
            "Task 12 failed: The repository's own tests failed. (AssertionError: 1 != 2) To try again: retry 12"
        );
        assert_eq!(said[4], "12 acme/shop needs you 2 h 1 min: fix it");
        for words in said {
            assert_eq!(segments::plain(&words), words, "all of it is GSM-7");
        }
    }
}
