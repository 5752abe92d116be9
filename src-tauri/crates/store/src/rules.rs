//! "Always allow", kept here and given back to the agent whenever it starts.

use crate::{
    Result, Rows, Tx,
    audit::{self, Kind},
    values,
};
use domain::{SessionId, Timestamp, agent::Rule};
use rusqlite::params;
use serde_json::json;

pub fn add(tx: &Tx<'_>, session: SessionId, rule: &Rule, now: Timestamp) -> Result<()> {
    let made = tx
        .conn()
        .prepare_cached(
            "INSERT INTO rules (session, tool, content, made_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![session.to_string(), rule.tool, rule.content.as_deref().unwrap_or(""), now.0])?;
    if made == 1 {
        audit::append(tx, Kind::RuleMade, &json!({ "session": session, "rule": rule.as_flag() }), now)?;
    }
    Ok(())
}

/// One that stands, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub session: SessionId,
    pub rule: Rule,
    pub made_at: Timestamp,
}

/// Those of sessions that are not closed, the newest first.
pub fn all(rows: &impl Rows) -> Result<Vec<Kept>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT r.session, r.tool, r.content, r.made_at FROM rules r JOIN sessions s ON s.id = r.session
         WHERE s.open = 1 ORDER BY r.made_at DESC, r.tool, r.content",
    )?;
    let kept = |row: &rusqlite::Row<'_>| {
        let content: String = row.get(2)?;
        let rule = Rule { tool: row.get(1)?, content: Some(content).filter(|c| !c.is_empty()) };
        Ok(Kept { session: values::parsed(row, 0)?, rule, made_at: Timestamp(row.get(3)?) })
    };
    query.query_and_then([], kept)?.collect()
}

/// Takes one back, by how it is shown. False if it does not stand.
pub fn take_back(tx: &Tx<'_>, session: SessionId, rule: &str, now: Timestamp) -> Result<bool> {
    let Some(found) = of_session(tx, session)?.into_iter().find(|kept| kept.as_flag() == rule) else {
        return Ok(false);
    };
    tx.conn()
        .prepare_cached("DELETE FROM rules WHERE session = ?1 AND tool = ?2 AND content = ?3")?
        .execute(params![session.to_string(), found.tool, found.content.as_deref().unwrap_or("")])?;
    audit::append(tx, Kind::RuleTakenBack, &json!({ "session": session, "rule": rule }), now)?;
    Ok(true)
}

pub fn of_session(rows: &impl Rows, session: SessionId) -> Result<Vec<Rule>> {
    let mut query =
        rows.conn().prepare_cached("SELECT tool, content FROM rules WHERE session = ?1 ORDER BY made_at, tool")?;
    let rule = |row: &rusqlite::Row<'_>| {
        let content: String = row.get(1)?;
        Ok(Rule { tool: row.get(0)?, content: Some(content).filter(|c| !c.is_empty()) })
    };
    query.query_and_then([session.to_string()], rule)?.collect()
}
