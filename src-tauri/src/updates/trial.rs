//! The first starts of a new version, watched by the version before it. It waits until that one has ended, starts the new one,
//! and puts the old one back where the new one dies twice before it is up. Where nothing was kept it only starts what is there.

use super::{kept, record::Record, replace};
use crate::native_status::UpdateProblem;
use domain::{Code, Problem};
use std::{
    ffi::OsString,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The first argument of a start that is for this only.
const ASKED: &str = "--watch-update";
/// What an AppImage sets for what it starts: another AppImage sets its own.
const OF_AN_APPIMAGE: [&str; 4] = ["APPIMAGE", "APPDIR", "ARGV0", "OWD"];
/// Starts that a new version has.
const STARTS: u32 = 2;
/// A version that lives this long without saying that it is up is left alone: somebody may be asked for a password.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const PACE: Duration = Duration::from_millis(50);

/// What is to be started, and where the record of the update is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    pub data: PathBuf,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It is up, or was told to end, or lives on.
    Well,
    Died,
}

impl Trial {
    /// If this start is for it. `arguments` without the program's own name.
    pub fn asked(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        arguments.next().filter(|first| first == ASKED)?;
        let (data, program) = (arguments.next()?.into(), arguments.next()?.into());
        Some(Self { data, program, arguments: arguments.collect() })
    }

    /// Begins as soon as this process has ended; called last in its life.
    ///
    /// # Errors
    /// If nothing could be started.
    pub fn begin(&self) -> io::Result<()> {
        let previous = replace::previous(&self.program);
        let watcher = if previous.is_file() { previous } else { self.program.clone() };
        let mut command = plain(&watcher);
        command.arg(ASKED).arg(&self.data).arg(&self.program).args(&self.arguments).stdin(Stdio::piped());
        let watching = command.spawn()?;
        // The system closes it when this process is gone: that is the sign.
        std::mem::forget(watching.stdin);
        Ok(())
    }

    /// The watcher's whole life.
    pub fn run(&self) -> ExitCode {
        let _the_version_before_has_ended = io::stdin().read_to_end(&mut Vec::new());
        match self.watch() {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => {
                eprintln!("Lanyard could not be started: {e}");
                ExitCode::FAILURE
            }
        }
    }

    fn watch(&self) -> io::Result<()> {
        let kept = Record::read(&self.data)
            .filter(|record| record.problem.is_none() && record.file.is_some() && !record.staged);
        let Some(record) = kept else { return self.start().map(|_| ()) };
        for _ in 0..STARTS {
            if self.start().is_ok_and(|child| self.end(child) == End::Well) {
                return Ok(());
            }
        }
        self.take_back(record)
    }

    fn start(&self) -> io::Result<Child> {
        plain(&self.program).args(&self.arguments).stdin(Stdio::null()).spawn()
    }

    fn end(&self, mut child: Child) -> End {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if Record::read(&self.data).is_none() {
                return End::Well;
            }
            match child.try_wait() {
                Ok(Some(status)) if died(status) => return End::Died,
                Ok(Some(_)) | Err(_) => return End::Well,
                Ok(None) => thread::sleep(PACE),
            }
        }
        End::Well
    }

    fn take_back(&self, record: Record) -> io::Result<()> {
        replace::put_back(&self.program)?;
        kept::put_back(&self.data)?;
        let message = format!("{} {} was to take its place.", Code::UpdateTakenBack.entry().sentence, record.to);
        let problem = Problem { message, ..Problem::from(Code::UpdateTakenBack) };
        Record { problem: Some(UpdateProblem::from(&problem)), ..record }.write(&self.data)?;
        self.start().map(|_| ())
    }
}

fn plain(program: &Path) -> Command {
    let mut command = Command::new(program);
    for name in OF_AN_APPIMAGE {
        command.env_remove(name);
    }
    command
}

