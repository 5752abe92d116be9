//! What is done in a task's sandbox beside its agent: the clone, the repository's own commands, the commits' last touch, the push.
//! All of it runs as the agent's user, with a token of its own for the door.

use crate::sessions::{Pass, Workshop};
use domain::{
    Code, Problem,
    task::{Repository, TaskId},
};
use sandbox::{Command, Output};
use std::time::Duration;

/// For a clone; a repository of 500 MB took a tenth of it.
const CLONE: Duration = Duration::from_secs(30 * 60);
const SETUP: Duration = Duration::from_secs(30 * 60);
const PUSH: Duration = Duration::from_secs(10 * 60);
/// Characters of what a command printed that are told.
const TOLD: usize = 1_500;
/// Of a diff that is kept.
const DIFF: usize = 1_000_000;

/// A repository's history into `/workspace`: the mirror's, if one was unpacked there, and what is newer; then the branch, beginning
/// where it was left off if it was pushed before. In one go, for each start of a program in a sandbox costs some 50 ms. Says the name
/// of the base, how much history there is (KiB), and the commit it begins at.
const CLONED: &str = r#"set -e
cd /workspace
git init -q
git remote get-url origin > /dev/null 2>&1 || git remote add origin "$URL"
git fetch -q --prune origin '+refs/heads/*:refs/remotes/origin/*'
if [ -z "$BASE" ]; then
  git remote set-head origin -a > /dev/null
  BASE=$(git symbolic-ref --short refs/remotes/origin/HEAD | sed 's|^origin/||')
fi
git rev-parse -q --verify "refs/remotes/origin/$BASE" > /dev/null || { echo "there is no branch $BASE" >&2; exit 3; }
git pack-refs --all
printf 'base %s\n' "$BASE"
git count-objects -v | awk '/^size(-pack)?:/ { n += $2 } END { print "size " n }'
git config user.name "$NAME"
git config user.email "$EMAIL"
git config push.default current
mkdir -p .git/hooks
cat > .git/hooks/prepare-commit-msg <<'HOOK'
#!/bin/sh
exec git interpret-trailers --in-place --if-exists doNothing --trailer "$(git config lanyard.trailer)" "$1"
HOOK
chmod 755 .git/hooks/prepare-commit-msg
git config lanyard.trailer "$TRAILER"
from="origin/$BASE"
[ -n "$CONTINUE" ] && git rev-parse -q --verify "refs/remotes/origin/$BRANCH" > /dev/null && from="origin/$BRANCH"
git checkout -q --no-track -B "$BRANCH" "$from"
printf 'from %s\n' "$(git rev-parse HEAD)""#;

/// What the agent left uncommitted goes into a commit of its own. Then: newest commit, commits, and a line for each file.
const COMMIT: &str = r#"set -e
cd /workspace
[ "$(git symbolic-ref -q --short HEAD)" = "$BRANCH" ] || git checkout -q -B "$BRANCH"
git add -A
git diff --cached --quiet || git commit -q --no-verify -m "$TITLE"
git rev-parse HEAD
git rev-list --count "$FROM..HEAD"
git diff --numstat "$FROM" HEAD"#;

/// Whether the base as it is now can be merged with the branch; where it cannot, the merge is begun, for the agent to end.
const MERGE: &str = r#"cd /workspace || exit 1
git fetch -q origin "+refs/heads/$BASE:refs/remotes/origin/$BASE" || exit 1
git merge-tree --write-tree HEAD "origin/$BASE" > /dev/null 2>&1 && exit 0
# Before git 2.38 it cannot be tried without doing it.
if git merge -q --no-commit --no-ff "origin/$BASE" > /dev/null 2>&1; then
  git merge --abort 2> /dev/null
  exit 0
fi
git diff --name-only --diff-filter=U
exit 3"#;

const PUSHED: &str = r#"cd /workspace && git push -q origin "HEAD:refs/heads/$BRANCH""#;

/// A task's sandbox, and what commands in it have.
pub struct Room<'r> {
    pub workshop: &'r Workshop,
    pub pass: &'r Pass,
}

/// What is to be cloned, and how its branch is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    pub task: TaskId,
    pub repository: &'w Repository,
    /// None: the repository's own.
    pub base: Option<&'w str>,
    pub branch: &'w str,
    /// What was pushed to the branch before is gone on with.
    pub go_on: bool,
    pub author: &'w Author,
}

/// What was cloned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloned {
    pub base: String,
    /// Bytes of history.
    pub size: u64,
    /// The commit that the branch begins at.
    pub from: String,
}

/// Whose commits they are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub email: String,
}

/// What a branch holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub head: String,
    pub commits: u32,
    pub files: u32,
    pub added: u32,
    pub removed: u32,
}

/// How the repository's own tests went, in words for the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tested {
    Passed,
    /// What they printed last.
    Failed(String),
    Hung(String),
}

/// How a merge with the base went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    Fits,
    /// These files are in conflict, and the merge is begun.
    Conflicts(Vec<String>),
}

