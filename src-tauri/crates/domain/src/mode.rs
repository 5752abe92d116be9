//! How much an agent may do without asking.

use serde::{Deserialize, Serialize};

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
