//! A session with a history, as long as it takes, and a store of many of them, made once and kept.

use anyhow::{Context, Result};
use domain::{PermissionMode, SessionId, Timestamp, event::Event};
use std::path::{Path, PathBuf};
use store::{Store, events, sessions};

/// Of a kept store.
const SESSIONS: u64 = 200;
/// Different words in its texts; a few are said often, most seldom, as in any language.
const WORDS: u64 = 20_000;
/// Words of one text.
const LONG: usize = 20;

/// Writes a closed session of so many events.
pub fn write_session(tx: &store::Tx<'_>, id: SessionId, count: i64) -> store::Result<()> {
    write(tx, id, count, |n| format!("Looked at file {n} and changed the line that made the test fail; it passes now."))
}

fn write(tx: &store::Tx<'_>, id: SessionId, count: i64, text: impl Fn(i64) -> String) -> store::Result<()> {
    sessions::create(tx, id, "claude", "A long talk", PermissionMode::Default, Timestamp(1))?;
    for n in 0..count {
        let said = Event::Answered { turn: None, message: format!("msg_{n}"), text: text(n) };
        events::append(tx, id, &said, Timestamp(n))?;
    }
    sessions::close(tx, id)
}

/// How many events a kept store has: a million, or as many as `LANYARD_BENCH_EVENTS` says.
pub fn events() -> Result<u64> {
    match std::env::var("LANYARD_BENCH_EVENTS") {
        Ok(count) => count.parse().context("LANYARD_BENCH_EVENTS is no number"),
        Err(_) => Ok(1_000_000),
    }
}

/// A folder with a database of [`events`] and, under `texts`, the same texts in files, one for each session, an event a line.
/// Made once and kept in the cache, in the shape that this program's store has.
pub async fn kept() -> Result<PathBuf> {
    let count = events()?;
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let bench = cache.or_else(home).context("HOME is not set")?.join("lanyard/bench");
    let kept = bench.join(format!("events-{count}"));
    if !kept.exists() {
        std::fs::create_dir_all(&bench)?;
        let fresh = tempfile::tempdir_in(&bench)?;
        eprintln!("writing {count} events, once");
        write_store(fresh.path(), count).await?;
        std::fs::rename(fresh.path(), &kept)?;
    }
    // What changes its shape is not what is measured.
    drop(Store::open(&kept.join("lanyard.db"))?);
    Ok(kept)
}

async fn write_store(folder: &Path, count: u64) -> Result<()> {
    let (texts, each) = (folder.join("texts"), count.div_ceil(SESSIONS));
    std::fs::create_dir(&texts)?;
    let store = Store::open(&folder.join("lanyard.db"))?;
    for session in 0..SESSIONS {
        let text = move |n: i64| said(session * each + n as u64);
        let lines: Vec<String> = (0..each as i64).map(text).collect();
        std::fs::write(texts.join(format!("{session}.txt")), lines.join("\n") + "\n")?;
        store.write(move |tx| write(tx, SessionId::new(), each as i64, text)).await?;
    }
    Ok(())
}

/// What event `n` says: words by a fixed throw of dice, and one that is in no other event.
pub fn said(n: u64) -> String {
    let mut dice = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let throw = || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        // The cube makes low numbers common.
        let share = (dice >> 11) as f64 / (1u64 << 53) as f64;
        word((share.powi(3) * WORDS as f64) as u64)
    };
    let words: Vec<String> = std::iter::repeat_with(throw).take(LONG).collect();
    format!("{} only{n}", words.join(" "))
}

/// Word `n` of the language, the commonest first.
pub fn word(n: u64) -> String {
    const SYLLABLES: [&str; 28] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve", "wi",
        "xo", "yu", "za", "bre", "cla", "dro", "fli", "gra", "pla", "tri",
    ];
    let (mut left, mut word) = (n + 28, String::new());
    while left > 0 {
        word.push_str(SYLLABLES[(left % 28) as usize]);
        left /= 28;
    }
    word
}
