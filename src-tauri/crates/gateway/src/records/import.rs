//! Claude Code's own history on this computer, taken in: each conversation becomes a closed session with its own times, which
//! search finds. A conversation that was taken is not taken again; one that went on since is taken on from there.
//!
//! A file is read a piece at a time, however long it is. Which events a line tells, and which secrets are left out of them,
//! is the sandbox room's to know.

use crate::{
    clock,
    gateway::App,
    secrets::accounts::OWNERS,
    wire::desk::{ImportFound, ImportLine, ImportProgress, Imported, Skipped},
};
use domain::{Code, Problem, Timestamp, event::Event, shown::shown_line};
use sandbox::agent::{
    history::{self, Counts, Outline, Reading},
    secrets::Known,
};
use std::{
    io,
    path::{Path, PathBuf},
};
use store::{
    activity::{self, Brought},
    imports::{self, Conversation},
};
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
};

/// Events of one write, and bytes of the file: what is held at once.
const EVENTS: usize = 300;
const BYTES: u64 = 1_000_000;
/// A tag's length.
const TAG: usize = 50;

/// What could be taken in, the newest first.
///
/// # Errors
/// As the store's and the file system's.
pub async fn found(app: &App) -> Result<Vec<ImportFound>, Problem> {
    let home = app.paths.claude.clone();
    let outlines =
        blocking(move || Ok(history::files(&home)?.iter().filter_map(|path| told(path)).collect::<Vec<_>>()));
    let outlines = outlines.await.map_err(|e| unreadable(&e))?;
    let taken = app.store.read(|r| imports::all(r)).await.map_err(crate::approvals::internal)?;
    let shown = |o: Outline| ImportFound {
        known: taken.get(&o.conversation).is_some_and(|bytes| *bytes >= o.bytes),
        path: o.path.to_string_lossy().into_owned(),
        project: shown_line(&o.project, 200),
        first_words: o.first_words,
        at: o.at.0,
        events: o.lines,
    };
    let mut found: Vec<ImportFound> = outlines.into_iter().map(shown).collect();
    found.sort_by_key(|f| std::cmp::Reverse(f.at));
    Ok(found)
}

/// None: nothing was said in it, or it cannot be read.
fn told(path: &Path) -> Option<Outline> {
    history::outline(path, &Known::default()).unwrap_or_else(|e| {
        tracing::warn!(error = ?e, "a conversation of Claude Code cannot be read");
        None
    })
}

fn unreadable(e: &io::Error) -> Problem {
    Problem::with_detail(Code::Internal, format!("Claude Code's history cannot be read: {e}."))
        .suggest("Look whether this user may read ~/.claude/projects.")
}

/// Stops the imports that run, each after the conversation it is at. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Importing(watch::Sender<()>);

impl Default for Importing {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Importing {
    pub fn stop(&self) {
        self.0.send_replace(());
    }
}

/// Takes these files in (none named: all) and tells how far it is. Stopped, or when nobody listens any more, it ends with the
/// conversation it is at: what is taken in is there whole.
pub fn bring(app: &App, wanted: Vec<String>) -> mpsc::Receiver<ImportLine> {
    let (lines, told) = mpsc::channel(16);
    let stopped = app.importing.0.subscribe();
    app.tasks.spawn(run(app.clone(), wanted, lines, stopped));
    told
}

async fn run(app: App, wanted: Vec<String>, lines: mpsc::Sender<ImportLine>, stopped: watch::Receiver<()>) {
    let mut done = Imported::default();
    let home = app.paths.claude.clone();
    let files = match blocking(move || history::files(&home)).await {
        Ok(files) => chosen(files, wanted, &mut done),
        Err(e) => {
            done.skipped.push(Skipped { path: app.paths.claude.display().to_string(), why: e.to_string() });
            Vec::new()
        }
    };
    let (of, known) = (files.len(), known(&app).await);
    for (n, path) in files.into_iter().enumerate() {
        done.stopped = stopped.has_changed().unwrap_or(true) || app.stop.is_cancelled();
        if done.stopped {
            break;
        }
        let shown = path.to_string_lossy().into_owned();
        let progress = ImportProgress { path: shown.clone(), done: n, of, events: done.events };
        if lines.send(ImportLine::Progress(progress)).await.is_err() {
            done.stopped = true;
            break;
        }
        if let Err(why) = one(&app, &path, &known, &mut done).await {
            done.skipped.push(Skipped { path: shown, why });
        }
    }
    if done.sessions > 0 {
        let (brought, now) = (Brought { sessions: done.sessions, events: done.events }, clock::now());
        if let Err(e) = app.store.write(move |tx| activity::imported(tx, brought, now)).await {
            tracing::error!(error = ?e, "an import could not be noted");
        }
        app.stream.ring();
    }
    let Imported { sessions, events, redacted, .. } = done;
    tracing::info!(sessions, events, redacted, "history was imported");
    let _nobody_listens = lines.send(ImportLine::Done(done)).await;
}

/// The owner's secrets, as far as they can be had now.
async fn known(app: &App) -> Known {
    let secrets = futures::future::join_all(OWNERS.map(|account| app.secrets.get(account))).await;
    Known::of(secrets.into_iter().flatten())
}

/// Of those that are there; what is asked for and is none of them is told.
fn chosen(files: Vec<PathBuf>, wanted: Vec<String>, done: &mut Imported) -> Vec<PathBuf> {
    if wanted.is_empty() {
        return files;
    }
    let (known, foreign): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|path| files.contains(&PathBuf::from(path)));
    let why = "It is no conversation of Claude Code's history on this computer.";
    done.skipped.extend(foreign.into_iter().map(|path| Skipped { path, why: why.into() }));
    known.into_iter().map(PathBuf::from).collect()
}

