//! What the model's responses cost, as the egress door counted them.

use crate::{
    Result, Rows, Tx,
    spending::{self, SUMS},
};
use domain::{
    SessionId, Timestamp, TurnId,
    usage::{MicroDollars, Tokens},
};
use rusqlite::params;

/// One response of the model.
#[derive(Clone, Debug)]
pub struct Spent {
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
    pub model: String,
    pub tokens: Tokens,
    pub cost: MicroDollars,
    /// False if the model is not in the price table and the dearest price was taken.
    pub priced: bool,
    /// HTTP status.
    pub status: u16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub tokens: Tokens,
    pub cost: MicroDollars,
    pub responses: u64,
}

pub fn record(tx: &Tx<'_>, s: &Spent, now: Timestamp) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO usage (at, session, turn, model, input, output, cache_write, cache_read, cost, priced, status)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            now.0,
            s.session.map(|id| id.to_string()),
            s.turn.map(|id| id.to_string()),
            s.model,
            s.tokens.input as i64,
            s.tokens.output as i64,
            s.tokens.cache_write as i64,
            s.tokens.cache_read as i64,
            s.cost.0 as i64,
            s.priced,
            s.status
        ])?;
    Ok(())
}

pub fn of_turn(rows: &impl Rows, turn: TurnId) -> Result<Sum> {
    sum(rows, "turn = ?1", turn.to_string())
}

pub fn of_session(rows: &impl Rows, session: SessionId) -> Result<Sum> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {SUMS} FROM usage_quarters WHERE session = ?1"))?;
    Ok(query.query_row([session.to_string()], |row| spending::sum(row, 0))?)
}

/// Everything since the begin of a quarter of an hour: a day's sum, when it is the owner's midnight.
pub fn since(rows: &impl Rows, start: Timestamp) -> Result<Sum> {
    let mut query = rows.conn().prepare_cached(&format!("SELECT {SUMS} FROM usage_quarters WHERE quarter >= ?1"))?;
    Ok(query.query_row([start.0.div_euclid(spending::QUARTER)], |row| spending::sum(row, 0))?)
}

fn sum(rows: &impl Rows, condition: &str, value: impl rusqlite::ToSql) -> Result<Sum> {
    let mut query = rows.conn().prepare_cached(&format!(
        "SELECT coalesce(sum(input), 0), coalesce(sum(output), 0), coalesce(sum(cache_write), 0),
                coalesce(sum(cache_read), 0), coalesce(sum(cost), 0), count(*) FROM usage WHERE {condition}"
    ))?;
    Ok(query.query_row([value], |row| spending::sum(row, 0))?)
}
