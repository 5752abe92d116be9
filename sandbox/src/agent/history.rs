//! The history that Claude Code itself keeps on a computer (`projects/<folder>/<conversation>.jsonl` in its home, a JSON record
//! a line), told as Lanyard's events. Held against files that 2.1.197 and 2.1.329 wrote.
//!
//! A file may be long, torn at its end (it is being written), or hold what no version we know writes: it is read a line at a
//! time, a line is held only up to a limit, and what cannot be read is counted and passed over. No secret of a known shape
//! leaves this module ([`super::secrets`]).

mod line;
mod record;

use crate::agent::secrets::{Known, take_out};
use domain::{Timestamp, event::Event, shown::shown_line};
use line::Lines;
use record::Record;
use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// First lines that are looked through for a conversation's folder and first words.
const HEAD: usize = 200;
/// Of a file's end this much is looked through for its last time.
const TAIL: u64 = 256 * 1024;

/// One conversation, without its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub path: PathBuf,
    /// Claude Code's id of it.
    pub conversation: String,
    /// The folder it was about.
    pub project: String,
    pub first_words: String,
    /// Of its last record.
    pub at: Timestamp,
    pub lines: u64,
    /// In whole lines.
    pub bytes: u64,
}

/// Every conversation's file under Claude Code's home, in no order. A home that is not there has none.
///
/// # Errors
/// As the file system's.
pub fn files(home: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for project in entries(&home.join("projects"))? {
        if project.file_type()?.is_dir() {
            let inside = entries(&project.path())?;
            found.extend(inside.into_iter().filter(is_conversation).map(|file| file.path()));
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// A plain file (no link leads elsewhere) that is named by an id.
fn is_conversation(file: &fs::DirEntry) -> bool {
    file.file_type().is_ok_and(|kind| kind.is_file()) && conversation_of(&file.path()).is_some()
}

/// The conversation that a file is named by.
pub fn conversation_of(path: &Path) -> Option<String> {
    let id = path.file_stem()?.to_str()?.parse::<uuid::Uuid>().ok()?;
    (path.extension()? == "jsonl").then(|| id.to_string())
}

/// What a file is about. None: nobody said anything in it.
///
/// # Errors
/// As the file system's.
pub fn outline(path: &Path, known: &Known) -> io::Result<Option<Outline>> {
    let Some(conversation) = conversation_of(path) else { return Ok(None) };
    let mut file = File::open(path)?;
    let (mut project, mut first_words) = (None, None);
    let mut lines = Lines::of(BufReader::new(&file));
    for _ in 0..HEAD {
        let Some(line) = lines.next_line()? else { break };
        let line = line.map(|line| known.take_out(line).0);
        let Some(record) = line.as_deref().and_then(Record::read) else { continue };
        project = project.or_else(|| record.folder());
        first_words = first_words.or_else(|| record.first_words());
        if project.is_some() && first_words.is_some() {
            break;
        }
    }
    let Some(first_words) = first_words else { return Ok(None) };
    let changed = file.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let changed = Timestamp(i64::try_from(changed.as_millis()).unwrap_or_default());
    let at = last_time(&mut file)?.unwrap_or(changed);
    let (lines, bytes) = count(&mut file)?;
    let named = || path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let project = project.or_else(named).unwrap_or_default();
    let first_words = shown_line(&take_out(&first_words).0, 200);
    Ok(Some(Outline { path: path.to_owned(), conversation, project, first_words, at, lines, bytes }))
}

fn last_time(file: &mut File) -> io::Result<Option<Timestamp>> {
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail.split(|b| *b == b'\n').rev().filter_map(Record::read).find_map(|record| record.at()))
}

/// Whole lines, and their bytes.
fn count(file: &mut File) -> io::Result<(u64, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let (mut piece, mut lines, mut read, mut bytes) = (vec![0; 64 * 1024], 0, 0, 0);
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            return Ok((lines, bytes));
        }
        for end in memchr::memchr_iter(b'\n', &piece[..n]) {
            lines += 1;
            bytes = read + end as u64 + 1;
        }
        read += n as u64;
    }
}

/// A conversation that is being read.
pub struct Reading {
    lines: Lines<BufReader<File>>,
    /// Of the record before: not every record has a time.
    at: Timestamp,
    known: Known,
    counts: Counts,
}

/// What came of the lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Torn, too long, or nothing that we know.
    pub unreadable: u64,
    /// Secrets that were taken out.
    pub secrets: u64,
}

impl Reading {
    /// From this byte on, where a line begins.
    ///
    /// # Errors
    /// As the file system's.
    pub fn open(path: &Path, from: u64, known: Known) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut lines = Lines::of(BufReader::with_capacity(64 * 1024, file));
        lines.bytes = from;
        Ok(Self { lines, at: Timestamp(0), known, counts: Counts::default() })
    }

    /// What the next line says happened, which may be nothing; none at the end of the last whole line.
    ///
    /// # Errors
    /// As the file system's.
    pub fn events(&mut self) -> io::Result<Option<Vec<(Timestamp, Event)>>> {
        let Some(line) = self.lines.next_line()? else { return Ok(None) };
        let line = line.map(|line| {
            let (clean, found) = self.known.take_out(line);
            self.counts.secrets += found;
            clean
        });
        let Some(record) = line.as_deref().and_then(Record::read) else {
            self.counts.unreadable += 1;
            return Ok(Some(Vec::new()));
        };
        self.at = record.at().unwrap_or(self.at);
        let Some(events) = record.events(&mut self.counts.secrets) else {
            self.counts.unreadable += 1;
            return Ok(Some(Vec::new()));
        };
        Ok(Some(events.into_iter().map(|event| (self.at, event)).collect()))
    }

    /// How far it has come: the end of the last line, in bytes from the file's beginning.
    pub fn bytes(&self) -> u64 {
        self.lines.bytes
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests;
