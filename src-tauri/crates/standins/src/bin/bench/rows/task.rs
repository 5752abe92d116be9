//! A task from the queue to its agent's first word, and what a copy of its repository on this computer is worth.

use crate::{
    desk::{Desk, Wish, at_a_desk},
    engine::docker,
    figures::{Figures, Series},
    host::{SHOWN, first_word as word_of},
    talk::Talk,
};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use standins::{anthropic::KEY, forge::Forge, git::GitServer};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{process::Command, time::sleep};

const WORDS: &str = "say something";
const TOKEN: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
/// `x-access-token:` and the token.
const PASSWORD: &str = "Basic eC1hY2Nlc3MtdG9rZW46Z2hwXzAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==";
const ROUNDS: usize = 20;
/// Repositories that are cloned twice each, and their megabytes, which cannot be squeezed.
const REPOSITORIES: usize = 6;
const MEGABYTES: usize = 60;
/// For a task's end and the next sandbox kept ready.
const READY: Duration = Duration::from_secs(120);
/// From the container's start until what is in it is quiet.
const SETTLED: Duration = Duration::from_millis(1500);

/// From the call that queues a task to its agent's first word at a phone, the repository cloned before; against `git clone` on
/// the host and `docker run` of `claude -p` with the clone as its folder, without any wall.
pub async fn first_word() -> Result<Figures> {
    let place = Place::new(1, 1).await?;
    at_a_desk(place.wish(), async |desk| {
        let mut talk = Talk::open(desk).await?;
        // A copy of it is kept from now on.
        one_task(desk, &mut talk, &place.repository(0)).await?;
        let image = docker(&["inspect", "--format", "{{.Config.Image}}", &desk.container().await?]).await?;
        let (mut ours, mut other) = (Series::default(), Series::default());
        for _ in 0..ROUNDS {
            ours.push_ms(one_task(desk, &mut talk, &place.repository(0)).await?.first_word);
            other.push_ms(place.by_hand(&image, &desk.anthropic.url()).await?);
        }
        Ok(Figures::of("task", "ms", &ours, &other).at_most(1.0))
    })
    .await
}

/// How long a task clones: a repository that was cloned before, against the same for the first time.
pub async fn second_clone() -> Result<Figures> {
    let place = Place::new(REPOSITORIES, MEGABYTES).await?;
    at_a_desk(place.wish(), async |desk| {
        let mut talk = Talk::open(desk).await?;
        let (mut ours, mut other) = (Series::default(), Series::default());
        for n in 0..REPOSITORIES {
            other.push_ms(one_task(desk, &mut talk, &place.repository(n)).await?.clone);
            ours.push_ms(one_task(desk, &mut talk, &place.repository(n)).await?.clone);
        }
        Ok(Figures::of("second-clone", "ms", &ours, &other).at_most(0.5))
    })
    .await
}

/// A git server with a forge over the same repositories, each of one commit.
struct Place {
    folder: tempfile::TempDir,
    git: GitServer,
    forge: Forge,
}

impl Place {
    async fn new(repositories: usize, megabytes: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for n in 0..repositories {
            let line = format!(
                "git init -q --bare -b main acme/r{n}.git; git init -q -b main seed; cd seed; head -c {megabytes}000000 /dev/urandom > noise
                 git add -A; git -c user.name=me -c user.email=me@example.com commit -qm one
                 git push -q ../acme/r{n}.git HEAD:main; cd ..; rm -rf seed"
            );
            run(Command::new("sh").args(["-ec", &line]).current_dir(folder.path())).await?;
        }
        let git = GitServer::start(folder.path(), PASSWORD).await?;
        let forge = Forge::start(folder.path(), TOKEN).await?;
        std::fs::write(folder.path().join("ca.pem"), &git.ca)?;
        Ok(Self { folder, git, forge })
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn host(&self) -> &str {
        self.git.url.trim_start_matches("https://")
    }

    fn repository(&self, n: usize) -> String {
        format!("{}/acme/r{n}", self.host())
    }

    fn wish(&self) -> Wish {
        let (host, api) = (self.host(), &self.forge.url);
        let config = format!(
            "[egress]\nallow = [\"{host} private\"]\n[tasks]\nkeep_hours = 0\n\
             forges = [\"{host} github api={api} command=echo {TOKEN}\"]\n"
        );
        Wish { config: config.into(), ca: Some(self.ca()), ..Wish::SANDBOX }
    }

    async fn by_hand(&self, image: &str, model: &str) -> Result<Duration> {
        let clone = tempfile::tempdir_in(self.folder.path())?;
        let started = Instant::now();
        let mut git = Command::new("git");
        git.args(["-c", &format!("http.extraHeader=Authorization: {PASSWORD}"), "clone", "-q"]);
        run(git.arg(format!("{}/acme/r0.git", self.git.url)).arg(clone.path()).env("GIT_SSL_CAINFO", self.ca()))
            .await?;
        let cloned = started.elapsed();
        open_to_all(clone.path())?;
        let (folder, model) =
            (format!("--volume={}:/workspace", clone.path().display()), format!("ANTHROPIC_BASE_URL={model}"));
        let mut agent = Command::new("docker");
        agent.args(["run", "--rm", "--network=host", "--user=agent", &folder, "--env", &model]);
        for set in [
            "HOME=/home/agent",
            &format!("ANTHROPIC_AUTH_TOKEN={KEY}"),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
            "DISABLE_AUTOUPDATER=1",
        ] {
            agent.args(["--env", set]);
        }
        agent.args(["--entrypoint=claude", image, "-p", WORDS]).args(SHOWN).stdin(Stdio::null());
        Ok(cloned + word_of(agent).await?)
    }
}

/// The agent's user is another than ours.
fn open_to_all(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))?)
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// How long one took.
struct Took {
    /// From the call that queues it.
    first_word: Duration,
    clone: Duration,
}

/// One whose agent only speaks; waits for its end, and for the next sandbox kept ready.
async fn one_task(desk: &Desk, talk: &mut Talk, repository: &str) -> Result<Took> {
    let mut door = desk.door().await?;
    talk.catch_up().await;
    let queued = Instant::now();
    let task = door.post("/api/tasks", &json!({ "repository": repository, "prompt": WORDS })).await?;
    let first_word = talk.word().await?.duration_since(queued);
    let path = format!("/api/tasks/{}", task["id"]);
    let over = loop {
        let task = door.get(&path).await?;
        if task["state"] == "failed" {
            break task;
        }
        ensure!(queued.elapsed() < READY, "a task did not end: {task}");
        sleep(Duration::from_millis(50)).await;
    };
    ensure!(over["error"]["code"] == "NOTHING_CHANGED", "it went another way: {over}");
    // The one of all sessions, and the one kept ready.
    while desk.containers().await?.len() != 2 {
        ensure!(queued.elapsed() < READY, "no sandbox was kept ready");
        sleep(Duration::from_millis(50)).await;
    }
    sleep(SETTLED).await;
    let began = |state: &str| {
        let steps = over["steps"].as_array().into_iter().flatten();
        steps.filter(|step| step["state"] == state).find_map(|step| step["at"].as_i64())
    };
    let (cloning, working) = (began("cloning").context("no clone")?, began("working").context("no work")?);
    Ok(Took { first_word, clone: Duration::from_millis(u64::try_from(working - cloning)?) })
}
