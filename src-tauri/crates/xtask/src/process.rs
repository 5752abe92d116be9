//! Other programs: run them loudly, quietly or just for their answer, and pass a stop on to them.

use crate::release::SECRETS;
use crate::show::Step;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

static STOPPING: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// The owner (or CI) asked for a stop. `main` turns it into exit code 130.
#[derive(Debug)]
pub struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

/// From now on a stop ends the running program first, so that everything held is dropped in order (an engine that
/// xtask started is stopped again). In a terminal Ctrl-C reaches the program by itself; told twice it might not end kindly.
#[cfg(unix)]
pub fn pass_stops_on() -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            STOPPING.store(true, Ordering::SeqCst);
            let told_by_terminal = signal == SIGINT && console::user_attended();
            if !told_by_terminal {
                let pids = RUNNING.lock().map(|pids| pids.clone()).unwrap_or_default();
                pids.into_iter().for_each(|pid| tell(pid, signal));
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
pub fn pass_stops_on() -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn tell(pid: u32, signal: i32) {
    let signal = rustix::process::Signal::from_named_raw(signal).unwrap_or(rustix::process::Signal::TERM);
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended meanwhile.
        rustix::process::kill_process(pid, signal).ok();
    }
}

pub fn stopping() -> Result<()> {
    if STOPPING.load(Ordering::SeqCst) { Err(Stopped.into()) } else { Ok(()) }
}

/// A stop sent to the whole group may end the program before it is known here.
#[cfg(unix)]
fn told_to_stop(status: ExitStatus) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        Some(SIGHUP | SIGINT | SIGTERM) => Err(Stopped.into()),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn told_to_stop(_: ExitStatus) -> Result<()> {
    Ok(())
}

/// Runs with our own input and output. The exit code; one that a signal ended counts as 1.
pub fn code(command: &mut Command) -> Result<i32> {
    stopping()?;
    let mut running = Running::start(command)?;
    let status = running.child.wait()?;
    told_to_stop(status)?;
    Ok(status.code().unwrap_or(1))
}

/// [`code`], where anything but 0 is an error.
pub fn loud(command: &mut Command) -> Result<()> {
    match code(command)? {
        0 => Ok(()),
        failed => {
            stopping()?;
            bail!("{} ended with exit code {failed}", shown(command))
        }
    }
}

/// Runs with its output in a log and its last line in the step's display. On failure the error holds the log's end.
pub fn quiet(command: &mut Command, step: &Step, log: &Path) -> Result<()> {
    stopping()?;
    let mut file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let (reader, writer) = std::io::pipe()?;
    let mut running = Running::start(command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer))?;
    // The command holds the writing end open until it is given something else.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut end = End::default();
    let lines = lines_of(reader);
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                file.write_all(&line)?;
                file.write_all(b"\n")?;
                let line = String::from_utf8_lossy(&line);
                step.say(&line);
                end.push(&line);
            }
            // A service that an installation started may hold the pipe open for ever: the program's own end counts.
            Err(RecvTimeoutError::Timeout) if running.child.try_wait()?.is_none() => {}
            Err(_) => break,
        }
    }
    let status = running.child.wait()?;
    stopping()?;
    told_to_stop(status)?;
    if !status.success() {
        bail!("{} failed ({status}). Its last words, whole in {}:\n{}", shown(command), log.display(), end.text());
    }
    Ok(())
}

fn lines_of(reader: std::io::PipeReader) -> mpsc::Receiver<Vec<u8>> {
    // Bounded, so that a program that writes faster than a disk is slowed and not kept in memory.
    let (sender, lines) = mpsc::sync_channel(1024);
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(|line| line.ok()) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// What a program says on standard output, or nothing: it is missing, it failed, or it took longer than `limit`.
pub fn answer(command: &mut Command, limit: Duration) -> Option<String> {
    outcome(command, limit).filter(|outcome| outcome.success).map(|outcome| outcome.out.trim().to_owned())
}

/// How a program ended and all it said.
pub struct Outcome {
    pub success: bool,
    pub out: String,
    pub err: String,
}

/// Nothing if it is missing or took longer than `limit`.
pub fn outcome(command: &mut Command, limit: Duration) -> Option<Outcome> {
    let mut running =
        Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())).ok()?;
    let out = text_of(running.child.stdout.take()?);
    let err = text_of(running.child.stderr.take()?);
    let status = wait_at_most(&mut running.child, limit)?;
    Some(Outcome { success: status.success(), out: out.join().ok()?, err: err.join().ok()? })
}

/// All a program says on standard output, however long it takes. Where its errors go is the caller's choice.
pub fn said(command: &mut Command) -> Result<String> {
    stopping()?;
    let mut running = Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let out = running.child.stdout.take().map(text_of);
    let status = running.child.wait()?;
    stopping()?;
    told_to_stop(status)?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(out.and_then(|out| out.join().ok()).unwrap_or_default())
}

