//! Forges: where repositories live, and what a branch becomes there. One trait; each forge's shapes stop in its own file.
//!
//! A call that changes something is safe to repeat: a pull request that is there already is found instead of made.

mod device;
mod github;
mod gitlab;
mod transport;

pub use device::{Device, DeviceError, DeviceFlow, SignedIn};
pub use github::GitHub;
pub use gitlab::GitLab;
pub use transport::ForgeError;

use domain::task::{Checks, PullRequest};
use futures::future::BoxFuture;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub login: String,
    /// For commits; the login where no name is set.
    pub name: String,
    /// For commits; the forge's own no-reply address where none is shown.
    pub email: String,
}

/// A repository the token may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `acme/shop`.
    pub path: String,
    pub default_branch: String,
    pub private: bool,
    /// Whether the token may push, as far as the forge says.
    pub may_push: bool,
}

/// What a pull request is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    pub title: String,
    pub body: String,
    /// The branch with the work.
    pub head: String,
    /// Where it is to go.
    pub base: String,
}

/// A check that failed, as the forge tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCheck {
    pub name: String,
    /// What it says of itself; may be empty.
    pub summary: String,
    pub url: Option<String>,
}

/// All checks of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckState {
    pub checks: Checks,
    pub failed: Vec<FailedCheck>,
}

/// Something a person wrote on a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub author: String,
    pub text: String,
    /// The file and line it is about.
    pub about: Option<(String, Option<u32>)>,
}

type Answer<'f, T> = BoxFuture<'f, Result<T, ForgeError>>;

/// A forge with one account's token.
pub trait Forge: Send + Sync {
    fn whoami(&self) -> Answer<'_, Login>;

    /// Those the account works on, the one last pushed to first; at most 100.
    fn repositories(&self) -> Answer<'_, Vec<Found>>;

    fn repository<'f>(&'f self, path: &'f str) -> Answer<'f, Found>;

    /// At most 100.
    fn branches<'f>(&'f self, path: &'f str) -> Answer<'f, Vec<String>>;

    /// Opens a pull request, or finds the open one of the same branch and gives it these words.
    fn open<'f>(&'f self, path: &'f str, request: &'f NewRequest) -> Answer<'f, PullRequest>;

    fn checks<'f>(&'f self, path: &'f str, commit: &'f str) -> Answer<'f, CheckState>;

    /// What people wrote on it, the oldest first; at most 100 of each kind.
    fn comments<'f>(&'f self, path: &'f str, number: u64) -> Answer<'f, Vec<Comment>>;
}
