//! How everything stands, what is broken and how to mend it.

use super::SetupStep;
use crate::wire::HouseStatus;
use domain::{Code, Problem};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Something that is wrong, in a person's words, inside an answer that is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct ProblemShown {
    /// One of the codes in Lanyard's index.
    #[ts(type = "Code")]
    #[schema(value_type = String)]
    pub code: Code,
    pub message: String,
    pub suggestion: String,
}

impl From<Problem> for ProblemShown {
    fn from(p: Problem) -> Self {
        Self { code: p.code, message: p.message, suggestion: p.suggestion }
    }
}

/// `GET /home`: the first screen. Nothing is asked of a network for it; what takes longer is the last that was seen.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Home {
    pub version: &'static str,
    /// The computer's.
    pub name: String,
    /// When this run began.
    pub started_at: i64,
    pub uptime_ms: u64,
    pub house: HouseStatus,
    pub sandbox: SandboxShown,
    pub texting: TextingShown,
    pub today: SpendToday,
    /// How many wait for an answer.
    pub open_approvals: usize,
    /// Sessions with a running turn.
    pub working: usize,
    pub steps: Vec<SetupStep>,
    /// The config file says something that holds only after a restart.
    pub restart_needed: bool,
    /// A lost phone's lock holds: `POST /unlock` ends it.
    pub locked: bool,
}

/// The sandbox and what it is made from.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct SandboxShown {
    /// `unknown` (nobody needed it yet), `preparing`, `ready`, `paused` or `trouble`.
    pub state: String,
    /// What it is at, or what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub says: Option<String>,
    pub image: ImageShown,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct ImageShown {
    pub state: ImageShownState,
    pub says: String,
    /// 0 to 1, while it is built.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub progress: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImageShownState {
    Ready,
    Missing,
    /// Made for another version of Lanyard.
    Old,
    Building,
    /// The last build failed, and there is none.
    Failed,
    /// The engine did not say yet.
    Unknown,
}

/// Whether texts come and go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TextingShown {
    pub set_up: bool,
    /// Our own: a number, or a Messaging Service's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub number: Option<String>,
    /// Whether texts to the number were proved to lead here. Absent: not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub works: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub says: Option<String>,
}

/// How far one of a subscription's windows is used, as the model's last answer said.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct WindowShown {
    /// `5 hours`, `7 days`.
    pub name: String,
    pub percent: f64,
    /// When it begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub resets_at: Option<i64>,
}

/// Since the owner's midnight.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct SpendToday {
    pub dollars: f64,
    pub cap_dollars: f64,
    /// All kinds together.
    pub tokens: u64,
    /// Answers of the model.
    pub responses: u64,
    /// Empty for an API key, which pays in dollars; with a subscription these count instead.
    pub windows: Vec<WindowShown>,
}

/// One thing that was looked at: `GET /doctor` is a list of these, `POST /mend/{fix}` answers the one it mended.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Finding {
    /// `engine`, `key`, ...
    pub what: String,
    pub state: FindingState,
    /// What was seen, in a sentence.
    pub says: String,
    /// What to do; empty if nothing.
    pub mend: String,
    /// What `POST /mend/{fix}` takes, where Lanyard can mend it by itself.
    #[serde(default)]
    pub fix: Option<String>,
    /// What to write on its button.
    #[serde(default)]
    pub fix_label: Option<String>,
    /// Where to read on (https).
    #[serde(default)]
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    Well,
    /// Works, but something is worth knowing.
    Note,
    Broken,
}

/// `POST /image/build`.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS)]
pub struct BuildImage {
    /// Even if it is up to date.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub rebuild: bool,
}

/// A line of `GET /image/progress`, which ends when the build does. Without a build there is one line: how the last one ended,
/// or how the image stands.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct ImageProgress {
    pub state: ImageProgressState,
    pub says: String,
    /// 0 to 1.
    pub progress: f64,
    /// A line of the build's own output.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub log_line: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<ProblemShown>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImageProgressState {
    /// None runs and none ran.
    Idle,
    Building,
    Ready,
    Failed,
}

/// `POST /restart`. Without `force` it is refused (`TURN_RUNNING`) while an agent works.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS)]
pub struct Restart {
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub force: bool,
}

/// 202: this answer is the last of this run; the next run takes connections within seconds.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Restarting {
    /// When the run that ends began; `started_at` of `/home` is later once the next one runs.
    pub started_at: i64,
}

/// `POST /lock`, and a phone's `POST /api/lock`: what was done about a lost phone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS, ToSchema)]
pub struct LockShown {
    /// Phones and tokens that may not come in any more.
    pub revoked: usize,
    /// Questions that were refused.
    pub denied: usize,
    pub sandbox_paused: bool,
    /// In sentences, a line each.
    pub says: Vec<String>,
    /// What could not be done.
    pub failed: Vec<ProblemShown>,
}
