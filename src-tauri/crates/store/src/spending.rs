//! What was spent and how long was worked, summed up for plots: of a span of time, and by session or agent within it.
//!
//! Spans begin and end at a quarter of an hour, as the sums are kept.

use crate::{Result, Rows, usage::Sum};
use domain::{
    Timestamp,
    usage::{MicroDollars, Tokens},
};
use rusqlite::{Row, params};

/// The step of the kept sums, in milliseconds. Every time zone's days begin at one.
pub const QUARTER: i64 = 15 * 60 * 1000;

/// What a span of time took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub sum: Sum,
    /// That began in it.
    pub turns: u64,
    /// Of those turns together.
    pub time_ms: u64,
}

/// The part of one session or one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The session's id or the agent's name; empty: of none.
    pub key: String,
    /// `#2 Its title`, or the agent's name.
    pub label: String,
    pub used: Used,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Session,
    Agent,
}

pub(crate) const SUMS: &str = "coalesce(sum(input), 0), coalesce(sum(output), 0), coalesce(sum(cache_write), 0),
                    coalesce(sum(cache_read), 0), coalesce(sum(cost), 0), coalesce(sum(responses), 0)";

/// The span from the one moment up to the other.
pub fn between(rows: &impl Rows, from: Timestamp, to: Timestamp) -> Result<Used> {
    let mut spent = rows
        .conn()
        .prepare_cached(&format!("SELECT {SUMS} FROM usage_quarters WHERE quarter >= ?1 AND quarter < ?2"))?;
    let sum = spent.query_row([from.0 / QUARTER, to.0 / QUARTER], |row| sum(row, 0))?;
    let mut worked = rows.conn().prepare_cached(
        "SELECT count(*), coalesce(sum(duration_ms), 0) FROM turns WHERE started_at >= ?1 AND started_at < ?2",
    )?;
    let (turns, time_ms) = worked.query_row([from.0, to.0], |row| Ok((whole(row, 0)?, whole(row, 1)?)))?;
    Ok(Used { sum, turns, time_ms })
}

/// The parts of a span, the dearest first.
pub fn parts(rows: &impl Rows, by: By, from: Timestamp, to: Timestamp, limit: usize) -> Result<Vec<Part>> {
    let (key, label) = match by {
        By::Session => ("u.session", "coalesce('#' || s.number || ' ' || s.title, '')"),
        By::Agent => ("coalesce(s.agent, '')", "coalesce(s.agent, '')"),
    };
    let mut query = rows.conn().prepare_cached(&format!(
        "WITH used AS (
             SELECT session, sum(input) AS input, sum(output) AS output, sum(cache_write) AS cache_write,
                    sum(cache_read) AS cache_read, sum(cost) AS cost, sum(responses) AS responses, 0 AS turns, 0 AS time
             FROM usage_quarters WHERE quarter >= ?1 AND quarter < ?2 GROUP BY session
             UNION ALL
             SELECT session, 0, 0, 0, 0, 0, 0, count(*), coalesce(sum(duration_ms), 0)
             FROM turns WHERE started_at >= ?3 AND started_at < ?4 GROUP BY session)
         SELECT {key}, {label}, {SUMS}, sum(turns), sum(time) FROM used u LEFT JOIN sessions s ON s.id = u.session
         GROUP BY 1 ORDER BY sum(cost) DESC, sum(turns) DESC, 1 LIMIT ?5"
    ))?;
    let part = |row: &Row<'_>| {
        let used = Used { sum: sum(row, 2)?, turns: whole(row, 8)?, time_ms: whole(row, 9)? };
        Ok(Part { key: row.get(0)?, label: row.get(1)?, used })
    };
    let values = params![from.0 / QUARTER, to.0 / QUARTER, from.0, to.0, limit as i64];
    Ok(query.query_map(values, part)?.collect::<rusqlite::Result<_>>()?)
}