/// Takes in what is new in a file. The error is why not.
async fn one(app: &App, path: &Path, known: &Known, done: &mut Imported) -> Result<(), String> {
    let (looked, clean) = (path.to_owned(), known.clone());
    let outline = blocking(move || history::outline(&looked, &clean)).await.map_err(|e| e.to_string())?;
    let Some(outline) = outline else { return Err("Nothing was said in it.".into()) };
    let id = outline.conversation.clone();
    let taken = app.store.read(move |r| imports::taken(r, &id)).await.map_err(|e| e.to_string())?;
    let from = taken.unwrap_or(0);
    if from >= outline.bytes {
        return Ok(());
    }
    let (opened, clean) = (path.to_owned(), known.clone());
    let mut reading = blocking(move || Reading::open(&opened, from, clean)).await.map_err(|e| e.to_string())?;
    let counts = loop {
        let piece = blocking(move || Piece::read(reading)).await.map_err(|e| e.to_string())?;
        let counts = piece.reading.counts();
        done.events += take(app, &outline, piece.from, piece.reading.bytes(), piece.events).await?;
        if piece.last {
            break counts;
        }
        reading = piece.reading;
    };
    done.sessions += 1;
    done.redacted += counts.secrets;
    told_counts(path, counts, done);
    Ok(())
}

fn told_counts(path: &Path, counts: Counts, done: &mut Imported) {
    let why = match counts.unreadable {
        0 => return,
        1 => "One line of it could not be read.".to_owned(),
        lines => format!("{lines} lines of it could not be read."),
    };
    done.skipped.push(Skipped { path: path.to_string_lossy().into_owned(), why });
}

/// Some events of a file.
struct Piece {
    reading: Reading,
    from: u64,
    events: Vec<(Timestamp, Event)>,
    /// There are no more.
    last: bool,
}

impl Piece {
    fn read(mut reading: Reading) -> io::Result<Self> {
        let (from, mut events) = (reading.bytes(), Vec::new());
        while events.len() < EVENTS && reading.bytes() - from < BYTES {
            match reading.events()? {
                Some(more) => events.extend(more),
                None => return Ok(Self { reading, from, events, last: true }),
            }
        }
        Ok(Self { reading, from, events, last: false })
    }
}

/// Writes a piece down; gives how many events it had.
async fn take(
    app: &App,
    outline: &Outline,
    from: u64,
    to: u64,
    events: Vec<(Timestamp, Event)>,
) -> Result<u64, String> {
    let folder = Path::new(&outline.project).file_name().map(|name| name.to_string_lossy().into_owned());
    let conversation = Conversation {
        id: outline.conversation.clone(),
        title: shown_line(&outline.first_words, 80),
        project: folder.map(|name| shown_line(&name, TAG)).unwrap_or_default(),
        at: events.first().map_or(outline.at, |(at, _)| *at),
    };
    let count = events.len() as u64;
    let written = app.store.write(move |tx| imports::take(tx, &conversation, (from, to), &events)).await;
    match written {
        Ok(true) => Ok(count),
        Ok(false) => Err("Another import takes it in, or it is too long.".into()),
        Err(e) => Err(crate::approvals::internal(e).message),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|e| Err(io::Error::other(e)))
}
