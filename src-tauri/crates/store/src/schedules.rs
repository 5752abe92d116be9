//! Tasks that are to be done again and again.

use crate::{
    Result, Rows, Tx,
    tasks::{self, NewTask, Queued},
    values,
};
use domain::{
    Timestamp,
    event::Channel,
    task::{Priority, Repository},
    usage::MicroDollars,
};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

/// What each of its tasks is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    pub repository: Repository,
    pub prompt: String,
    pub base: Option<String>,
    pub agent: String,
    pub budget: Option<MicroDollars>,
    #[serde(default)]
    pub priority: Priority,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub id: u32,
    /// Five fields: minute, hour, day of the month, month, day of the week.
    pub cron: String,
    pub task: Template,
    pub channel: Channel,
    pub sender: Option<String>,
    pub made_at: Timestamp,
    pub next_at: Timestamp,
}

const COLUMNS: &str = "id, cron, task, channel, sender, made_at, next_at";

fn schedule(row: &Row<'_>) -> Result<Schedule> {
    Ok(Schedule {
        id: row.get(0)?,
        cron: row.get(1)?,
        task: values::json(row, 2)?,
        channel: values::from_word(row, 3)?,
        sender: row.get(4)?,
        made_at: Timestamp(row.get(5)?),
        next_at: Timestamp(row.get(6)?),
    })
}

/// Writes one down; gives its number.
pub fn add(
    tx: &Tx<'_>,
    cron: &str,
    task: &Template,
    channel: Channel,
    sender: Option<&str>,
    next_at: Timestamp,
    now: Timestamp,
) -> Result<u32> {
    let id = tx
        .conn()
        .prepare_cached(
            "INSERT INTO schedules (cron, task, channel, sender, made_at, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
        )?
        .query_row(
            params![cron, serde_json::to_string(task)?, values::word(&channel)?, sender, now.0, next_at.0],
            |row| row.get(0),
        )?;
    tx.ring_tasks();
    Ok(id)
}

/// All, the next first.
pub fn all(rows: &impl Rows) -> Result<Vec<Schedule>> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM schedules ORDER BY next_at, id"))?;
    query.query_and_then([], schedule)?.collect()
}

/// False if it was not there.
pub fn remove(tx: &Tx<'_>, id: u32) -> Result<bool> {
    let gone = tx.conn().prepare_cached("DELETE FROM schedules WHERE id = ?1")?.execute([id])? == 1;
    tx.ring_tasks();
    Ok(gone)
}

/// Queues the task that is due, once for each time, and sets the next. Times that were slept through are one.
pub fn due(tx: &Tx<'_>, schedule: &Schedule, next_at: Timestamp, now: Timestamp) -> Result<Option<Queued>> {
    let set = tx
        .conn()
        .prepare_cached("UPDATE schedules SET next_at = ?3 WHERE id = ?1 AND next_at = ?2")?
        .execute(params![schedule.id, schedule.next_at.0, next_at.0])?;
    if set == 0 {
        return Ok(None);
    }
    let Template { repository, prompt, base, agent, budget, priority } = schedule.task.clone();
    let new = NewTask {
        repository,
        prompt,
        base,
        branch: None,
        agent,
        budget,
        priority,
        not_before: now,
        channel: schedule.channel,
        external: format!("schedule:{}:{}", schedule.id, schedule.next_at.0),
        sender: schedule.sender.clone(),
    };
    tasks::queue(tx, &new, now).map(Some)
}
