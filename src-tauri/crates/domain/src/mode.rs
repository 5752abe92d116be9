//! How much an agent may do without asking.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Claude Code's permission modes, as the agent's settings name them. A mode is the agent's own first filter; what it
/// still asks goes through Lanyard's one approval gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PermissionMode {
    /// Asks before edits and commands.
    #[default]
    Default,
    /// Edits without asking, asks before commands.
    AcceptEdits,
    /// Asks nothing but questions and plans.
    BypassPermissions,
    /// Reads and plans; asks before it starts to work.
    Plan,
}

impl PermissionMode {
    pub const ALL: [PermissionMode; 4] = [Self::Default, Self::AcceptEdits, Self::BypassPermissions, Self::Plan];

    /// What it means, in a sentence.
    pub fn says(self) -> &'static str {
        match self {
            Self::Default => "It asks before edits and commands.",
            Self::AcceptEdits => "It edits without asking and asks before commands.",
            Self::BypassPermissions => "It asks nothing but questions and plans: it edits and runs what it wants.",
            Self::Plan => "It reads and plans, and asks before it starts to work.",
        }
    }

    /// The word Claude Code and the config use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::AcceptEdits => "acceptEdits",
            Self::BypassPermissions => "bypassPermissions",
            Self::Plan => "plan",
        }
    }
}

impl fmt::Display for PermissionMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names the words that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMode(String);

impl fmt::Display for UnknownMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = PermissionMode::ALL.map(PermissionMode::as_str).join(", ");
        write!(f, "there is no mode {}: it is one of {known}", self.0)
    }
}

impl std::error::Error for UnknownMode {}

impl FromStr for PermissionMode {
    type Err = UnknownMode;

    /// In any case of its letters.
    fn from_str(word: &str) -> Result<Self, UnknownMode> {
        let known = Self::ALL.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(word));
        known.ok_or_else(|| UnknownMode(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_it_is_written_and_a_wrong_one_names_the_right_ones() {
        for mode in PermissionMode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        assert_eq!("acceptedits".parse(), Ok(PermissionMode::AcceptEdits));
        assert!("yolo".parse::<PermissionMode>().unwrap_err().to_string().contains("acceptEdits"));
    }
}
