//! The rows, and what a row's program says.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Something measured against something else in the same run.
pub struct Row {
    pub id: &'static str,
    pub what: &'static str,
    pub against: &'static str,
    /// As a person reads it. Whether it was met is decided by the row's program.
    pub goal: &'static str,
}

const fn row(id: &'static str, what: &'static str, against: &'static str, goal: &'static str) -> Row {
    Row { id, what, against, goal }
}

pub const ROWS: [Row; 14] = [
    row("warm-turn", "prompt to first word, warm session in its sandbox", "claude -p on the host", "at most 0.06 x"),
    row(
        "added-latency",
        "the same warm turn",
        "a warm stream-json process on the host",
        "at most 5 ms more, 15 ms at p99",
    ),
    row(
        "cold-turn",
        "first turn of a new session in a running sandbox",
        "claude -p in the same sandbox",
        "at most 0.3 x",
    ),
    row(
        "egress",
        "streamed answer of the model through the egress door",
        "straight to the stand-in",
        "at most 1 ms more, 0.95 x throughput",
    ),
    row(
        "sms-ack",
        "signed webhook to 200, written durably",
        "Express with the twilio middleware and SQLite",
        "at least 8 x",
    ),
    row("sandbox-start", "new sandbox until the agent takes a prompt", "docker run and a cold CLI", "at most 1.2 x"),
    row("sandbox-wake", "first word after resuming a paused sandbox", "warm-turn", "at most 100 ms more"),
    row(
        "idle-memory",
        "resident memory of lanyard serve, idle after work",
        "CloudCLI's server",
        "at most 0.3 x and 40 MB",
    ),
    row("start-up", "lanyard serve to first answer, 1 million events", "CloudCLI's server", "at most 0.1 x"),
    row("fan-out", "a line until it is at each of 100 phones", "at 1 phone", "p99 at most 20 ms, 50 us a phone"),
    row(
        "search",
        "full text over 1 million events, the 10 best",
        "rg over the same texts in files",
        "p99 at most 15 ms",
    ),
    row("caught-up", "network back until 500 missed events are there", "HAPI's, as published", "at most 0.1 x"),
    row("open-long", "first screen of 100 000 events, in a store of 1 million", "of 100 events", "at most 2 x"),
    row("page-weight", "all of the phone page, as it is sent", "CloudCLI's page", "at most 0.3 x"),
];

/// All rows, or those named in the order they were named.
pub fn choose(named: &[String]) -> Result<Vec<&'static Row>> {
    if named.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    named.iter().map(|name| find(name)).collect()
}

fn find(name: &str) -> Result<&'static Row> {
    let known = || ROWS.map(|row| row.id).join(", ");
    ROWS.iter().find(|row| row.id == name).with_context(|| format!("There is no row {name}. There are: {}", known()))
}

/// One row's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub id: String,
    /// In `unit`, at the median.
    pub ours: f64,
    pub other: f64,
    /// `ms`, `MB`, `1/s`…
    pub unit: String,
    /// `ours / other`.
    pub ratio: f64,
    /// In words, with its numbers.
    pub goal: String,
    pub met: bool,
    pub runs: u64,
    /// Of ours, in `unit`.
    pub p50: f64,
    pub p99: f64,
}

/// The last line that is JSON.
pub fn read(said: &str, row: &Row) -> Result<Measured> {
    let line = said.lines().rev().find(|line| line.trim_start().starts_with('{'));
    let line = line.with_context(|| format!("the program of {} printed no figures", row.id))?;
    let measured: Measured =
        serde_json::from_str(line).with_context(|| format!("the figures of {} cannot be read", row.id))?;
    if measured.id != row.id || !measured.ratio.is_finite() {
        bail!("the program of {} printed figures that are not its own: {line}", row.id);
    }
    Ok(measured)
}

impl Measured {
    /// For the table: what, Lanyard, the other, ratio, goal, verdict.
    pub fn cells(&self) -> Vec<String> {
        let verdict = if self.met { "met" } else { "missed" };
        let with_unit = |value: f64| format!("{} {}", figure(value), self.unit);
        vec![
            self.id.clone(),
            with_unit(self.ours),
            with_unit(self.other),
            format!("{} x", figure(self.ratio)),
            self.goal.clone(),
            verdict.into(),
        ]
    }
}

/// Three digits that count: `0.0342`, `4.57`, `88.1`, `3312`.
pub fn figure(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let digits = value.abs().log10().floor();
    let decimals = (2.0 - digits).clamp(0.0, 6.0) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn line(id: &str) -> String {
        format!(
            r#"{{"id":"{id}","ours":14.2,"other":411,"unit":"ms","ratio":0.0345,"goal":"at most 0.06 x","met":true,"runs":200,"p50":14.2,"p99":19}}"#
        )
    }

    #[test]
    fn figures_are_the_last_json_line() {
        let said = format!("{{not json\nwarming up\n{}\n\ndone\n", line("warm-turn"));
        let measured = read(&said, &ROWS[0]).unwrap();
        assert_eq!(measured.cells(), ["warm-turn", "14.2 ms", "411 ms", "0.0345 x", "at most 0.06 x", "met"]);
    }

    #[test]
    fn a_row_that_prints_something_else_is_not_believed() {
        assert!(read("nothing", &ROWS[0]).is_err());
        assert!(read(&line("egress"), &ROWS[0]).is_err());
        assert!(read("{\"id\":\"warm-turn\"}", &ROWS[0]).is_err());
    }

    #[test]
    fn rows_are_chosen_by_name() {
        assert_eq!(choose(&[]).unwrap().len(), ROWS.len());
        assert_eq!(choose(&["egress".into()]).unwrap()[0].id, "egress");
        assert!(choose(&["egres".into()]).err().unwrap().to_string().contains("sms-ack"));
    }

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!([0.03421, 4.567, 88.13, 3312.4, 0.0].map(figure), ["0.0342", "4.57", "88.1", "3312", "0"]);
    }
}
