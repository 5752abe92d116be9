//! A new Lanyard with nothing but the image: from the start of the program to the first word of its first turn. Against
//! `docker run` of the same image under the same walls to its first output, plus `claude -p` cold on the host.

use crate::{
    desk::{Wish, at_a_desk},
    engine::docker,
    figures::{Figures, Series},
    host::Host,
    talk::Talk,
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

const WORDS: &str = "say something";
const ROUNDS: usize = 10;
/// As Lanyard sets them for a sandbox of its usual size.
const WALLS: [&str; 15] = [
    "--network=none",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges:true",
    "--read-only",
    "--tmpfs=/tmp:rw,nosuid,nodev,exec,size=512m,mode=1777",
    "--tmpfs=/run:rw,nosuid,nodev,noexec,size=16m,mode=755",
    "--volume=/home/agent",
    "--volume=/workspace",
    "--memory=4g",
    "--memory-swap=4g",
    "--cpus=2",
    "--pids-limit=1024",
    "--shm-size=256m",
    "--init",
    "--log-driver=none",
];

pub async fn measure() -> Result<Figures> {
    let (mut ours, mut other) = (Series::default(), Series::default());
    for _ in 0..ROUNDS {
        at_a_desk(Wish::SANDBOX, async |desk| {
            let mut talk = Talk::open(desk).await?;
            ours.push_ms(talk.turn(WORDS, None).await?.first_word.duration_since(desk.started));
            let name = desk.container().await?;
            let image = docker(&["inspect", "--format", "{{.Config.Image}}", &name]).await?;
            let host = Host::new(desk.anthropic.url())?;
            other.push_ms(first_output(&image).await? + host.cold(WORDS).await?);
            Ok(())
        })
        .await?;
    }
    Ok(Figures::of("sandbox-start", "ms", &ours, &other).at_most(1.2))
}

async fn first_output(image: &str) -> Result<Duration> {
    let run = [&["run", "--rm", "--attach=stdout"], &WALLS[..], &["--entrypoint=echo", image, "ready"]].concat();
    let started = Instant::now();
    let mut child = tokio::process::Command::new("docker")
        .args(run)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut word = [0; 5];
    let mut out = child.stdout.take().unwrap_or_else(|| unreachable!("it was piped"));
    tokio::io::AsyncReadExt::read_exact(&mut out, &mut word).await?;
    let first = started.elapsed();
    ensure!(child.wait().await?.success() && &word == b"ready", "docker run failed");
    Ok(first)
}
