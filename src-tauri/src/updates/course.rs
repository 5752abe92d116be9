//! The course of an update, decided without a clock, a network or a disk: what happened goes in, what is to be done comes out.

mod steps;
#[cfg(test)]
mod tests;

use crate::native_status::{UpdateProblem, UpdateShown, UpdateState, WaitsFor};
use domain::Problem;
use serde::Deserialize;
use steps::{
    fetched, found, hurry, install, installed, look, made_way, not_fetched, not_found, not_installed, stopped, verified,
};

/// A newer version, as its list of updates tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub version: String,
    /// Markdown.
    pub notes: Option<String>,
}

/// When an update that the owner wants is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// As soon as no turn runs.
    Now,
    /// When the owner ends Lanyard anyway.
    Quit,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A look is wished. `asked`: by a person, who wants to know what came of it.
    Look {
        asked: bool,
    },
    Found(Option<Release>),
    NotFound(Problem),
    /// The owner wants it.
    Install(When),
    /// So much of it is here, 0 to 1.
    Fetched(f64),
    /// All of it is here, and it is what was signed.
    Verified,
    NotFetched(Problem),
    /// No turn ran, and the gateway is being stopped for the update.
    MadeWay,
    /// The app is ending because the system is: nothing may be begun that takes time, and nothing starts again.
    Hurry,
    /// Somebody started Lanyard while it was ending.
    StartedAgain,
    /// The gateway has stopped, whoever wished it; the app ends next.
    Stopped,
    Installed,
    NotInstalled(Problem),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the list of updates. The end comes as [`Input::Found`] or [`Input::NotFound`].
    Look,
    /// Fetch what was found.
    Fetch,
    /// Stop the gateway as soon as no turn runs; then [`Input::MadeWay`].
    MakeWay,
    /// Do not stop it after all.
    StayUp,
    /// Put in place what was fetched; then [`Input::Installed`] or [`Input::NotInstalled`].
    Install,
    /// Keep this for the next start to tell.
    Remember(Problem),
    /// End the app.
    Leave(Then),
}

/// What follows the app's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Nothing,
    /// This version starts again.
    SameAgain,
    /// The new version starts.
    New,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Off(Problem),
    UpToDate,
    /// `wanted`: the owner wanted what was known before, and gets what is found.
    Looking {
        asked: bool,
        wanted: Option<When>,
        before: Box<Stage>,
    },
    Available(Release),
    Fetching {
        release: Release,
        when: When,
        done: f64,
    },
    /// Here and verified. `leaving`: the gateway is being stopped for it.
    Ready {
        release: Release,
        when: Option<When>,
        leaving: bool,
    },
    Installing {
        release: Release,
        leaving: bool,
    },
    Failed {
        release: Option<Release>,
        problem: Problem,
    },
}

/// Where an update is on its course.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    current: String,
    stage: Stage,
    /// Lanyard is wanted again when it has ended.
    started_again: bool,
}

impl Course {
    /// `ended`: how the last one ended, if it ended badly.
    pub fn new(current: String, ended: Option<Problem>) -> Self {
        let stage = ended.map_or(Stage::UpToDate, |problem| Stage::Failed { release: None, problem });
        Self { current, stage, started_again: false }
    }

    /// This installation is never updated from inside: why, and how it is.
    pub fn off(current: String, why: Problem) -> Self {
        Self { current, stage: Stage::Off(why), started_again: false }
    }

    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::StartedAgain => self.started_again = true,
            Input::Hurry => self.started_again = false,
            _ => {}
        }
        let (stage, effects) = match input {
            Input::Look { asked } => look(self.stage.clone(), asked),
            Input::Found(release) => found(self.stage.clone(), release),
            Input::NotFound(problem) => not_found(self.stage.clone(), problem),
            Input::Install(when) => install(self.stage.clone(), when),
            Input::Fetched(part) => (fetched(self.stage.clone(), part), vec![]),
            Input::Verified => verified(self.stage.clone()),
            Input::NotFetched(problem) => (not_fetched(self.stage.clone(), problem), vec![]),
            Input::MadeWay => (made_way(self.stage.clone()), vec![]),
            Input::Hurry => hurry(self.stage.clone()),
            Input::StartedAgain => (self.stage.clone(), vec![]),
            Input::Stopped => stopped(self.stage.clone(), self.started_again),
            Input::Installed => installed(self.stage.clone(), self.started_again),
            Input::NotInstalled(problem) => not_installed(self.stage.clone(), problem, self.started_again),
        };
        self.stage = stage;
        effects
    }

    /// It starts again when it is installed.
    pub fn starts_again(&self) -> bool {
        self.started_again || matches!(self.stage, Stage::Installing { leaving: true, .. })
    }

    /// Somebody started it while it was ending, and waits for its window.
    pub fn started_again(&self) -> bool {
        self.started_again
    }

    /// As the window and the tray show it.
    pub fn shown(&self) -> UpdateShown {
        let blank = UpdateShown { state: UpdateState::None, current: self.current.clone(), ..UpdateShown::off() };
        let of = |state, release: &Release| UpdateShown {
            state,
            version: Some(release.version.clone()),
            notes: release.notes.clone(),
            ..blank.clone()
        };
        match &self.stage {
            Stage::Off(why) => UpdateShown { state: UpdateState::Off, problem: Some(why.into()), ..blank },
            Stage::UpToDate => blank,
            // Its download begins as soon as the look has ended.
            Stage::Looking { wanted: Some(_), before, .. } => {
                UpdateShown { state: UpdateState::Downloading, progress: Some(0.0), ..self.as_at(before) }
            }
            // A look that nobody asked for is not seen.
            Stage::Looking { asked: false, before, .. } => self.as_at(before),
            Stage::Looking { asked: true, .. } => UpdateShown { state: UpdateState::Checking, ..blank },
            Stage::Available(release) => of(UpdateState::Available, release),
            Stage::Fetching { release, done, .. } => {
                UpdateShown { progress: Some(*done), ..of(UpdateState::Downloading, release) }
            }
            Stage::Ready { release, when, leaving: false } => {
                UpdateShown { waits_for: when.map(WaitsFor::from), ..of(UpdateState::Ready, release) }
            }
            Stage::Ready { release, leaving: true, .. } | Stage::Installing { release, .. } => {
                of(UpdateState::Installing, release)
            }
            Stage::Failed { release, problem } => UpdateShown {
                state: UpdateState::Failed,
                version: release.as_ref().map(|release| release.version.clone()),
                problem: Some(UpdateProblem::from(problem)),
                ..blank
            },
        }
    }

    fn as_at(&self, stage: &Stage) -> UpdateShown {
        Self { stage: stage.clone(), ..self.clone() }.shown()
    }
}

impl From<When> for WaitsFor {
    fn from(when: When) -> Self {
        match when {
            When::Now => Self::Turn,
            When::Quit => Self::Quit,
        }
    }
}
