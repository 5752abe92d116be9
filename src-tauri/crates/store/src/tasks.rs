//! Tasks, their states with times, and what came of them.

use crate::{Error, Result, Rows, Tx, values};
use domain::{
    Code, SandboxId, SessionId, Timestamp,
    event::Channel,
    task::{Priority, PullRequest, Repository, TaskId, TaskState, Waiting},
    usage::MicroDollars,
};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// A task as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    pub repository: Repository,
    pub prompt: String,
    pub base: Option<String>,
    /// None: named after the task.
    pub branch: Option<String>,
    pub agent: String,
    pub budget: Option<MicroDollars>,
    pub priority: Priority,
    pub not_before: Timestamp,
    pub channel: Channel,
    /// The idempotency key of its channel.
    pub external: String,
    /// A number, a phone's id.
    pub sender: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskRow {
    pub id: TaskId,
    pub repository: Repository,
    pub prompt: String,
    pub base: Option<String>,
    pub branch: String,
    pub agent: String,
    pub budget: Option<MicroDollars>,
    pub priority: Priority,
    pub channel: Channel,
    pub sender: Option<String>,
    pub made_at: Timestamp,
    pub not_before: Timestamp,
    /// 1, and one more for each time it was run again.
    pub attempt: u32,
    pub state: TaskState,
    pub state_at: Timestamp,
    pub session: Option<SessionId>,
    pub sandbox: Option<SandboxId>,
    pub keep_until: Option<Timestamp>,
    pub result: TaskResult,
    pub failed: Option<(Code, String)>,
}

/// What came of a task, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskResult {
    /// The branch it is to go into.
    pub base: Option<String>,
    /// What its sandbox is made from in place of the usual.
    pub image: Option<String>,
    /// The commit it began at.
    pub from: Option<String>,
    /// The newest commit of its branch.
    pub head: Option<String>,
    pub commits: u32,
    pub files: u32,
    pub added: u32,
    pub removed: u32,
    /// What the agent said at its end.
    pub summary: Option<String>,
    /// Whether the repository's own tests passed; none where it names none.
    pub tests: Option<bool>,
    pub pushed: bool,
    pub request: Option<PullRequest>,
}

/// A state a task was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub attempt: u32,
    pub at: Timestamp,
    pub state: TaskState,
}

const COLUMNS: &str = "id, repository, prompt, base, branch, agent, budget, priority, channel, sender, made_at, not_before, attempt, \
                       state, state_at, session, sandbox, keep_until, result, failed, why";

fn task(row: &Row<'_>) -> Result<TaskRow> {
    let failed: Option<String> = row.get(19)?;
    let why: Option<String> = row.get(20)?;
    Ok(TaskRow {
        id: TaskId(row.get(0)?),
        repository: values::parsed(row, 1)?,
        prompt: row.get(2)?,
        base: row.get(3)?,
        branch: row.get(4)?,
        agent: row.get(5)?,
        budget: row.get::<_, Option<i64>>(6)?.map(|budget| MicroDollars(budget.max(0) as u64)),
        priority: Priority::of_rank(row.get(7)?).unwrap_or_default(),
        channel: values::from_word(row, 8)?,
        sender: row.get(9)?,
        made_at: Timestamp(row.get(10)?),
        not_before: Timestamp(row.get(11)?),
        attempt: row.get(12)?,
        state: values::parsed(row, 13)?,
        state_at: Timestamp(row.get(14)?),
        session: values::parsed_opt(row, 15)?,
        sandbox: values::parsed_opt(row, 16)?,
        keep_until: row.get::<_, Option<i64>>(17)?.map(Timestamp),
        result: values::json(row, 18)?,
        failed: failed.map(|name| (Code::named(&name).unwrap_or(Code::Internal), why.unwrap_or_default())),
    })
}

/// What became of a task that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    pub id: TaskId,
    /// False: the same was asked for before, and this is that one.
    pub fresh: bool,
}

