//! The image while it is built: how far it is and what it prints, for those who look; and building it when it is wished.

use super::{SandboxState, Workshop, problem};
use crate::wire::desk::{ImageProgress, ImageProgressState as At};
use domain::{Code, Problem};
use sandbox::{ImageInfo, Progress};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::broadcast;

/// Lines that one who reads slowly may be behind before some are left out, and that one who comes late is told.
const LINES: usize = 256;

/// The build that goes on, or the last one.
pub(super) struct Builds {
    now: Mutex<Now>,
    said: broadcast::Sender<ImageProgress>,
    hearers: AtomicU64,
}

struct Now {
    shown: ImageProgress,
    /// The step and how many there are.
    step: (u32, u32),
    /// What it printed last.
    lines: VecDeque<String>,
    /// Whose build it is.
    by: u64,
}

impl Now {
    fn of(shown: ImageProgress, by: u64) -> Self {
        Self { shown, step: (0, 0), lines: VecDeque::new(), by }
    }
}

fn at(state: At, says: impl Into<String>, progress: f64) -> ImageProgress {
    ImageProgress { state, says: says.into(), progress, log_line: None, problem: None }
}

impl Default for Builds {
    fn default() -> Self {
        let idle = Now::of(at(At::Idle, "No image is being built.", 0.0), 0);
        Self { now: Mutex::new(idle), said: broadcast::Sender::new(LINES), hearers: AtomicU64::new(1) }
    }
}

impl Builds {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> ImageProgress {
        self.now().shown.clone()
    }

    fn tell(&self, said: ImageProgress) {
        let _nobody_looks = self.said.send(said);
    }
}

/// Who hears one build, or that none was needed. Dropped before the end, it says that the build was broken off.
pub(super) struct Hearer {
    builds: Arc<Builds>,
    id: u64,
}

impl Hearer {
    pub fn of(builds: &Arc<Builds>) -> Self {
        Self { builds: builds.clone(), id: builds.hearers.fetch_add(1, Ordering::Relaxed) }
    }

    /// False if one goes on already.
    fn begin(&self) -> bool {
        let mut now = self.builds.now();
        let free = now.shown.state != At::Building;
        if free {
            *now = Now::of(at(At::Building, "The build begins.", 0.0), self.id);
            self.builds.tell(now.shown.clone());
        }
        free
    }

    /// What the build says, of one that was wished or that a start needs.
    pub fn hear(&self, said: &Progress) {
        let mut now = self.builds.now();
        if now.by != self.id {
            *now = Now::of(at(At::Building, "The build begins.", 0.0), self.id);
        }
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
            Progress::Line(line) => {
                if now.lines.len() == LINES {
                    now.lines.pop_front();
                }
                now.lines.push_back(line.clone());
                Some(line.clone())
            }
        };
        self.builds.tell(ImageProgress { log_line, ..now.shown.clone() });
    }

    /// How it ended; nothing where none was going on, as where the image was there.
    pub fn end(&self, ended: Result<&ImageInfo, &Problem>) {
        self.settle(|so_far| match ended {
            Ok(image) => at(At::Ready, format!("{} is ready.", image.tag), 1.0),
            Err(why) => {
                ImageProgress { problem: Some(why.clone().into()), ..at(At::Failed, why.message.clone(), so_far) }
            }
        });
    }

    fn settle(&self, ended: impl FnOnce(f64) -> ImageProgress) {
        let mut now = self.builds.now();
        if now.shown.state == At::Building && now.by == self.id {
            now.shown = ended(now.shown.progress);
            self.builds.tell(now.shown.clone());
        }
    }
}

impl Drop for Hearer {
    fn drop(&mut self) {
        self.settle(|_| at(At::Idle, "The build was broken off.", 0.0));
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

    /// What was printed last and how it is, and then everything a build says.
    pub fn watch_build(&self) -> (Vec<ImageProgress>, broadcast::Receiver<ImageProgress>) {
        let now = self.0.builds.now();
        let line = |line: &String| ImageProgress { log_line: Some(line.clone()), problem: None, ..now.shown.clone() };
        let so_far = now.lines.iter().map(line).chain([now.shown.clone()]).collect();
        (so_far, self.0.builds.said.subscribe())
    }

    /// Begins to build the image; every step anew if `rebuild`. It goes on by itself, and the sandbox is made ready after it.
    ///
    /// # Errors
    /// `BUSY` while one is being built.
    pub fn begin_build(&self, rebuild: bool) -> Result<(), Problem> {
        let hearer = Hearer::of(&self.0.builds);
        if !hearer.begin() {
            return Err(
                Problem::with_detail(Code::Busy, "The image is being built already.").suggest("Wait for its end.")
            );
        }
        let (workshop, stop) = (self.clone(), self.0.rooms.stop.clone());
        self.0.rooms.tasks.spawn(async move {
            let _stopped = stop.run_until_cancelled(workshop.build(rebuild, hearer)).await;
        });
        Ok(())
    }

    async fn build(self, rebuild: bool, hearer: Hearer) {
        let built = self.built(rebuild, &hearer).await;
        hearer.end(built.as_ref());
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

    async fn built(&self, rebuild: bool, hearer: &Hearer) -> Result<ImageInfo, Problem> {
        let engine = self.engine().await?;
        let hear = |said: Progress| hearer.hear(&said);
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
        let builds = Arc::new(Builds::default());
        let mut said = builds.said.subscribe();
        let build = Hearer::of(&builds);
        assert!(build.begin() && !Hearer::of(&builds).begin(), "one at a time");
        build.hear(&step(1, 4));
        build.hear(&Progress::Bytes { done: 50, of: 100 });
        assert_eq!(builds.shown().progress, 0.125);
        build.hear(&step(3, 4));
        build.hear(&Progress::Line("COPY x".into()));
        assert_eq!((builds.shown().progress, builds.shown().log_line), (0.5, None));
        build.end(Err(&Code::NoImage.into()));
        build.end(Err(&Code::NoEngine.into()));
        drop(build);
        let heard: Vec<_> = std::iter::from_fn(|| said.try_recv().ok()).collect();
        assert_eq!(heard.iter().filter(|line| line.log_line.is_some()).count(), 1);
        let last = heard.last().unwrap();
        assert_eq!((last.state, last.problem.as_ref().unwrap().code), (At::Failed, Code::NoImage));
        assert!(heard.windows(2).all(|two| two[0].progress <= two[1].progress), "{heard:?}");
    }

    #[test]
    fn an_image_that_was_there_is_no_build() {
        let builds = Arc::new(Builds::default());
        Hearer::of(&builds).end(Err(&Code::NoImage.into()));
        assert_eq!(builds.shown().state, At::Idle);
    }

    #[test]
    fn a_build_that_is_broken_off_makes_room_for_the_next() {
        let builds = Arc::new(Builds::default());
        let (broken, other) = (Hearer::of(&builds), Hearer::of(&builds));
        broken.hear(&step(2, 4));
        drop(other);
        assert_eq!(builds.shown().state, At::Building, "it was not the other's");
        drop(broken);
        assert_eq!(builds.shown().state, At::Idle);
        assert!(Hearer::of(&builds).begin());
    }
}
