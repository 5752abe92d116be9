//! Everything the forge knows that is not in git: pull requests, checks, what people wrote, what is to go wrong.

use super::{
    bare::Bare,
    device::{Said, SignIn},
};
use axum::http::{HeaderMap, header};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Whose token it is.
pub const LOGIN: &str = "mona";
/// The first second of the world: 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600;

/// A pull request, or a merge request: both interfaces show the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// `acme/shop`.
    pub repository: String,
    /// Counted in each repository, from 1.
    pub number: u64,
    pub title: String,
    pub body: String,
    pub head: String,
    pub base: String,
    /// The newest commit of `head`.
    pub head_sha: String,
}

/// How a check stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Running,
    Passed,
    /// What it says of itself.
    Failed(String),
}

/// An id and a moment that nothing else has: whatever happens takes a second, so an order by time is always one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamp(u32);

impl Stamp {
    pub fn id(self) -> u64 {
        1_000_000 + u64::from(self.0)
    }

    pub fn time(self) -> String {
        moment(START + i64::from(self.0))
    }
}

/// Seconds since 1970 as `2026-01-01T00:00:00Z`.
pub(super) fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// A pull request that is open; here none is ever closed.
#[derive(Clone)]
pub(super) struct Opened {
    pub pull: Pull,
    pub made: Stamp,
    pub changed: Stamp,
}

/// Which of GitHub's two kinds a check is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Run,
    Status,
}

#[derive(Clone)]
pub(super) struct Check {
    pub repository: String,
    pub commit: String,
    pub name: String,
    pub source: Source,
    pub outcome: Outcome,
    pub made: Stamp,
}

/// Something written on a pull request.
#[derive(Clone)]
pub(super) struct Remark {
    pub repository: String,
    pub number: u64,
    pub author: String,
    pub text: String,
    pub kind: Kind,
    pub made: Stamp,
}

#[derive(Clone)]
pub(super) enum Kind {
    Note,
    Review,
    /// On GitHub it belongs to a review, which may have no words of its own.
    OnLine {
        review: u64,
        path: String,
        line: u32,
    },
    /// GitLab writes down by itself what was done.
    System,
}

#[derive(Default)]
pub(super) struct State {
    pub pulls: Vec<Opened>,
    pub checks: Vec<Check>,
    pub remarks: Vec<Remark>,
    /// Statuses of the next answers.
    pub failing: VecDeque<u16>,
    pub sign_in: Option<SignIn>,
    pub requests: Vec<(String, String)>,
    last: Stamp,
}

impl State {
    fn stamp(&mut self) -> Stamp {
        self.last = Stamp(self.last.0 + 1);
        self.last
    }

    /// Gives the id of what was written.
    fn write(&mut self, on: (&str, u64), author: &str, text: &str, kind: Kind) -> u64 {
        let made = self.stamp();
        let ((repository, number), author, text) = (on, author.to_owned(), text.to_owned());
        self.remarks.push(Remark { repository: repository.to_owned(), number, author, text, kind, made });
        made.id()
    }
}

pub(super) struct World {
    pub url: String,
    folder: PathBuf,
    token: String,
    state: Mutex<State>,
}

impl World {
    pub fn new(url: &str, folder: &Path, token: &str) -> Self {
        let (url, folder, token) = (url.to_owned(), folder.to_owned(), token.to_owned());
        Self { url, folder, token, state: Mutex::new(State::default()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock())
    }

    /// The one token there is.
    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn lets_in(&self, headers: &HeaderMap) -> bool {
        let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        said.and_then(|said| said.strip_prefix("Bearer ")) == Some(self.token.as_str())
    }

    pub fn bare(&self, path: &str) -> Option<Bare> {
        Bare::find(&self.folder, path)
    }

    pub fn bares(&self) -> Vec<Bare> {
        Bare::all(&self.folder)
    }

    /// Those of one repository, the newest first.
    pub fn opened(&self, repository: &str) -> Vec<Opened> {
        let of_it = |opened: &&Opened| opened.pull.repository == repository;
        self.read(|state| state.pulls.iter().rev().filter(of_it).cloned().collect())
    }

    /// Opens one under the next number; or gives the number of the one that is open for the same branches.
    pub fn open(&self, wanted: Pull) -> Result<Opened, u64> {
        self.change(|state| {
            let mut of_it = state.pulls.iter().filter(|opened| opened.pull.repository == wanted.repository);
            let number = 1 + of_it.clone().count() as u64;
            let same = |opened: &&Opened| opened.pull.head == wanted.head && opened.pull.base == wanted.base;
            if let Some(known) = of_it.find(same) {
                return Err(known.pull.number);
            }
            let made = state.stamp();
            let opened = Opened { pull: Pull { number, ..wanted }, made, changed: made };
            state.pulls.push(opened.clone());
            Ok(opened)
        })
    }

    /// Gives a pull request other words, if it is there.
    pub fn reword(&self, on: (&str, u64), title: Option<String>, body: Option<String>) -> Option<Opened> {
        self.change(|state| {
            let changed = state.stamp();
            let is_it = |opened: &&mut Opened| (opened.pull.repository.as_str(), opened.pull.number) == on;
            let opened = state.pulls.iter_mut().find(is_it)?;
            opened.pull.title = title.unwrap_or_else(|| opened.pull.title.clone());
            opened.pull.body = body.unwrap_or_else(|| opened.pull.body.clone());
            opened.changed = changed;
            let opened = opened.clone();
            state.write(on, LOGIN, "changed the description", Kind::System);
            Some(opened)
        })
    }

    pub fn set_check(&self, repository: &str, at: &str, name: &str, source: Source, outcome: Outcome) {
        let commit = self.bare(repository).and_then(|bare| bare.commit(at)).unwrap_or_else(|| at.to_owned());
        self.change(|state| {
            let made = state.stamp();
            let (repository, name) = (repository.to_owned(), name.to_owned());
            let is_it = |c: &Check| (&c.repository, &c.commit, &c.name) == (&repository, &commit, &name);
            state.checks.retain(|check| !is_it(check) || check.source != source);
            state.checks.push(Check { repository, commit, name, source, outcome, made });
        });
    }

    /// All checks of a commit, the oldest first.
    pub fn checks(&self, repository: &str, commit: &str) -> Vec<Check> {
        let of_it = |check: &&Check| check.repository == repository && check.commit == commit;
        self.read(|state| state.checks.iter().filter(of_it).cloned().collect())
    }

    pub fn comment(&self, repository: &str, number: u64, author: &str, text: &str, about: Option<(&str, u32)>) {
        self.change(|state| {
            let on = (repository, number);
            let kind = match about {
                Some((path, line)) => {
                    let review = state.write(on, author, "", Kind::Review);
                    Kind::OnLine { review, path: path.to_owned(), line }
                }
                None => Kind::Note,
            };
            state.write(on, author, text, kind);
        });
    }

    pub fn review(&self, repository: &str, number: u64, author: &str, text: &str) {
        self.change(|state| state.write((repository, number), author, text, Kind::Review));
    }

    /// What was written on a pull request, the oldest first.
    pub fn remarks(&self, repository: &str, number: u64) -> Vec<Remark> {
        let on_it = |remark: &&Remark| remark.repository == repository && remark.number == number;
        self.read(|state| state.remarks.iter().filter(on_it).cloned().collect())
    }

    pub fn answer_device(&self, said: Said) {
        self.change(|state| {
            if let Some(sign_in) = &mut state.sign_in {
                sign_in.said = said;
            }
        });
    }
}