/// Puts a task into the queue; one with a key that was used before is there already.
pub fn queue(tx: &Tx<'_>, new: &NewTask, now: Timestamp) -> Result<Queued> {
    let channel = values::word(&new.channel)?;
    let known = tx
        .conn()
        .prepare_cached("SELECT id FROM tasks WHERE channel = ?1 AND external = ?2")?
        .query_row(params![channel, new.external], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(Queued { id: TaskId(id), fresh: false });
    }
    let id: u32 = tx
        .conn()
        .prepare_cached(
            "INSERT INTO tasks (repository, prompt, base, branch, agent, budget, priority, channel, external, sender, made_at,
                                not_before, state_at)
             VALUES (?1, ?2, ?3, '', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?10) RETURNING id",
        )?
        .query_row(
            params![
                new.repository.to_string(),
                new.prompt,
                new.base,
                new.agent,
                new.budget.map(|b| i64::try_from(b.0).unwrap_or(i64::MAX)),
                new.priority.rank(),
                channel,
                new.external,
                new.sender,
                now.0,
                new.not_before.0
            ],
            |row| row.get(0),
        )?;
    let id = TaskId(id);
    let branch = new.branch.clone().unwrap_or_else(|| domain::task::branch_of(id, &new.prompt));
    tx.conn().prepare_cached("UPDATE tasks SET branch = ?2 WHERE id = ?1")?.execute(params![id.0, branch])?;
    step(tx, id, 1, TaskState::Queued, now)?;
    Ok(Queued { id, fresh: true })
}

pub fn get(rows: &impl Rows, id: TaskId) -> Result<Option<TaskRow>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM tasks WHERE id = ?1"))?;
    query.query_and_then([id.0], task)?.next().transpose()
}

/// The task whose work is done in this session.
pub fn of_session(rows: &impl Rows, session: SessionId) -> Result<Option<TaskRow>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM tasks WHERE session = ?1"))?;
    query.query_and_then([session.to_string()], task)?.next().transpose()
}

/// The newest first, those with a number below `before`.
pub fn latest(rows: &impl Rows, before: Option<TaskId>, limit: usize) -> Result<Vec<TaskRow>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    let before = before.map_or(i64::MAX, |id| i64::from(id.0));
    rows.conn().prepare_cached(&sql)?.query_and_then(params![before, limit as i64], task)?.collect()
}

/// Those that have begun and have not ended.
pub fn running(rows: &impl Rows) -> Result<Vec<TaskRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM tasks WHERE state IN ('starting', 'cloning', 'working', 'needs_you', 'pushing') ORDER BY id"
    );
    rows.conn().prepare_cached(&sql)?.query_and_then([], task)?.collect()
}

/// Those that could begin now: one whose last sandbox is not gone yet could not.
pub fn waiting(rows: &impl Rows, now: Timestamp) -> Result<Vec<Waiting>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT id, repository, priority, not_before FROM tasks WHERE state = 'queued' AND not_before <= ?1 AND sandbox IS NULL
         ORDER BY not_before",
    )?;
    let waiting = |row: &Row<'_>| {
        Ok(Waiting {
            id: TaskId(row.get(0)?),
            repository: values::parsed(row, 1)?,
            priority: Priority::of_rank(row.get(2)?).unwrap_or_default(),
            since: Timestamp(row.get(3)?),
        })
    };
    query.query_and_then([now.0], waiting)?.collect()
}

/// When the next one may begin that may not yet.
pub fn next_at(rows: &impl Rows, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut query =
        rows.conn().prepare_cached("SELECT min(not_before) FROM tasks WHERE state = 'queued' AND not_before > ?1")?;
    Ok(query.query_row([now.0], |row| row.get::<_, Option<i64>>(0))?.map(Timestamp))
}

/// How many wait and how many are at work; of the latter, how many wait for the owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub queued: u32,
    pub running: u32,
    pub needs_you: u32,
}

pub fn counts(rows: &impl Rows) -> Result<Counts> {
    let queued = rows
        .conn()
        .prepare_cached("SELECT count(*) FROM tasks WHERE state = 'queued'")?
        .query_row([], |row| row.get(0))?;
    let mut counts = Counts { queued, ..Counts::default() };
    for task in running(rows)? {
        counts.running += 1;
        counts.needs_you += u32::from(task.state == TaskState::NeedsYou);
    }
    Ok(counts)
}

/// Those whose sandbox is there, or may be.
pub fn with_sandbox(rows: &impl Rows) -> Result<Vec<TaskRow>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE sandbox IS NOT NULL ORDER BY sandbox");
    rows.conn().prepare_cached(&sql)?.query_and_then([], task)?.collect()
}

