//! What a forge has of a task.

use serde::{Deserialize, Serialize};

/// A pull request; GitLab calls it a merge request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    pub number: u64,
    /// Its page, for people.
    pub url: String,
    #[serde(default)]
    pub checks: Checks,
}

/// What the forge's checks say of the branch's newest commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checks {
    /// There are none, or none yet.
    #[default]
    None,
    Running,
    Passed,
    Failed,
}
