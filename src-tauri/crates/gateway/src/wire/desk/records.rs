//! What was kept: what was spent, what happened, and what another program's history brings.

use crate::wire::ChannelWord;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// What a row of [`Usage`] sums up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum UsageBy {
    #[default]
    Day,
    Session,
    Agent,
}

/// `GET /usage?from=&to=&by=&tz=`: what the model's responses cost, as the egress door counted them. Without `from` and `to`:
/// the last 30 days up to now. `tz` names the time zone whose days are meant (`Europe/Berlin`; `tz_offset_minutes`, east is
/// more, for one that is not known by name); without either: the computer's.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Usage {
    /// Where it begins: by day, at the midnight before what was asked for; else at its quarter of an hour.
    pub from: i64,
    /// Where it ends; what happened at this moment is not in it.
    pub to: i64,
    pub by: UsageBy,
    pub total: UsageRow,
    /// Year and month of the list prices that dollars are counted by.
    pub prices_as_of: &'static str,
    /// By day: every day, the oldest first, those without any use too. Else the dearest first.
    pub rows: Vec<UsageRow>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
pub struct UsageRow {
    /// By day the date (`2026-03-29`), else the session's id or the agent's name; empty for what belongs to none, and `total`
    /// for the sum.
    pub key: String,
    /// For a person.
    pub label: String,
    /// By day: when the day begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub at: Option<i64>,
    pub dollars: f64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub tokens_cache_read: u64,
    pub tokens_cache_write: u64,
    /// Of the model.
    pub responses: u64,
    /// That began in it.
    pub turns: u64,
    /// How long those turns took together.
    pub time_ms: u64,
}

/// What happened. `turn_ended` covers turns that were done, halted and cut off; a failed one is `turn_failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// The owner said something.
    Said,
    /// The agent said something.
    Answered,
    TurnEnded,
    TurnFailed,
    /// The agent asked whether it may.
    Asked,
    Allowed,
    Denied,
    /// Nobody answered in time: no.
    Expired,
    /// The agent asked no more.
    Withdrawn,
    /// A text waits to leave.
    TextWaiting,
    TextSent,
    TextFailed,
    /// A notice waits to leave.
    PushWaiting,
    Pushed,
    PushFailed,
    Paired,
    Revoked,
    HostAllowed,
    HostBlocked,
    /// Requests to the texting door that Twilio did not sign, counted together.
    SignatureRefused,
    ModeChanged,
    SessionClosed,
    /// History of another program was taken in.
    Imported,
}

/// `GET /activity?before=&limit=&kind=&q=`: what happened, newest first. `kind` is one or more kinds with commas between, `q`
/// words that must all be in it, `limit` 1 to 200 (50 if not said).
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Activity {
    pub items: Vec<ActivityItem>,
    /// Give it as `before` for the next page; none: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct ActivityItem {
    pub id: String,
    pub at: i64,
    pub kind: ActivityKind,
    /// One line for a person.
    pub title: String,
    /// More of it: the beginning of what was said, what would run, why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// A phone's name, or the end of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub channel: Option<ChannelWord>,
    /// An address: where a phone paired from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session_number: Option<u32>,
    /// The event's number, where it is one: its place in the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seq: Option<i64>,
}

/// `GET /import`: one conversation of Claude Code's own history on this computer, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct ImportFound {
    /// The file.
    pub path: String,
    /// The folder it was about.
    pub project: String,
    pub first_words: String,
    /// When something was last said in it.
    pub at: i64,
    /// Lines in the file, of which not every one becomes an event.
    pub events: u64,
    /// It was imported, and nothing was said in it since.
    pub known: bool,
}

/// `POST /import`: which of them; none named: all.
#[derive(Clone, Debug, Default, Deserialize, TS)]
pub struct ImportWish {
    #[serde(default)]
    pub paths: Vec<String>,
}

/// The answer to `POST /import`, a JSON line each: how far it is, and at the end what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ImportLine {
    Progress(ImportProgress),
    Done(Imported),
}

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct ImportProgress {
    /// The file it is at.
    pub path: String,
    /// Files that are done, of how many.
    pub done: usize,
    pub of: usize,
    /// Written so far.
    pub events: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
pub struct Imported {
    /// New ones, and those that something was added to.
    pub sessions: u64,
    pub events: u64,
    /// Secrets (keys, tokens, passwords in addresses) that were left out.
    pub redacted: u64,
    pub skipped: Vec<Skipped>,
    /// It was stopped before it had looked at all of them. What is counted here is there whole.
    pub stopped: bool,
}

/// A file, or lines of one, that were not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}
