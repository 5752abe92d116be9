//! Has the sandbox image: finds the one that fits, or builds it with progress.
//!
//! An image fits when its label holds the hash of everything that goes into it, so a new Claude Code, another relay or a
//! changed line in a settings file makes a new image, and the same things never build twice.

mod context;
mod kept;
mod packages;
mod recipe;

pub use kept::ImageState;
pub(crate) use recipe::{NODE_BESIDE, Recipe, hex};

use crate::{
    Error, Sandboxes,
    container::SOURCE,
    docker::{build::BuildRequest, images::FoundImage},
};
use futures::TryStreamExt;
use packages::Packages;
use std::{
    borrow::Cow,
    collections::HashMap,
    path::Path,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::io::ReaderStream;

/// The agent that is built in.
pub const CLAUDE_VERSION: &str = "2.1.329";

/// The name of all of them, before the colon.
pub(crate) const REPOSITORY: &str = "lanyard-sandbox";
const BASE: &str = "dev.lanyard.image.base";
/// Which Lanyard built it.
pub(crate) const INSTANCE: &str = "dev.lanyard.image.instance";
const VERSION: &str = "dev.lanyard.image.version";
const CLAUDE: &str = "dev.lanyard.claude.version";
/// The source of the image with the same parts on the usual base.
const PARTS: &str = "dev.lanyard.image.parts";
/// Where the base's own programs are.
const PATH: &str = "dev.lanyard.image.path";
/// Read and sent at a time.
const PIECE: usize = 256 * 1024;
/// How often the bytes sent are told.
const TICK: Duration = Duration::from_millis(200);

/// The image sandboxes are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// `lanyard-sandbox:` and twelve digits of `source`.
    pub tag: String,
    /// Hash (SHA-256, hex) of everything that went in.
    pub source: String,
    pub claude_version: String,
    /// On another base than the usual: the path to that one's own programs.
    pub path: Option<String>,
    /// On the engine's disk, with the base.
    pub bytes: u64,
    /// It was built just now.
    pub built: bool,
}

/// How far a build is, for a person to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Step `n` of `of` begins: fetching packages, sending them, then the steps of the build.
    Step { n: u32, of: u32, words: String },
    /// Bytes done within the step.
    Bytes { done: u64, of: u64 },
    /// A line the step printed.
    Line(String),
}

/// Whether steps that were built before are taken as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cached {
    Yes,
    No,
}

/// Called with each [`Progress`]. Must not block.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

impl Sandboxes {
    /// Finds the image, or builds it: about two minutes with an empty cache, seconds where only the relay changed.
    /// Fails with [`Error::BaseMissing`], [`Error::Package`] or [`Error::BuildFailed`].
    pub async fn ensure_image(&self, progress: OnProgress<'_>) -> Result<ImageInfo, Error> {
        self.ensure_image_on(None, progress).await
    }

    /// The same on another base, which is pulled if the engine has it not: a Debian, or what is made from one. It gets the
    /// agent and the relay, the tools that it has not itself, and no browser. Fails with [`Error::Pull`] too.
    pub async fn ensure_image_on(&self, base: Option<&str>, progress: OnProgress<'_>) -> Result<ImageInfo, Error> {
        let recipe = self.recipe_on(base).await?;
        // Nobody whose image is there waits for another's build, and no build for a pull.
        match self.look_for(&recipe).await? {
            (_, Some(found)) => return Ok(recipe.info(&found, false)),
            (None, None) if base.is_some() => {
                progress(Progress::Line(format!("Pulling {}", recipe.base)));
                self.engine_handle().pull(&recipe.base, &|line| progress(Progress::Line(line.to_owned()))).await?;
            }
            _ => {}
        }
        let _one_at_a_time = self.building().lock().await;
        match self.look_for(&recipe).await? {
            (_, Some(found)) => Ok(recipe.info(&found, false)),
            (base, None) => self.build_on(&recipe, base, progress, Cached::Yes).await,
        }
    }

    /// Builds the image anew, every step of it: for a base whose packages have grown old.
    pub async fn rebuild_image(&self, progress: OnProgress<'_>) -> Result<ImageInfo, Error> {
        let _one_at_a_time = self.building().lock().await;
        let recipe = self.recipe().await?;
        let (base, _) = self.look_for(recipe).await?;
        self.build_on(recipe, base, progress, Cached::No).await
    }

    async fn build_on(
        &self,
        recipe: &Recipe,
        base: Option<FoundImage>,
        progress: OnProgress<'_>,
        cached: Cached,
    ) -> Result<ImageInfo, Error> {
        let base = base.ok_or_else(|| Error::BaseMissing { base: recipe.base.clone() })?;
        let outdated = self.engine_handle().find_image(&recipe.tag()).await?;
        self.build_image(recipe, &base, progress, cached).await?;
        let built = self.fitting(recipe, Some(&base)).await?;
        let lost =
            || Error::BuildFailed { step: "its end".to_owned(), lines: "the engine does not have it".to_owned() };
        let built = built.ok_or_else(lost)?;
        // A build that changed nothing gives the same image again.
        if let Some(outdated) = outdated.filter(|outdated| outdated.id != built.id) {
            let _in_use = self.engine_handle().remove_unused_image(&outdated.id).await;
        }
        self.tidy_images().await;
        Ok(recipe.info(&built, true))
    }

