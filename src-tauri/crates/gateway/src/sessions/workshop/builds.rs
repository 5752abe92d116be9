//! The image while it is built: how far it is and what it prints, for those who look; and building it when it is wished.

use super::{SandboxState, Workshop, problem};
use crate::wire::desk::{ImageProgress, ImageProgressState as At};
use domain::{Code, Problem};
use sandbox::{ImageInfo, Progress};
use std::sync::{Mutex, PoisonError};
use tokio::sync::broadcast;

/// Lines that one who reads slowly may be behind before some are left out.
const LINES: usize = 256;

/// The build that goes on, or the last one.
pub(super) struct Builds {
    now: Mutex<Now>,
    lines: broadcast::Sender<ImageProgress>,
}

struct Now {
    shown: ImageProgress,
    /// The step and how many there are.
    step: (u32, u32),
}

fn at(state: At, says: impl Into<String>, progress: f64) -> ImageProgress {
    ImageProgress { state, says: says.into(), progress, log_line: None, problem: None }
}

impl Default for Builds {
    fn default() -> Self {
        let shown = at(At::Idle, "No image is being built.", 0.0);
        Self { now: Mutex::new(Now { shown, step: (0, 0) }), lines: broadcast::Sender::new(LINES) }
    }
}

impl Builds {
    fn shown(&self) -> ImageProgress {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).shown.clone()
    }

    /// False if one goes on already.
    fn begin(&self) -> bool {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let free = now.shown.state != At::Building;
        if free {
            *now = Now { shown: at(At::Building, "The build begins.", 0.0), step: (0, 0) };
            let _nobody_looks = self.lines.send(now.shown.clone());
        }
        free
    }

    /// What the build says, of one that was wished or that a start needs.
    pub fn hear(&self, said: &Progress) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (step, whole) = now.step;
        let log_line = match said {
            Progress::Step { n, of, words } => {
                now.step = (*n, *of);
                now.shown = at(At::Building, format!("Step {n} of {of}: {words}"), share(n.saturating_sub(1), *of));
                None
            }
            Progress::Bytes { done, of } => {
                let within = *done as f64 / (*of).max(1) as f64;
                now.shown.progress = share(step.saturating_sub(1), whole) + within.min(1.0) / f64::from(whole.max(1));
                None
            }
            Progress::Line(line) => Some(line.clone()),
        };
        let _nobody_looks = self.lines.send(ImageProgress { log_line, ..now.shown.clone() });
    }

    /// How it ended; nothing where none was going on, as where the image was there.
    pub fn end(&self, ended: Result<&ImageInfo, &Problem>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.shown.state != At::Building {
            return;
        }
        now.shown = match ended {
            Ok(image) => at(At::Ready, format!("{} is ready.", image.tag), 1.0),
            Err(why) => ImageProgress {
                problem: Some(why.clone().into()),
                ..at(At::Failed, why.message.clone(), now.shown.progress)
            },
        };
        let _nobody_looks = self.lines.send(now.shown.clone());
    }
}

fn share(done: u32, of: u32) -> f64 {
    f64::from(done) / f64::from(of.max(1))
}

impl Workshop {
    /// How far the image is, while it is built.
    pub fn building(&self) -> Option<ImageProgress> {
        Some(self.last_build()).filter(|build| build.state == At::Building)
    }

    /// The build that goes on, or how the last one ended.
    pub fn last_build(&self) -> ImageProgress {
        self.0.builds.shown()
    }

    /// How it is, and then everything a build says.
    pub fn watch_build(&self) -> (ImageProgress, broadcast::Receiver<ImageProgress>) {
        let lines = self.0.builds.lines.subscribe();
        (self.last_build(), lines)
    }

    /// Begins to build the image; every step anew if `rebuild`. It goes on by itself, and the sandbox is made ready after it.
    ///
    /// # Errors
    /// `BUSY` while one is being built.
    pub fn begin_build(&self, rebuild: bool) -> Result<(), Problem> {
        if !self.0.builds.begin() {
            return Err(
                Problem::with_detail(Code::Busy, "The image is being built already.").suggest("Wait for its end.")
            );
        }
        let (workshop, stop) = (self.clone(), self.0.stop.clone());
        self.0.tasks.spawn(async move {
            let _stopped = stop.run_until_cancelled(workshop.build(rebuild)).await;
        });
        Ok(())
    }

    async fn build(self, rebuild: bool) {
        let built = self.built(rebuild).await;
        self.0.builds.end(built.as_ref());
        let at_work = matches!(*self.0.state.borrow(), SandboxState::Ready | SandboxState::Paused);
        match built {
            Ok(image) => {
                tracing::info!(image.tag, "the sandbox image was built");
                if !at_work {
                    self.stay_ready().await;
                }
            }
            Err(why) => tracing::warn!(code = %why.code, "the sandbox image could not be built"),
        }
    }

    async fn built(&self, rebuild: bool) -> Result<ImageInfo, Problem> {
        let engine = self.engine().await?;
        let hear = |said: Progress| self.0.builds.hear(&said);
        let built = match rebuild {
            true => engine.rebuild_image(&hear).await,
            false => engine.ensure_image(&hear).await,
        };
        built.map_err(|e| problem(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(n: u32, of: u32) -> Progress {
        Progress::Step { n, of, words: "copy".into() }
    }

    #[test]
    fn a_build_goes_forward_and_ends_once() {
        let builds = Builds::default();
        let mut lines = builds.lines.subscribe();
        assert!(builds.begin() && !builds.begin(), "one at a time");
        builds.hear(&step(1, 4));
        builds.hear(&Progress::Bytes { done: 50, of: 100 });
        assert_eq!(builds.shown().progress, 0.125);
        builds.hear(&step(3, 4));
        builds.hear(&Progress::Line("COPY x".into()));
        assert_eq!((builds.shown().progress, builds.shown().log_line), (0.5, None));
        builds.end(Err(&Code::NoImage.into()));
        builds.end(Err(&Code::NoEngine.into()));
        let heard: Vec<_> = std::iter::from_fn(|| lines.try_recv().ok()).collect();
        assert_eq!(heard.iter().filter(|line| line.log_line.is_some()).count(), 1);
        let last = heard.last().unwrap();
        assert_eq!((last.state, last.problem.as_ref().unwrap().code), (At::Failed, Code::NoImage));
        assert!(heard.windows(2).all(|two| two[0].progress <= two[1].progress), "{heard:?}");
    }

    #[test]
    fn an_image_that_was_there_is_no_build() {
        let builds = Builds::default();
        builds.end(Err(&Code::NoImage.into()));
        assert_eq!(builds.shown().state, At::Idle);
    }
}
