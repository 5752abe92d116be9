//! Ends all processes that carry a mark in their environment, from inside the sandbox and as their own user.
//!
//! A tool that left its session (`nohup setsid …`) is found, for the mark is inherited. A process that was started with
//! an emptied environment is not found; it lives until its container is stopped.

use std::fmt;

/// The environment variable that holds the mark.
pub const MARK_VARIABLE: &str = "LANYARD_PROCESS";
/// Instead of a mark: whatever carries any mark, except where [`KEEP_VARIABLE`] is set.
pub const ALL: &str = "all";
/// On processes that outlive the program that started them, such as the owner's terminals.
pub const KEEP_VARIABLE: &str = "LANYARD_KEEP";

/// What it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Processes that were killed.
    pub killed: u32,
    /// All left by themselves after the interrupt.
    pub interrupted: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "killed={} interrupted={}", self.killed, self.interrupted)
    }
}

impl Report {
    /// Reads what [`Report`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        let (killed, interrupted) = text.trim().strip_prefix("killed=")?.split_once(" interrupted=")?;
        Some(Self { killed: killed.parse().ok()?, interrupted: interrupted.parse().ok()? })
    }
}

#[cfg(target_os = "linux")]
pub use sweep::end;
#[cfg(target_os = "linux")]
pub(crate) use sweep::{kill, marked};

#[cfg(target_os = "linux")]
mod sweep {
    use super::{ALL, KEEP_VARIABLE, MARK_VARIABLE, Report};
    use rustix::process::{Pid, Signal, kill_process};
    use std::{
        collections::BTreeSet,
        fs, io,
        thread::sleep,
        time::{Duration, Instant},
    };

    /// Claude Code 2.1.329 leaves within 0.2 s of SIGINT and takes its tools along.
    const GRACE: Duration = Duration::from_secs(2);
    const SWEEP: Duration = Duration::from_secs(5);
    const PAUSE: Duration = Duration::from_millis(10);

    /// Interrupts `pid` if it carries the mark and waits a little, then kills whatever carries the mark until nothing does.
    /// Fails with [`io::ErrorKind::TimedOut`] when something would not die.
    pub fn end(mark: &str, pid: Option<i32>) -> io::Result<Report> {
        let interrupted = interrupt(mark, pid)?;
        let mut killed = BTreeSet::new();
        let last = Instant::now() + SWEEP;
        loop {
            let found = marked(mark)?;
            if found.is_empty() {
                let killed = u32::try_from(killed.len()).unwrap_or(u32::MAX);
                return Ok(Report { killed, interrupted: interrupted && killed == 0 });
            }
            if Instant::now() > last {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{} processes will not die", found.len())));
            }
            // Stopped first, so that none forks while the others die.
            found.iter().for_each(|pid| signal(*pid, Signal::STOP));
            found.iter().for_each(|pid| kill(*pid));
            killed.extend(found);
            sleep(PAUSE);
        }
    }

    /// Whether the process was there to be interrupted. Its number may be another's by now, so the mark is checked.
    fn interrupt(mark: &str, pid: Option<i32>) -> io::Result<bool> {
        let Some(pid) = pid.filter(|pid| carries(*pid, mark)) else { return Ok(false) };
        signal(pid, Signal::INT);
        let last = Instant::now() + GRACE;
        while Instant::now() < last && !marked(mark)?.is_empty() {
            sleep(PAUSE);
        }
        Ok(true)
    }

    pub(crate) fn kill(pid: i32) {
        signal(pid, Signal::KILL);
    }

    /// A process that is gone already, or is not ours, is none of this sweep's.
    fn signal(pid: i32, signal: Signal) {
        if let Some(pid) = Pid::from_raw(pid) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Whoever carries the mark now.
    pub(crate) fn marked(mark: &str) -> io::Result<Vec<i32>> {
        let numbers = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(numbers.filter(|pid| carries(*pid, mark)).collect())
    }

    /// False for a zombie (its environment is empty) and for the processes of others.
    fn carries(pid: i32, mark: &str) -> bool {
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
        let value = |name: &str| {
            let entries = environment.split(|byte| *byte == 0);
            entries.filter_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")).next()
        };
        match (value(MARK_VARIABLE), value(KEEP_VARIABLE)) {
            (Some(_), None) if mark == ALL => true,
            (Some(found), _) => found == mark.as_bytes(),
            (None, _) => false,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::process::{Child, Command, Stdio};

        fn shell(mark: &str, script: &str) -> Child {
            let mut command = Command::new("sh");
            command.args(["-c", script]).env(MARK_VARIABLE, mark).stdout(Stdio::null());
            command.spawn().unwrap()
        }

        fn until(what: impl Fn() -> bool) {
            let last = Instant::now() + Duration::from_secs(10);
            while !what() {
                assert!(Instant::now() < last, "not in ten seconds");
                sleep(PAUSE);
            }
        }

        /// Reaps the child meanwhile, as the sandbox's first process does.
        fn end_reaping(mark: &str, pid: Option<i32>, mut child: Child) -> Report {
            let reaper = std::thread::spawn(move || child.wait().unwrap());
            let report = end(mark, pid).unwrap();
            reaper.join().unwrap();
            report
        }

        #[test]
        fn children_that_left_the_session_are_killed_and_others_are_not() {
            let (mark, other) = (uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string());
            let child = shell(&mark, "setsid sleep 60 & nohup setsid sh -c 'sleep 60; true' & wait");
            let mut stranger = shell(&other, "exec sleep 60");
            until(|| marked(&mark).unwrap().len() >= 4);
            assert!(end_reaping(&mark, None, child).killed >= 4);
            assert!(stranger.try_wait().unwrap().is_none());
            stranger.kill().unwrap();
            stranger.wait().unwrap();
        }

        #[test]
        fn a_process_that_heeds_the_interrupt_is_not_killed() {
            let mark = uuid::Uuid::new_v4().to_string();
            let child = shell(&mark, "trap 'kill $!; exit 0' INT; sleep 60 & wait");
            until(|| marked(&mark).unwrap().len() == 2);
            let pid = i32::try_from(child.id()).unwrap();
            let report = end_reaping(&mark, Some(pid), child);
            assert_eq!(report, Report { killed: 0, interrupted: true });
        }

        #[test]
        fn a_foreign_pid_is_not_interrupted() {
            let mark = uuid::Uuid::new_v4().to_string();
            let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
            let pid = i32::try_from(stranger.id()).unwrap();
            assert_eq!(end(&mark, Some(pid)).unwrap(), Report { killed: 0, interrupted: false });
            assert!(stranger.try_wait().unwrap().is_none());
            stranger.kill().unwrap();
            stranger.wait().unwrap();
        }

        #[test]
        fn a_report_is_read_as_it_was_printed() {
            let report = Report { killed: 3, interrupted: false };
            assert_eq!(Report::parse(&report.to_string()), Some(report));
            assert_eq!(Report::parse("bash: lanyard-relay: not found"), None);
        }
    }
}
