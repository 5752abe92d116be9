//! Tasks: a repository and words, done from clone to pull request.

use super::{ChannelWord, ChecksWord, ErrorData, PriorityWord, TaskStateWord, TokenCounts};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// `POST /api/tasks`.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct MakeTask {
    /// `acme/shop`, or any address of a repository that git knows.
    #[schema(max_length = 200)]
    pub repository: String,
    /// What is to be done.
    #[schema(max_length = 20000)]
    pub prompt: String,
    /// The branch to begin at and to go into; none: the repository's own.
    #[ts(optional)]
    pub base: Option<String>,
    /// The branch to work on; none: one named after the task.
    #[ts(optional)]
    pub branch: Option<String>,
    /// What its work may cost, in place of the limit of a session.
    #[ts(optional)]
    pub budget_dollars: Option<f64>,
    #[ts(optional)]
    pub priority: Option<PriorityWord>,
    /// Not before then (milliseconds since 1970).
    #[ts(optional)]
    pub at: Option<i64>,
    /// The same again is the same task. None: one is made up.
    #[ts(optional)]
    pub client_id: Option<String>,
}

/// `POST /api/schedules`.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct MakeSchedule {
    /// Five fields by the clock of Lanyard's computer, as in `0 7 * * 1-5`; at most every 10 minutes.
    #[schema(max_length = 100)]
    pub cron: String,
    #[schema(max_length = 200)]
    pub repository: String,
    #[schema(max_length = 20000)]
    pub prompt: String,
    #[ts(optional)]
    pub base: Option<String>,
    #[ts(optional)]
    pub budget_dollars: Option<f64>,
    #[ts(optional)]
    pub priority: Option<PriorityWord>,
}

/// What is done again and again.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ScheduleShown {
    pub id: u32,
    pub cron: String,
    /// The same as a person says it.
    pub says: String,
    pub repository: String,
    pub prompt: String,
    pub base: Option<String>,
    pub budget_dollars: Option<f64>,
    pub priority: PriorityWord,
    pub next_at: i64,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Schedules {
    /// The next first.
    pub schedules: Vec<ScheduleShown>,
}

/// `POST /api/tasks/{id}/retry`.
#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
pub struct RetryTask {
    /// More words for the agent.
    #[ts(optional)]
    pub words: Option<String>,
    /// Hand it the checks that failed and what people wrote on the pull request.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub feedback: bool,
}

/// A task as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct TaskShown {
    /// What a person types.
    pub id: u32,
    pub repository: String,
    pub prompt: String,
    /// As it was asked for; what it was found to be is in `result`.
    pub base: Option<String>,
    pub branch: String,
    pub priority: PriorityWord,
    pub budget_dollars: Option<f64>,
    pub channel: ChannelWord,
    pub made_at: i64,
    pub not_before: i64,
    /// 1, and one more for each time it was run again.
    pub attempt: u32,
    pub state: TaskStateWord,
    pub state_at: i64,
    /// Where its work is done, of this attempt.
    pub session_id: Option<Uuid>,
    pub session_number: Option<u32>,
    /// The tool that runs.
    pub doing: Option<String>,
    pub cost_dollars: f64,
    pub tokens: TokenCounts,
    pub steps: Vec<TaskStep>,
    pub result: TaskOutcome,
    /// Why it failed.
    pub error: Option<ErrorData>,
    /// Its sandbox is kept until then, to be looked into.
    pub kept_until: Option<i64>,
}

/// A state it was in, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct TaskStep {
    pub attempt: u32,
    pub state: TaskStateWord,
    pub at: i64,
}

/// What came of it so far.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct TaskOutcome {
    pub base: Option<String>,
    pub head: Option<String>,
    pub commits: u32,
    pub files: u32,
    pub added: u32,
    pub removed: u32,
    /// The agent's last words.
    pub summary: Option<String>,
    /// Whether the repository's own tests passed; none where it names none.
    pub tests: Option<bool>,
    pub pushed: bool,
    pub request: Option<TaskRequest>,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct TaskRequest {
    pub number: u64,
    pub url: String,
    pub checks: ChecksWord,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct TaskPage {
    /// The newest first.
    pub tasks: Vec<TaskShown>,
    /// Give it as `before` for the next page; none: this was the last.
    pub next: Option<u32>,
}

/// A repository that the owner's account may see.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct RepositoryShown {
    /// As a task names it.
    pub repository: String,
    pub default_branch: String,
    pub private: bool,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Repositories {
    pub repositories: Vec<RepositoryShown>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Branches {
    pub branches: Vec<String>,
}
