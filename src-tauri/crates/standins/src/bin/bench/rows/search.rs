//! Full text over a million events, the ten best: asked over HTTP as a phone does, a rare word, a common one, two together, and
//! a word's beginning. Against ripgrep over the same texts in files, whose every match is read.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    history::{self, word},
    phone::{Connection, Phone},
};
use anyhow::{Context, Result, ensure};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::Command;

const ROUNDS: usize = 100;
const BEFORE: usize = 5;
/// Milliseconds.
const GOAL: f64 = 15.0;

/// What is looked for, and the same for ripgrep.
struct Asked {
    words: String,
    pattern: String,
}

pub async fn measure() -> Result<Figures> {
    let (store, events) = (history::kept().await?, history::events()?);
    let texts = store.join("texts");
    at_a_desk(Wish { store: Some(store), ..Wish::PLAIN }, async |desk| {
        let mut phone = Phone::of(desk).await?.connection().await?;
        let (mut ours, mut other) = (Series::default(), Series::default());
        for round in 0..BEFORE + ROUNDS {
            for asked in questions(round as u64, events) {
                let times = (ask(&mut phone, &asked).await?, grep(&texts, &asked).await?);
                if round >= BEFORE {
                    ours.push_ms(times.0);
                    other.push_ms(times.1);
                }
            }
        }
        let met = ours.p99() <= GOAL;
        Ok(Figures::of("search", "ms", &ours, &other).judged(format!("p99 at most {GOAL} ms"), met))
    })
    .await
}

/// Others in each round, so that no answer is one that was given before.
fn questions(round: u64, events: u64) -> Vec<Asked> {
    let plain = |words: String| Asked { pattern: format!(r"\b{words}\b"), words };
    let (common, other, rare) = (word(round % 40), word(40 + round % 200), word(5_000 + round));
    let start: String = word(9_000 + round).chars().take(6).collect();
    vec![
        plain(format!("only{}", events * (round + 1) / (ROUNDS + BEFORE + 2) as u64)),
        plain(rare),
        plain(common.clone()),
        Asked {
            pattern: format!(r"\b{common}\b.*\b{other}\b|\b{other}\b.*\b{common}\b"),
            words: format!("{common}+{other}"),
        },
        Asked { pattern: format!(r"\b{start}"), words: start },
    ]
}

async fn ask(phone: &mut Connection, asked: &Asked) -> Result<Duration> {
    let began = Instant::now();
    let (_, body) = phone.get(&format!("/api/search?q={}&limit=10", asked.words)).await?;
    let took = began.elapsed();
    ensure!(!body.is_empty(), "no answer");
    Ok(took)
}

async fn grep(texts: &Path, asked: &Asked) -> Result<Duration> {
    let began = Instant::now();
    let mut command = Command::new("rg");
    command.args([
        "--ignore-case",
        "--no-heading",
        "--with-filename",
        "--line-number",
        "--color=never",
        &asked.pattern,
    ]);
    // Into a pipe: where nobody reads it stops at the first match.
    let output = command.arg(texts).stdin(Stdio::null()).output().await;
    let output = output.context("ripgrep could not be started; on Debian: sudo apt-get install ripgrep")?;
    let took = began.elapsed();
    ensure!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(took)
}
