//! "Always allow", kept here and given back to the agent whenever it starts.

use crate::{
    Result, Rows, Tx,
    audit::{self, Kind},
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

pub fn of_session(rows: &impl Rows, session: SessionId) -> Result<Vec<Rule>> {
    let mut query =
        rows.conn().prepare_cached("SELECT tool, content FROM rules WHERE session = ?1 ORDER BY made_at, tool")?;
    let rule = |row: &rusqlite::Row<'_>| {
        let content: String = row.get(1)?;
        Ok(Rule { tool: row.get(0)?, content: Some(content).filter(|c| !c.is_empty()) })
    };
    query.query_and_then([session.to_string()], rule)?.collect()
}
