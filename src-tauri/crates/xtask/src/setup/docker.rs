//! The Docker engine: the one that answers, or on an unattended Debian one that is started here and stopped again.

use super::system::{System, Tool};
use crate::place::Place;
use crate::process::{self, found};
use crate::show::Step;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A busy engine answers within this time.
const ANSWER: Duration = Duration::from_secs(20);
/// A cold start of dockerd 20.10 takes 2 to 4 s on two cores.
const START: Duration = Duration::from_secs(60);
/// dockerd gives its containers 10 s to end.
const STOP: Duration = Duration::from_secs(30);

/// What the engine says when asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its version.
    Running(String),
    /// There is one, but not for this user.
    Forbidden,
    Silent,
}

/// Asks the engine that `DOCKER_HOST` names, or the usual one.
pub fn ask() -> Answer {
    let asked = process::outcome(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]), ANSWER);
    asked.map_or(Answer::Silent, |asked| read_answer(asked.success, &asked.out, &asked.err))
}

fn read_answer(success: bool, out: &str, err: &str) -> Answer {
    match (success, out.trim()) {
        (true, version) if !version.is_empty() => Answer::Running(version.to_owned()),
        _ if err.contains("permission denied") => Answer::Forbidden,
        _ => Answer::Silent,
    }
}

/// May xtask start an engine itself? Only where nobody is there to be asked and the machine is its own to use.
pub fn may_start(system: System, unattended: bool) -> bool {
    unattended && matches!(system, System::Debian | System::Ubuntu) && super::is_root()
}

/// Why there is no engine and what the owner does about it.
pub fn advice(answer: &Answer, system: System) -> String {
    match (answer, system) {
        (Answer::Forbidden, _) => {
            "A Docker engine is there, but not for this user.\nAdd yourself to its group (sudo usermod -aG docker $USER), log out and in, and start again.".into()
        }
        (_, System::MacOs | System::Windows) if found("docker") => "No Docker engine answers. Start Docker Desktop, wait until it says it is running, and start again.".into(),
        (_, System::MacOs | System::Windows) => format!("There is no Docker engine. Install it with: {}", Tool::Engine.advice(system)),
        _ if found("dockerd") => "No Docker engine answers. Start it (sudo systemctl start docker) and start again.".into(),
        _ => format!("There is no Docker engine. Install it with: {}", Tool::Engine.advice(system)),
    }
}

/// An engine that answers. One started here ends with this value.
pub struct Engine {
    started: Option<Child>,
}

impl Engine {
    pub fn already_running() -> Engine {
        Engine { started: None }
    }

    /// Starts `dockerd` on its own, away from the terminal's Ctrl-C, its log in the cache.
    pub fn start(place: &Place) -> Result<Engine> {
        let step = Step::begin("Docker engine");
        let log = place.log("dockerd")?;
        let output = File::create(&log)?;
        let mut command = Command::new("dockerd");
        command.args(arguments(
            std::env::var("DOCKER_HOST").ok().as_deref(),
            std::env::var("LANYARD_DOCKERD_ARGS").ok().as_deref(),
        ));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        detach(&mut command);
        let child = command.spawn().context("cannot start dockerd")?;
        let mut engine = Engine { started: Some(child) };
        engine.wait_until_it_answers(&step).with_context(|| {
            format!("the Docker engine did not start; its log is {}{}", log.display(), reason(&log))
        })?;
        step.done("started, and stopped again at the end");
        Ok(engine)
    }

    fn wait_until_it_answers(&mut self, step: &Step) -> Result<()> {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            process::stopping()?;
            if matches!(ask(), Answer::Running(_)) {
                return Ok(());
            }
            if let Some(status) = self.started.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("dockerd ended at once ({status})");
            }
            step.say("starting");
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("dockerd did not answer within {} s", START.as_secs())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(child) = self.started.as_mut() else { return };
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        let step = Step::begin("Docker engine");
        process::end(child, STOP);
        step.done("stopped");
    }
}

/// The engine's own last words, which say what it lacks.
fn reason(log: &Path) -> String {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    said.lines().last().map_or(String::new(), |line| format!(" and ends with:\n    {line}"))
}

/// What a private engine is started with: the socket that `DOCKER_HOST` names, and whatever else its owner wants.
fn arguments(host: Option<&str>, more: Option<&str>) -> Vec<String> {
    let socket = host.filter(|host| host.starts_with("unix://")).map(|host| format!("--host={host}"));
    socket.into_iter().chain(more.unwrap_or_default().split_whitespace().map(str::to_owned)).collect()
}

#[cfg(unix)]
fn detach(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn detach(_: &mut Command) {}

/// Is this image in the engine? With a label, only if the label has this value.
pub fn has_image(tag: &str, label: Option<(&str, &str)>) -> bool {
    let format = label.map_or("{{.Id}}".to_owned(), |(name, _)| format!("{{{{index .Config.Labels {name:?}}}}}"));
    let said = process::answer(Command::new("docker").args(["image", "inspect", "--format", &format, tag]), ANSWER);
    said.is_some_and(|said| label.is_none_or(|(_, value)| said == value))
}

/// The engine's own name for an image.
pub fn image_id(tag: &str) -> Option<String> {
    process::answer(Command::new("docker").args(["image", "inspect", "--format", "{{.Id}}", tag]), ANSWER)
}

/// Gives an image one more name.
pub fn name_image(tag: &str, also: &str) -> bool {
    process::answer(Command::new("docker").args(["tag", tag, also]), ANSWER).is_some()
}

/// Fetches an image, if a registry has it and answers within `limit`.
pub fn pull(tag: &str, limit: Duration) -> bool {
    process::answer(Command::new("docker").args(["pull", "--quiet", tag]), limit).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_refuses_this_user_is_not_a_missing_one() {
        assert_eq!(read_answer(true, "20.10.24\n", ""), Answer::Running("20.10.24".into()));
        assert_eq!(
            read_answer(false, "\n", "permission denied while trying to connect to the Docker daemon socket"),
            Answer::Forbidden
        );
        assert_eq!(
            read_answer(false, "", "Cannot connect to the Docker daemon. Is the docker daemon running?"),
            Answer::Silent
        );
        assert_eq!(read_answer(true, "", ""), Answer::Silent);
    }

    #[test]
    fn a_private_engine_listens_where_docker_host_says() {
        assert_eq!(arguments(None, None), Vec::<String>::new());
        assert_eq!(arguments(Some("tcp://far:2376"), None), Vec::<String>::new());
        assert_eq!(
            arguments(Some("unix:///tmp/e.sock"), Some("--bridge=none  --debug")),
            ["--host=unix:///tmp/e.sock", "--bridge=none", "--debug"]
        );
    }

    #[test]
    fn each_missing_engine_has_its_own_way_forward() {
        assert!(advice(&Answer::Forbidden, System::Debian).contains("usermod"));
        assert!(advice(&Answer::Silent, System::MacOs).contains("Docker Desktop"));
    }
}