/// Not what ended because it was told to: by its owner, or by a system that goes down.
#[cfg(unix)]
fn died(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const HUP_INT_TERM: [i32; 3] = [1, 2, 15];
    !status.success() && !status.signal().is_some_and(|signal| HUP_INT_TERM.contains(&signal))
}

#[cfg(not(unix))]
fn died(status: ExitStatus) -> bool {
    !status.success()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    struct World {
        folder: tempfile::TempDir,
        trial: Trial,
    }

    /// A program in a new version and the one before it, both shell scripts.
    fn world(new: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let starts = at("starts").display().to_string();
        let script = |name: &str, does: &str| {
            fs::write(at(name), format!("#!/bin/sh\necho {name} >> {starts}\n{does}\n")).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o755)).unwrap();
        };
        let record = Record::path(folder.path()).display().to_string();
        script("lanyard", &new.replace("ANSWER", &format!("rm {record}")));
        script("lanyard.previous", "true");
        fs::write(at("lanyard.db"), "new").unwrap();
        fs::write(at("lanyard.db.before-update"), "old").unwrap();
        Record { from: "0.1.0".into(), to: "0.2.0".into(), file: Some(at("lanyard")), problem: None, staged: false }
            .write(folder.path())
            .unwrap();
        let trial =
            Trial { data: folder.path().to_owned(), program: at("lanyard"), arguments: vec!["--minimized".into()] };
        World { folder, trial }
    }

    /// Which versions were started, in order.
    fn starts(world: &World, expected: &[&str]) {
        let file = world.folder.path().join("starts");
        let began = Instant::now();
        loop {
            let known = fs::read_to_string(&file).unwrap_or_default();
            if known.lines().eq(expected.iter().copied()) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{known}");
            thread::sleep(PACE);
        }
    }

    #[test]
    fn a_version_that_is_up_stays() {
        let world = world("ANSWER; sleep 1");
        world.trial.watch().unwrap();
        starts(&world, &["lanyard"]);
        assert!(replace::previous(&world.trial.program).exists());
    }

    #[test]
    fn one_that_dies_once_has_a_second_start() {
        let world = world("[ -e $0.tried ] && { ANSWER; exit 0; }; touch $0.tried; kill -SEGV $$");
        world.trial.watch().unwrap();
        starts(&world, &["lanyard", "lanyard"]);
    }

    #[test]
    fn one_that_dies_twice_is_taken_back_with_the_database_and_that_is_told() {
        let world = world("exit 101");
        world.trial.watch().unwrap();
        starts(&world, &["lanyard", "lanyard", "lanyard.previous"]);
        assert!(!replace::previous(&world.trial.program).exists());
        assert_eq!(fs::read(world.folder.path().join("lanyard.db")).unwrap(), b"old");
        let told = Record::read(world.folder.path()).unwrap().problem.unwrap();
        assert_eq!(told.code, "UPDATE_TAKEN_BACK");
        assert!(told.message.contains("0.2.0"), "{}", told.message);
    }

    #[test]
    fn one_that_was_told_to_end_did_not_die() {
        let world = world("kill -TERM $$");
        world.trial.watch().unwrap();
        starts(&world, &["lanyard"]);
    }

    #[test]
    fn what_cannot_even_be_started_is_taken_back() {
        let world = world("true");
        fs::write(&world.trial.program, [0x7f, b'E', b'L', b'F', 0]).unwrap();
        world.trial.watch().unwrap();
        starts(&world, &["lanyard.previous"]);
    }

    #[test]
    fn only_a_start_that_is_for_it_is_taken_so() {
        let words = |words: &[&str]| Trial::asked(words.iter().map(OsString::from));
        assert_eq!(words(&["--minimized"]), None);
        assert_eq!(words(&[ASKED, "/data"]), None);
        let arguments = vec!["--minimized".into()];
        assert_eq!(
            words(&[ASKED, "/d", "/p", "--minimized"]),
            Some(Trial { data: "/d".into(), program: "/p".into(), arguments })
        );
    }
}
