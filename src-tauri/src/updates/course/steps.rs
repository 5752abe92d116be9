//! Each input at each stage.

use super::{Effect, Release, Stage, Then, When};
use domain::Problem;

/// What is on its way is not disturbed by a look.
pub(super) fn look(stage: Stage, asked: bool) -> (Stage, Vec<Effect>) {
    match stage {
        Stage::UpToDate | Stage::Available(_) | Stage::Failed { .. } => {
            (Stage::Looking { asked, wanted: None, before: Box::new(stage) }, vec![Effect::Look])
        }
        // Somebody looks on now.
        Stage::Looking { asked: before_asked, wanted, before } => {
            (Stage::Looking { asked: asked || before_asked, wanted, before }, vec![])
        }
        Stage::Off(_) | Stage::Fetching { .. } | Stage::Ready { .. } | Stage::Installing { .. } => (stage, vec![]),
    }
}

pub(super) fn found(stage: Stage, release: Option<Release>) -> (Stage, Vec<Effect>) {
    match (stage, release) {
        (Stage::Looking { wanted: Some(when), .. }, Some(release)) => fetch(release, when),
        (Stage::Looking { .. }, release) => (release.map_or(Stage::UpToDate, Stage::Available), vec![]),
        (other, _) => (other, vec![]),
    }
}

pub(super) fn not_found(stage: Stage, problem: Problem) -> (Stage, Vec<Effect>) {
    match stage {
        Stage::Looking { asked, wanted, before } => match (*before, wanted) {
            // What was known is known still. If it cannot be fetched either, that is told.
            (Stage::Available(release), Some(when)) => fetch(release, when),
            (_, _) if asked => (Stage::Failed { release: None, problem }, vec![]),
            // It is tried again by itself.
            (before, _) => (before, vec![]),
        },
        other => (other, vec![]),
    }
}

fn fetch(release: Release, when: When) -> (Stage, Vec<Effect>) {
    (Stage::Fetching { release, when, done: 0.0 }, vec![Effect::Fetch])
}

pub(super) fn install(stage: Stage, when: When) -> (Stage, Vec<Effect>) {
    match stage {
        Stage::Available(release) => fetch(release, when),
        Stage::Looking { asked, before, .. } if matches!(*before, Stage::Available(_)) => {
            (Stage::Looking { asked, wanted: Some(when), before }, vec![])
        }
        Stage::Fetching { release, done, .. } => (Stage::Fetching { release, when, done }, vec![]),
        Stage::Ready { release, when: before, leaving: false } => {
            let effects = match (before, when) {
                (Some(When::Now), When::Quit) => vec![Effect::StayUp],
                (Some(When::Quit) | None, When::Now) => vec![Effect::MakeWay],
                (Some(When::Now), When::Now) | (Some(When::Quit) | None, When::Quit) => vec![],
            };
            (Stage::Ready { release, when: Some(when), leaving: false }, effects)
        }
        other => (other, vec![]),
    }
}

pub(super) fn fetched(stage: Stage, part: f64) -> Stage {
    match stage {
        Stage::Fetching { release, when, .. } => Stage::Fetching { release, when, done: part },
        other => other,
    }
}

pub(super) fn verified(stage: Stage) -> (Stage, Vec<Effect>) {
    let Stage::Fetching { release, when, .. } = stage else { return (stage, vec![]) };
    let effects = match when {
        When::Now => vec![Effect::MakeWay],
        When::Quit => vec![],
    };
    (Stage::Ready { release, when: Some(when), leaving: false }, effects)
}

pub(super) fn not_fetched(stage: Stage, problem: Problem) -> Stage {
    match stage {
        Stage::Fetching { release, .. } => Stage::Failed { release: Some(release), problem },
        other => other,
    }
}

pub(super) fn made_way(stage: Stage) -> Stage {
    match stage {
        Stage::Ready { release, when, .. } => Stage::Ready { release, when, leaving: true },
        other => other,
    }
}

pub(super) fn hurry(stage: Stage) -> (Stage, Vec<Effect>) {
    match stage {
        Stage::Ready { release, .. } => (Stage::Ready { release, when: None, leaving: false }, vec![Effect::StayUp]),
        Stage::Installing { release, .. } => (Stage::Installing { release, leaving: false }, vec![]),
        other => (other, vec![]),
    }
}

pub(super) fn stopped(stage: Stage, started_again: bool) -> (Stage, Vec<Effect>) {
    match stage {
        Stage::Ready { release, when: Some(_), leaving } => {
            (Stage::Installing { release, leaving }, vec![Effect::Install])
        }
        // It ends when it is done: what is being put in place must not be left half.
        Stage::Installing { .. } => (stage, vec![]),
        other => (other, vec![Effect::Leave(if started_again { Then::SameAgain } else { Then::Nothing })]),
    }
}

pub(super) fn installed(stage: Stage, started_again: bool) -> (Stage, Vec<Effect>) {
    let leaving = matches!(&stage, Stage::Installing { leaving: true, .. });
    let then = if leaving || started_again { Then::New } else { Then::Nothing };
    (stage, vec![Effect::Leave(then)])
}

pub(super) fn not_installed(stage: Stage, problem: Problem, started_again: bool) -> (Stage, Vec<Effect>) {
    let Stage::Installing { release, leaving } = stage else { return (stage, vec![]) };
    let then = if leaving || started_again { Then::SameAgain } else { Then::Nothing };
    let effects = vec![Effect::Remember(problem.clone()), Effect::Leave(then)];
    (Stage::Failed { release: Some(release), problem }, effects)
}
