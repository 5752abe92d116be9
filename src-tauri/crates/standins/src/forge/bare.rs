//! A bare repository, as git tells of it. Each question is a process of some milliseconds, for which a handler simply
//! waits.

use super::world::Pull;
use std::{
    cmp::Reverse,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

pub(super) struct Bare {
    /// `acme/shop`, which lies in `acme/shop.git`.
    pub path: String,
    folder: PathBuf,
}

/// What a pull request would change.
#[derive(Default)]
pub(super) struct Changes {
    pub files: u64,
    pub additions: u64,
    pub deletions: u64,
}

impl Bare {
    /// The one of this path, if it is there and the path leads nowhere else.
    pub fn find(below: &Path, path: &str) -> Option<Self> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        let folder = below.join(format!("{path}.git"));
        (inside && folder.join("HEAD").is_file()).then(|| Self { path: path.to_owned(), folder })
    }

    /// All below a folder, the one with the newest commit first.
    pub fn all(below: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        collect(below, "", &mut found);
        found.sort_by_cached_key(|bare| Reverse(bare.pushed()));
        found
    }

    pub fn owner(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(owner, _)| owner)
    }

    pub fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(self.path.as_str(), |(_, name)| name)
    }

    pub fn default_branch(&self) -> String {
        self.git(&["symbolic-ref", "--short", "HEAD"]).unwrap_or_else(|| "main".to_owned())
    }

    /// Their names and newest commits.
    pub fn branches(&self) -> Vec<(String, String)> {
        let all = self.git(&["for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"]);
        let branch = |line: &str| line.split_once(' ').map(|(name, commit)| (name.to_owned(), commit.to_owned()));
        all.unwrap_or_default().lines().filter_map(branch).collect()
    }

    /// The newest commit of a branch.
    pub fn branch(&self, name: &str) -> Option<String> {
        self.git(&["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}^{{commit}}")])
    }

    /// The commit that a branch or a part of its own name leads to.
    pub fn commit(&self, at: &str) -> Option<String> {
        let named = || self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{at}^{{commit}}")]);
        self.branch(at).or_else(named)
    }

    /// The newest commit of a pull request; the last one known if its branch is gone.
    pub fn head_of(&self, pull: &Pull) -> String {
        self.branch(&pull.head).unwrap_or_else(|| pull.head_sha.clone())
    }

    /// How many commits of `head` are not in `base`.
    pub fn ahead(&self, base: &str, head: &str) -> u64 {
        let range = format!("refs/heads/{base}..refs/heads/{head}");
        self.git(&["rev-list", "--count", &range]).and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Between where the branches parted and `head`.
    pub fn changes(&self, base: &str, head: &str) -> Changes {
        let range = format!("refs/heads/{base}...refs/heads/{head}");
        let files = self.git(&["diff", "--numstat", &range]).unwrap_or_default();
        files.lines().fold(Changes::default(), |sum, line| {
            // A dash stands for a file that is not text.
            let mut counts = line.split('\t').map(|count| count.parse::<u64>().unwrap_or(0));
            let (added, deleted) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
            Changes { files: sum.files + 1, additions: sum.additions + added, deletions: sum.deletions + deleted }
        })
    }

    /// When its newest commit was made, in seconds since 1970.
    pub fn pushed(&self) -> i64 {
        let newest =
            ["for-each-ref", "--sort=-committerdate", "--count=1", "--format=%(committerdate:unix)", "refs/heads"];
        let newest = self.git(&newest);
        newest.and_then(|at| at.parse().ok()).unwrap_or(0)
    }

    /// What a git command says, if it goes well.
    fn git(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("git").arg("-C").arg(&self.folder).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn collect(below: &Path, at: &str, found: &mut Vec<Bare>) {
    for entry in fs::read_dir(below.join(at)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = if at.is_empty() { name } else { format!("{at}/{name}") };
        match path.strip_suffix(".git").and_then(|path| Bare::find(below, path)) {
            Some(bare) => found.push(bare),
            None => collect(below, &path, found),
        }
    }
}