/// The six columns of [`SUMS`] from `first` on.
pub(crate) fn sum(row: &Row<'_>, first: usize) -> rusqlite::Result<Sum> {
    Ok(Sum {
        tokens: Tokens {
            input: whole(row, first)?,
            output: whole(row, first + 1)?,
            cache_write: whole(row, first + 2)?,
            cache_read: whole(row, first + 3)?,
        },
        cost: MicroDollars(whole(row, first + 4)?),
        responses: whole(row, first + 5)?,
    })
}

fn whole(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|n| n.max(0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, Tx, plan, sessions, turns, usage};
    use domain::{SessionId, TurnId, event::Outcome};

    fn spent(session: Option<SessionId>, cost: u64) -> usage::Spent {
        let tokens = Tokens { input: 10, output: 1, cache_write: 2, cache_read: 3 };
        let (model, cost) = ("claude".into(), MicroDollars(cost));
        usage::Spent { session, turn: None, model, tokens, cost, priced: true, status: 200 }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_span_is_summed_and_split_by_session_and_agent() {
        let (_folder, store) = store();
        let (one, two, turn) = (SessionId::new(), SessionId::new(), TurnId::new());
        let at = |quarters: i64| Timestamp(quarters * QUARTER);
        let write = move |tx: &Tx<'_>| {
            sessions::create(tx, one, "claude", "billing", Default::default(), at(0))?;
            sessions::create(tx, two, "claude", "tests", Default::default(), at(0))?;
            usage::record(tx, &spent(Some(one), 5), at(4))?;
            usage::record(tx, &spent(Some(one), 5), Timestamp(at(5).0 - 1))?;
            usage::record(tx, &spent(Some(two), 7), at(5))?;
            usage::record(tx, &spent(None, 1), at(6))?;
            usage::record(tx, &spent(Some(two), 100), at(8))?;
            turns::begin(tx, turn, two, at(5))?;
            turns::end(tx, turn, Outcome::Completed, 1_500, at(6))
        };
        store.write(write).await.unwrap();
        let whole = store.read(move |r| between(r, at(4), at(8))).await.unwrap();
        assert_eq!((whole.sum.cost.0, whole.sum.responses, whole.sum.tokens.input), (18, 4, 40));
        assert_eq!((whole.turns, whole.time_ms), (1, 1_500));
        assert_eq!(store.read(move |r| between(r, at(4), at(5))).await.unwrap().sum.cost.0, 10, "ends before its end");
        let by = |by| store.read(move |r| parts(r, by, at(4), at(8), 10));
        let sessions = by(By::Session).await.unwrap();
        let told: Vec<_> = sessions.iter().map(|p| (p.label.as_str(), p.used.sum.cost.0, p.used.turns)).collect();
        assert_eq!(told, [("#1 billing", 10, 0), ("#2 tests", 7, 1), ("", 1, 0)]);
        let agents = by(By::Agent).await.unwrap();
        let told: Vec<_> = agents.iter().map(|p| (p.key.as_str(), p.used.sum.cost.0, p.used.turns)).collect();
        assert_eq!(told, [("claude", 17, 1), ("", 1, 0)]);
        assert_eq!(store.read(move |r| usage::of_session(r, two)).await.unwrap().cost.0, 107);
    }

    /// Sums of a span look at its quarters of an hour and its turns, at no response and at nothing outside it.
    #[tokio::test]
    async fn sums_are_searched_not_scanned() {
        let (_folder, store) = store();
        let plans = plan::of_all(&store, |r| {
            between(r, Timestamp(0), Timestamp(1))?;
            parts(r, By::Session, Timestamp(0), Timestamp(1), 10)?;
            parts(r, By::Agent, Timestamp(0), Timestamp(1), 10)?;
            usage::of_session(r, SessionId::new())
        });
        plans.await.scan_none_of(&["usage", "usage_quarters", "turns", "sessions"]);
    }
}
