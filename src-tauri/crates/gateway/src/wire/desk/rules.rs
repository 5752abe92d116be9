//! What was allowed always, and the PIN.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `GET /rules`, and the answer to a change. The owner's own tiers (`approvals.tiers`) are among the settings.
#[derive(Clone, Debug, Serialize, TS)]
pub struct RulesMade {
    /// What agents may do in a session without asking again, by an answer with "always"; the newest first.
    pub rules: Vec<RuleMade>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct RuleMade {
    /// As Claude Code writes it, every character that could mislead made visible: `Bash(npm test *)`.
    pub rule: String,
    /// The number of the session that it holds in.
    pub session: u32,
    pub at: i64,
    /// Goes back to take it back.
    pub exact: String,
}

/// `POST /rules/forget`: the agent asks again. One that works keeps to what it was told until its turn ends.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct RuleGone {
    pub session: u32,
    pub exact: String,
}

/// `GET /pin`, and the answer to a change.
#[derive(Clone, Debug, Serialize, TS)]
pub struct PinShown {
    pub set: bool,
    /// After too many wrong ones: until when none is taken.
    pub locked_until: Option<i64>,
}

/// `POST /pin`: keeps a hash of it.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct PinWish {
    #[ts(type = "string")]
    pub pin: secrecy::SecretString,
}