impl Room<'_> {
    pub async fn clone_it(&self, wanted: Wanted<'_>) -> Result<Cloned, Problem> {
        let Wanted { task, repository, base, branch, go_on, author } = wanted;
        let script = script(CLONED)
            .env("URL", repository.url())
            .env("BASE", base.unwrap_or_default())
            .env("NAME", &author.name)
            .env("EMAIL", &author.email)
            .env("TRAILER", format!("Lanyard-Task: {task}"))
            .env("BRANCH", branch)
            .env("CONTINUE", if go_on { "yes" } else { "" })
            .timeout(CLONE);
        let output = self.done(script, Code::CloneFailed).await.map_err(not_there)?;
        cloned(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| Code::CloneFailed.into())
    }

    /// One of the repository's own commands, as its agent would run it.
    pub async fn set_up(&self, line: &str) -> Result<(), Problem> {
        let script = Command::new(["sh", "-c", line]).timeout(SETUP);
        self.done(script, Code::SetupFailed).await.map(drop)
    }

    /// The repository's own tests.
    pub async fn test(&self, line: &str, longest: Duration) -> Result<Tested, Problem> {
        let command = Command::new(["sh", "-c", line]).timeout(longest);
        Ok(match self.workshop.run(self.pass, command).await? {
            Some(output) if output.status == 0 => Tested::Passed,
            Some(output) => Tested::Failed(tail(&output)),
            None => {
                Tested::Hung(format!("They did not end within {} and were stopped.", domain::phrases::span(longest)))
            }
        })
    }

    pub async fn commit(&self, from: &str, branch: &str, title: &str) -> Result<Work, Problem> {
        let script = script(COMMIT).env("FROM", from).env("BRANCH", branch).env("TITLE", title).timeout(PUSH);
        let output = self.done(script, Code::PushRefused).await?;
        work(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| Code::PushRefused.into())
    }

    pub async fn diff(&self, from: &str) -> Result<Vec<u8>, Problem> {
        let command = Command::new(["git", "diff", from, "HEAD"]).timeout(PUSH).cap(DIFF);
        Ok(self.workshop.run(self.pass, command).await?.map(|output| output.stdout).unwrap_or_default())
    }

    pub async fn merge(&self, base: &str) -> Result<Merge, Problem> {
        let output = self.workshop.run(self.pass, script(MERGE).env("BASE", base).timeout(PUSH)).await?;
        let output = output.ok_or_else(|| too_long(Code::PushRefused))?;
        match output.status {
            0 => Ok(Merge::Fits),
            3 => Ok(Merge::Conflicts(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())),
            _ => Err(Problem::with_detail(Code::PushRefused, tail(&output))),
        }
    }

    pub async fn push(&self, branch: &str) -> Result<(), Problem> {
        self.done(script(PUSHED).env("BRANCH", branch).timeout(PUSH), Code::PushRefused).await.map(drop)
    }

    /// Ended well, or `code` with what was printed last.
    async fn done(&self, command: Command, code: Code) -> Result<Output, Problem> {
        let output = self.workshop.run(self.pass, command).await?.ok_or_else(|| too_long(code))?;
        match output.status {
            0 => Ok(output),
            _ => Err(Problem::with_detail(code, tail(&output))),
        }
    }
}

fn too_long(code: Code) -> Problem {
    Problem::with_detail(code, "It took too long and was stopped.")
}

fn script(text: &'static str) -> Command {
    Command::new(["sh", "-c", text])
}

/// A repository that is not there, or not for this account, as git tells of it.
fn not_there(problem: Problem) -> Problem {
    let missing = ["not found", "returned error: 404", "returned error: 401", "returned error: 403"];
    match missing.iter().any(|words| problem.message.contains(words)) {
        true => Problem { code: Code::RepositoryRefused, ..problem },
        false => problem,
    }
}

/// The last of what it printed, errors last.
fn tail(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    let all = domain::shown::shown(all.join("\n").trim());
    let skip = all.chars().count().saturating_sub(TOLD);
    all.chars().skip(skip).collect()
}

/// What [`CLONED`] says.
fn cloned(said: &str) -> Option<Cloned> {
    let word = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let size = word("size").and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024;
    Some(Cloned { base: word("base")?.to_owned(), size, from: word("from")?.to_owned() })
}

/// What [`COMMIT`] says. A binary file counts no lines.
fn work(said: &str) -> Option<Work> {
    let mut lines = said.lines();
    let mut work = Work { head: lines.next()?.to_owned(), commits: lines.next()?.parse().ok()?, ..Work::default() };
    for line in lines {
        let mut numbers = line.split('\t');
        let mut number = || numbers.next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
        work.added += number();
        work.removed += number();
        work.files += 1;
    }
    Some(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_branch_holds_is_read() {
        let said = "abc\n2\n10\t3\tsrc/a.rs\n-\t-\tlogo.png\n0\t7\tb.txt\n";
        assert_eq!(work(said), Some(Work { head: "abc".into(), commits: 2, files: 3, added: 10, removed: 10 }));
        assert_eq!(work("abc\n0\n").unwrap().files, 0);
        assert_eq!(work(""), None);
    }

    #[test]
    fn what_was_cloned_is_read() {
        let said = cloned("base main\nsize 12\nfrom abc\n");
        assert_eq!(said, Some(Cloned { base: "main".into(), size: 12 << 10, from: "abc".into() }));
        assert_eq!((cloned("base main\nsize 12\n"), cloned("")), (None, None));
    }

    #[test]
    fn a_repository_that_is_not_there_is_told_from_a_clone_that_failed() {
        let failed = |said: &str| not_there(Problem::with_detail(Code::CloneFailed, said)).code;
        assert_eq!(failed("fatal: repository 'http://127.0.0.1:3128/host/x/' not found"), Code::RepositoryRefused);
        assert_eq!(
            failed("fatal: unable to access 'x': The requested URL returned error: 403"),
            Code::RepositoryRefused
        );
        assert_eq!(failed("fatal: early EOF"), Code::CloneFailed);
    }
}
