//! A package of the system's, put in place by its package manager. `pkexec` asks a person for the right to that; where nobody
//! gives it, the question goes away again.

use super::{installation, problems};
use domain::{Code, Problem};
use std::{
    fs,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Who wants the update sits here and types a password. Who left while it waited for a turn is not to find Lanyard stopped.
const ALLOWED_WITHIN: Duration = Duration::from_secs(3 * 60);
/// The package manager has so long after that; then it is left to itself.
const DONE_WITHIN: Duration = Duration::from_secs(15 * 60);
/// Between two looks.
const PACE: Duration = Duration::from_millis(100);
/// What `pkexec` says of itself: it was turned away, or could not ask.
const NOT_ALLOWED: [i32; 2] = [126, 127];

/// Lays it into `data` for as long as that takes.
///
/// # Errors
/// `UPDATE_NOT_ALLOWED`, `UPDATE_NOT_INSTALLED`; then what is installed is as it was.
pub fn install(package: &[u8], data: &Path) -> Result<(), Problem> {
    let (manager, how, ending) =
        if installation::is_deb(package) { ("dpkg", "-i", "deb") } else { ("rpm", "-U", "rpm") };
    let file = data.join(format!("update.{ending}"));
    let installed = fs::write(&file, package).map_err(|e| problems::not_written(&e)).and_then(|()| {
        let mut asks = Command::new("pkexec");
        asks.arg(manager).arg(how).arg(&file);
        run(asks, ALLOWED_WITHIN)
    });
    let _never_written = fs::remove_file(&file);
    installed
}

fn run(mut asks: Command, within: Duration) -> Result<(), Problem> {
    let mut asking = asks.stdin(Stdio::null()).spawn().map_err(|e| Problem::with_detail(Code::UpdateNotAllowed, e))?;
    let began = Instant::now();
    while began.elapsed() < within + DONE_WITHIN {
        if let Some(status) = asking.try_wait().map_err(|e| problems::not_written(&e))? {
            return ended(status);
        }
        // As soon as the right is given it is root's, whom nobody else can end: nothing is cut off half-way.
        if began.elapsed() >= within && asking.kill().is_ok() {
            let _it_was_ended = asking.wait();
            return Err(Problem::with_detail(Code::UpdateNotAllowed, "Nobody gave the password in time."));
        }
        thread::sleep(PACE);
    }
    Err(Problem::with_detail(Code::UpdateNotInstalled, "The package manager comes to no end."))
}

fn ended(status: ExitStatus) -> Result<(), Problem> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) if NOT_ALLOWED.contains(&code) => Err(Code::UpdateNotAllowed.into()),
        _ => Err(Problem::with_detail(Code::UpdateNotInstalled, format!("The package manager ended with {status}."))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, within: Duration) -> Result<(), Problem> {
        let mut sh = Command::new("sh");
        sh.args(["-c", script]);
        run(sh, within)
    }

    #[test]
    fn a_password_that_nobody_gives_is_not_waited_for() {
        let began = Instant::now();
        let problem = sh("exec sleep 600", PACE).unwrap_err();
        assert_eq!(problem.code, Code::UpdateNotAllowed);
        assert!(problem.message.contains("in time") && began.elapsed() < ALLOWED_WITHIN, "{problem:?}");
    }

    #[test]
    fn how_it_ended_is_told_apart() {
        let ends = |script: &str| sh(script, ALLOWED_WITHIN).map_err(|problem| problem.code);
        assert_eq!(ends("exit 0"), Ok(()));
        assert_eq!(ends("exit 126"), Err(Code::UpdateNotAllowed));
        assert_eq!(ends("exit 127"), Err(Code::UpdateNotAllowed));
        assert_eq!(ends("exit 2"), Err(Code::UpdateNotInstalled));
        let none = run(Command::new("/nowhere/pkexec"), ALLOWED_WITHIN).unwrap_err();
        assert_eq!(none.code, Code::UpdateNotAllowed);
    }
}
