//! The first turn of a new session in a sandbox that runs, with a process started ahead; against `docker exec` of
//! `claude -p` in the same sandbox, which goes the same way out.

use crate::{
    desk::{Wish, at_a_desk},
    engine::docker,
    figures::{Figures, Series},
    host::{SHOWN, first_word},
    rows::warm_turn::warm_session,
    talk::Talk,
};
use anyhow::{Context, Result, ensure};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{process::Command, time::sleep};

const WORDS: &str = "say something";
const ROUNDS: usize = 20;
/// From the start of the process that is kept ahead until it takes a turn; it does in half of this.
const SETTLED: Duration = Duration::from_millis(1500);
const SPARE: Duration = Duration::from_secs(30);

pub async fn measure() -> Result<Figures> {
    at_a_desk(Wish::SANDBOX, async |desk| {
        let (mut talk, _warm) = warm_session(desk).await?;
        let container = desk.container().await?;
        let (before, agents) = (tokens(&container).await?, agents(&container).await?);
        one_turn(&mut talk, &container, agents).await?;
        // Still there: the warm session's. That of the process kept ahead went with the session that took it.
        let left = tokens(&container).await?;
        let token = before.into_iter().find(|token| left.contains(token)).context("the warm session has no process")?;
        let (mut ours, mut other) = (Series::default(), Series::default());
        for _ in 0..ROUNDS {
            ours.push_ms(one_turn(&mut talk, &container, agents).await?);
            other.push_ms(first_word(alone(&container, &token)).await?);
        }
        Ok(Figures::of("cold-turn", "ms", &ours, &other).at_most(0.3))
    })
    .await
}

/// A new session's one turn; then it is closed, and the next process is ahead.
async fn one_turn(talk: &mut Talk, container: &str, agents: usize) -> Result<Duration> {
    let turn = talk.turn(WORDS, None).await?;
    talk.close(turn.session).await?;
    wait_for_the_spare(container, agents).await?;
    Ok(turn.took)
}

/// The CLI without a gateway's process to take the words.
fn alone(container: &str, token: &str) -> Command {
    let token = format!("ANTHROPIC_AUTH_TOKEN={token}");
    let mut command = Command::new("docker");
    command.args(["exec", "--user", "agent", "--workdir", "/workspace", "--env", &token]);
    for set in [
        "HOME=/home/agent",
        "ANTHROPIC_BASE_URL=http://127.0.0.1:3128",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
        "DISABLE_AUTOUPDATER=1",
    ] {
        command.args(["--env", set]);
    }
    command.args([container, "claude", "-p", WORDS]).args(SHOWN).stdin(Stdio::null());
    command
}

/// The tokens of the processes inside, by which the way out knows whose request it is.
async fn tokens(container: &str) -> Result<Vec<String>> {
    let look = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; true";
    let said = docker(&["exec", "--user", "agent", container, "sh", "-c", look]).await?;
    Ok(said.lines().filter_map(|line| line.strip_prefix("ANTHROPIC_AUTH_TOKEN=")).map(str::to_owned).collect())
}

async fn wait_for_the_spare(container: &str, agents_before: usize) -> Result<()> {
    let started = Instant::now();
    while agents(container).await? != agents_before {
        ensure!(started.elapsed() < SPARE, "no process was started ahead");
        sleep(Duration::from_millis(50)).await;
    }
    sleep(SETTLED).await;
    Ok(())
}

/// Processes of the CLI inside.
async fn agents(container: &str) -> Result<usize> {
    let running = docker(&["top", container, "-eo", "pid,args"]).await?;
    Ok(running.lines().filter(|line| line.contains("--input-format")).count())
}