    pub(crate) async fn image_ready(&self, base: Option<&str>) -> Result<ImageInfo, Error> {
        self.ensure_image_on(base, &|step| tracing::debug!(?step, "building the sandbox image")).await
    }

    async fn recipe(&self) -> Result<&Recipe, Error> {
        let (settings, arch) = (self.settings().clone(), self.known().arch.clone());
        let read = || async move { Recipe::read(&settings, &arch) };
        self.recipe_cell().get_or_try_init(read).await
    }

    async fn recipe_on(&self, base: Option<&str>) -> Result<Cow<'_, Recipe>, Error> {
        let usual = self.recipe().await?;
        Ok(base.map_or(Cow::Borrowed(usual), |base| Cow::Owned(usual.on(base))))
    }

    /// The base, and the image that fits, as far as the engine has them.
    async fn look_for(&self, recipe: &Recipe) -> Result<(Option<FoundImage>, Option<FoundImage>), Error> {
        let base = self.engine_handle().find_image(&recipe.base).await?;
        let fitting = self.fitting(recipe, base.as_ref()).await?;
        Ok((base, fitting))
    }

    /// An image with the right hash; one on an older base does not fit, as long as the newer base is there to build on.
    async fn fitting(&self, recipe: &Recipe, base: Option<&FoundImage>) -> Result<Option<FoundImage>, Error> {
        let found = self.engine_handle().find_image(&recipe.tag()).await?;
        Ok(found.filter(|image| {
            image.labels.get(SOURCE) == Some(&recipe.source)
                && base.is_none_or(|base| image.labels.get(BASE) == Some(&base.id))
        }))
    }

    async fn build_image(
        &self,
        recipe: &Recipe,
        base: &FoundImage,
        progress: OnProgress<'_>,
        cached: Cached,
    ) -> Result<(), Error> {
        let cache = &self.settings().cache_dir;
        let steps =
            Steps { first_of_build: packages::COUNT + 1, of: packages::COUNT + 1 + recipe.build_steps(), progress };
        let fetched = Packages::fetch(recipe.packages, cache, |n, words| steps.begin(n, words)).await?;
        steps.begin(steps.first_of_build, "Packing and sending the build context".to_owned());
        let context = context::pack(recipe, &fetched, cache).await?;
        let request = BuildRequest {
            tag: recipe.tag(),
            cached: cached == Cached::Yes,
            arguments: recipe.arguments(),
            labels: HashMap::from([
                (SOURCE.to_owned(), recipe.source.clone()),
                (BASE.to_owned(), base.id.clone()),
                (INSTANCE.to_owned(), self.settings().instance.clone()),
                (VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
                (CLAUDE.to_owned(), CLAUDE_VERSION.to_owned()),
                (PARTS.to_owned(), recipe.parts.clone()),
                (PATH.to_owned(), base.path.clone().unwrap_or_default()),
            ]),
        };
        let (file, size) = open(context.path()).await?;
        let sent = Arc::new(AtomicU64::new(0));
        let counted = sent.clone();
        let body = ReaderStream::with_capacity(file, PIECE).inspect_ok(move |piece| {
            counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
        let said = |line: &str| steps.hear(line);
        let mut build = pin!(self.engine_handle().build(request, body, &said));
        let mut tick = tokio::time::interval(TICK);
        let mut told = 0;
        loop {
            tokio::select! {
                built = &mut build => return built,
                _ = tick.tick() => told = steps.sent(told, sent.load(Ordering::Relaxed), size),
            }
        }
    }
}

async fn open(path: &Path) -> Result<(tokio::fs::File, u64), Error> {
    let disk = |source| Error::Disk { doing: "read", path: path.to_owned(), source };
    let file = tokio::fs::File::open(path).await.map_err(disk)?;
    let size = file.metadata().await.map_err(disk)?.len();
    Ok((file, size))
}

/// Counts our own steps and the builder's as one row.
struct Steps<'a> {
    first_of_build: u32,
    of: u32,
    progress: OnProgress<'a>,
}

impl Steps<'_> {
    fn begin(&self, n: u32, words: String) {
        (self.progress)(Progress::Step { n, of: self.of, words });
    }

    /// Tells how much of the context is sent, when it is more than was told before.
    fn sent(&self, told: u64, done: u64, of: u64) -> u64 {
        if done > told {
            (self.progress)(Progress::Bytes { done, of });
        }
        done
    }

    /// `Step 3/17 : RUN …` is a step, all else a line of it.
    fn hear(&self, line: &str) {
        let step = line.strip_prefix("Step ").and_then(|rest| rest.split_once(" : "));
        match step.and_then(|(count, words)| Some((count.split_once('/')?.0.parse::<u32>().ok()?, words))) {
            Some((n, words)) => self.begin(self.first_of_build + n, words.chars().take(100).collect()),
            None => (self.progress)(Progress::Line(line.to_owned())),
        }
    }
}
