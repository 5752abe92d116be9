//! Tasks: a repository and words, done from clone to pull request in a sandbox of its own.

mod order;
mod repository;
mod request;
mod state;

pub use order::{Priority, Waiting, has_room, next};
pub use repository::{BadRepository, Repository};
pub use request::{Checks, PullRequest};
pub use state::TaskState;

use serde::{Deserialize, Serialize};
use std::{fmt, num::ParseIntError, str::FromStr};

/// What a person calls a task: 1, 2, 3 and so on, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub u32);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `12` or `#12`.
impl FromStr for TaskId {
    type Err = ParseIntError;
    fn from_str(s: &str) -> Result<Self, ParseIntError> {
        s.strip_prefix('#').unwrap_or(s).parse().map(Self)
    }
}

/// How every branch of a task begins, unless the owner named one.
pub const BRANCHES: &str = "lanyard/";
/// Characters of the words that go into a branch's name.
const SLUG: usize = 40;

/// `lanyard/12-fix-the-flaky-login-test`: the number keeps it apart from every other task's.
pub fn branch_of(id: TaskId, words: &str) -> String {
    let mut slug = String::new();
    for word in words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.len() + word.len() + 1 > SLUG {
            break;
        }
        slug.push('-');
        slug.push_str(&word.to_ascii_lowercase());
    }
    format!("{BRANCHES}{id}{slug}")
}

/// Whether git takes it as a branch's name (git-check-ref-format), and no program for one of its options.
pub fn is_branch(name: &str) -> bool {
    let parts_well = name
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock"));
    let characters_well = name.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"~^:?*[\\".contains(c));
    let whole = !name.starts_with('-') && name != "@" && !name.contains("..") && !name.contains("@{");
    (1..=200).contains(&name.len()) && parts_well && characters_well && whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_branch_is_named_after_the_number_and_the_first_words() {
        let named = |words| branch_of(TaskId(12), words);
        assert_eq!(named("Fix the flaky login test"), "lanyard/12-fix-the-flaky-login-test");
        assert_eq!(named("¿Por qué?"), "lanyard/12-por-qu");
        assert_eq!(named("…"), "lanyard/12");
        assert_eq!(named(&"very ".repeat(50)), format!("lanyard/12{}", "-very".repeat(8)));
    }

    #[test]
    fn what_git_takes_for_no_branch_is_none() {
        for good in ["main", "release/1.2", "feature/a-b_c", "größe"] {
            assert!(is_branch(good), "{good}");
        }
        for bad in [
            "", "-x", "a..b", "a b", "/a", "a/", "a//b", ".a", "a.lock", "a~1", "a^", "a:b", "@", "a@{1}", "a\\b", "a.",
        ] {
            assert!(!is_branch(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_words_make_a_branch(id in 1..u32::MAX, words in any::<String>()) {
            prop_assert!(is_branch(&branch_of(TaskId(id), &words)));
        }
    }
}