fn text_of(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has said what it had to say.
        pipe.read_to_end(&mut bytes).ok();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Asks a program to end, and ends it where it has not within `limit`.
pub fn end(child: &mut Child, limit: Duration) {
    #[cfg(unix)]
    tell(child.id(), signal_hook::consts::SIGTERM);
    if wait_at_most(child, limit).is_none() {
        child.kill().ok();
        child.wait().ok();
    }
}

fn wait_at_most(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Is there such a program?
pub fn found(name: &str) -> bool {
    path_of(name).is_some()
}

/// Where a program is that a shell would start by this name.
pub fn path_of(name: &str) -> Option<PathBuf> {
    let names = [name.to_owned(), format!("{name}.exe")];
    std::env::split_paths(&std::env::var_os("PATH")?)
        .flat_map(|folder| names.each_ref().map(|name| folder.join(name)))
        .find(|path| path.is_file())
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// A program has only those of our secrets that it was given by name.
fn keep_secrets_from(command: &mut Command) {
    for name in SECRETS {
        if !command.get_envs().any(|(given, _)| given == name) {
            command.env_remove(name);
        }
    }
}

/// A child that is told of a stop while it lives, and ended when nobody waits for it any more.
struct Running {
    child: Child,
}

impl Running {
    fn start(command: &mut Command) -> Result<Running> {
        keep_secrets_from(command);
        let child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
        if let Ok(mut pids) = RUNNING.lock() {
            pids.push(child.id());
        }
        Ok(Running { child })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
        if let Ok(mut pids) = RUNNING.lock() {
            pids.retain(|pid| *pid != self.child.id());
        }
    }
}

/// The last lines of a log: as many as a screen shows.
#[derive(Default)]
struct End(std::collections::VecDeque<String>);

impl End {
    const LINES: usize = 25;

    fn push(&mut self, line: &str) {
        if self.0.len() == Self::LINES {
            self.0.pop_front();
        }
        self.0.push_back(format!("    {line}"));
    }

    fn text(self) -> String {
        Vec::from(self.0).join("\n")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_or_hangs_has_no_answer() {
        assert_eq!(
            answer(Command::new("sh").args(["-c", "echo yes"]), Duration::from_secs(10)).as_deref(),
            Some("yes")
        );
        assert_eq!(answer(Command::new("sh").args(["-c", "echo yes; exit 3"]), Duration::from_secs(10)), None);
        assert_eq!(answer(Command::new("sh").args(["-c", "exec sleep 60"]), Duration::from_millis(50)), None);
        assert_eq!(answer(&mut Command::new("no-such-program-here"), Duration::from_secs(1)), None);
    }

    #[test]
    fn a_failed_step_shows_the_end_of_its_log() {
        let log = std::env::temp_dir().join(format!("lanyard-xtask-log-{}", std::process::id()));
        let error = quiet(Command::new("sh").args(["-c", "seq 100; exit 4"]), &Step::begin("Counting"), &log)
            .unwrap_err()
            .to_string();
        assert!(error.contains("    100") && error.contains("    76") && !error.contains("    75\n"), "{error}");
        assert!(std::fs::read_to_string(&log).unwrap().starts_with("1\n2\n"));
        std::fs::remove_file(log).unwrap();
    }

    /// Begins itself again with a secret in its environment, and shows what a program that it starts has of it.
    #[test]
    fn a_program_has_the_signing_key_only_where_it_was_given_it() {
        const SHOWN: &str = "echo shown=${TAURI_SIGNING_PRIVATE_KEY-none}";
        if std::env::var_os(SECRETS[0]).is_some() {
            println!("{}", said(Command::new("sh").args(["-c", SHOWN])).unwrap());
            println!("{}", said(Command::new("sh").args(["-c", SHOWN]).env(SECRETS[0], "given")).unwrap());
            return;
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "process::tests::a_program_has_the_signing_key_only_where_it_was_given_it"]);
        let again = again.args(["--nocapture"]).env(SECRETS[0], "secret").output().unwrap();
        let shown = String::from_utf8(again.stdout).unwrap();
        assert!(
            shown.contains("shown=none") && shown.contains("shown=given") && !shown.contains("secret\n"),
            "{shown}"
        );
    }

    #[test]
    fn a_program_that_a_stop_ended_did_not_fail() {
        let error = loud(Command::new("sh").args(["-c", "kill -TERM $$"])).unwrap_err();
        assert!(error.is::<Stopped>(), "{error}");
    }

    #[test]
    fn the_exit_code_passes_through() {
        assert_eq!(code(Command::new("sh").args(["-c", "exit 7"])).unwrap(), 7);
    }
}