/// Lets the task become `next` if it may, and gives it as it is then; none, and nothing changed, if it is elsewhere by now.
pub fn become_(tx: &Tx<'_>, id: TaskId, next: TaskState, now: Timestamp) -> Result<Option<TaskRow>> {
    let known = get(tx, id)?.ok_or(Error::Missing)?;
    if !known.state.may_become(next) {
        return Ok(None);
    }
    tx.conn().prepare_cached("UPDATE tasks SET state = ?2, state_at = ?3 WHERE id = ?1")?.execute(params![
        id.0,
        next.name(),
        now.0
    ])?;
    if known.state != next {
        step(tx, id, known.attempt, next, now)?;
    }
    get(tx, id)
}

/// As [`become_`] [`TaskState::Failed`], with the reason.
pub fn fail(tx: &Tx<'_>, id: TaskId, code: Code, why: &str, now: Timestamp) -> Result<Option<TaskRow>> {
    if become_(tx, id, TaskState::Failed, now)?.is_none() {
        return Ok(None);
    }
    tx.conn().prepare_cached("UPDATE tasks SET failed = ?2, why = ?3 WHERE id = ?1")?.execute(params![
        id.0,
        code.entry().name,
        why
    ])?;
    get(tx, id)
}

/// Begins the task in a sandbox and a session of its own. None if it is not queued any more.
pub fn begin(
    tx: &Tx<'_>,
    id: TaskId,
    sandbox: SandboxId,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<TaskRow>> {
    if become_(tx, id, TaskState::Starting, now)?.is_none() {
        return Ok(None);
    }
    tx.conn()
        .prepare_cached("UPDATE tasks SET sandbox = ?2, session = ?3, keep_until = NULL WHERE id = ?1")?
        .execute(params![id.0, sandbox.to_string(), session.to_string()])?;
    get(tx, id)
}

/// Into the queue again: what was cut off before any work (`more`: none), or what has ended, with more words if there are any.
/// None if it is in neither state.
pub fn again(tx: &Tx<'_>, id: TaskId, more: Option<&str>, now: Timestamp) -> Result<Option<TaskRow>> {
    let known = get(tx, id)?.ok_or(Error::Missing)?;
    let anew = known.state.is_over();
    if !known.state.may_become(TaskState::Queued) {
        return Ok(None);
    }
    let attempt = known.attempt + u32::from(anew);
    let prompt = match more.map(str::trim).filter(|words| !words.is_empty()) {
        Some(words) => format!("{}\n\n{words}", known.prompt),
        None => known.prompt,
    };
    tx.conn()
        .prepare_cached(
            "UPDATE tasks SET state = 'queued', state_at = ?2, attempt = ?3, prompt = ?4, not_before = min(not_before, ?2),
                              failed = NULL, why = NULL
             WHERE id = ?1",
        )?
        .execute(params![id.0, now.0, attempt, prompt])?;
    step(tx, id, attempt, TaskState::Queued, now)?;
    get(tx, id)
}

pub fn set_result(tx: &Tx<'_>, id: TaskId, result: &TaskResult) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE tasks SET result = ?2 WHERE id = ?1")?
        .execute(params![id.0, serde_json::to_string(result)?])?;
    tx.ring_tasks();
    Ok(())
}

/// The sandbox stays until then, to be looked into.
pub fn keep_sandbox(tx: &Tx<'_>, id: TaskId, until: Timestamp) -> Result<()> {
    tx.conn().prepare_cached("UPDATE tasks SET keep_until = ?2 WHERE id = ?1")?.execute(params![id.0, until.0])?;
    tx.ring_tasks();
    Ok(())
}

/// The sandbox is gone.
pub fn forget_sandbox(tx: &Tx<'_>, sandbox: SandboxId) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE tasks SET sandbox = NULL, keep_until = NULL WHERE sandbox = ?1")?
        .execute([sandbox.to_string()])?;
    tx.ring_tasks();
    Ok(())
}

/// All states it was in, the first first.
pub fn steps(rows: &impl Rows, id: TaskId) -> Result<Vec<Step>> {
    let mut query =
        rows.conn().prepare_cached("SELECT attempt, at, state FROM task_steps WHERE task = ?1 ORDER BY id")?;
    let step =
        |row: &Row<'_>| Ok(Step { attempt: row.get(0)?, at: Timestamp(row.get(1)?), state: values::parsed(row, 2)? });
    query.query_and_then([id.0], step)?.collect()
}

fn step(tx: &Tx<'_>, id: TaskId, attempt: u32, state: TaskState, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached("INSERT INTO task_steps (task, attempt, at, state) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, attempt, now.0, state.name()])?;
    tx.ring_tasks();
    Ok(())
}
