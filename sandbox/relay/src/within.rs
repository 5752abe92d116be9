//! Runs a program within limits of its own and of all that it starts, from inside the sandbox and as their own user.
//!
//! The container's limits hold for all sessions together: without these one session's build could take what another works
//! with. What is over a limit is ended, and why is said on standard error, in a line that begins with [`ENDED`] or [`LOW`].

#[cfg(target_os = "linux")]
mod between;

use std::fmt;

/// This program, where the image has it: the agent may have another of its name in a folder of its own.
const PROGRAM: &str = "/usr/local/bin/lanyard-relay";
/// Begins the line that says what was ended and why.
pub const ENDED: &str = "Over its limit: ";
/// Begins it where the program itself was ended.
pub const ITSELF: &str = "Over its limit: the agent itself";
/// Begins the line that says that the disk is nearly full.
pub const LOW: &str = "The sandbox's disk is nearly full: ";

/// How much a program may use, together with what it starts. 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory of their own, in all processes together. The largest that is not the program itself is ended first.
    pub memory: u64,
    /// Seconds of processor time of any one process that it starts; not of itself, for it lives long.
    pub cpu: u64,
    /// Bytes of any one file: the kernel refuses to write more.
    pub file: u64,
    /// Free bytes of the working folder's disk under which it is said.
    pub free: u64,
}

impl Limits {
    /// The command line that runs `argv` within these limits.
    pub fn around(&self, argv: Vec<String>) -> Vec<String> {
        let limits = [self.memory, self.cpu, self.file, self.free].map(|n| n.to_string());
        let own = [PROGRAM, "within"].map(str::to_owned);
        own.into_iter().chain(limits).chain(["--".to_owned()]).chain(argv).collect()
    }

    /// Reads what [`Limits::around`] writes.
    pub fn parse<'a>(arguments: &'a [&'a str]) -> Option<(Self, &'a [&'a str])> {
        let [memory, cpu, file, free, "--", argv @ ..] = arguments else { return None };
        let number = |text: &str| text.parse().ok();
        let limits = Self { memory: number(memory)?, cpu: number(cpu)?, file: number(file)?, free: number(free)? };
        (!argv.is_empty()).then_some((limits, argv))
    }
}

/// Bytes as people write them.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1_000_000_000 => write!(f, "{:.1} GB", n as f64 / 1e9),
            n => write!(f, "{} MB", n / 1_000_000),
        }
    }
}

#[cfg(target_os = "linux")]
pub use watch::run;

#[cfg(target_os = "linux")]
mod watch {
    use super::{
        Bytes, ENDED, ITSELF, LOW, Limits,
        between::{self, Output},
    };
    use crate::end::{MARK_VARIABLE, kill, marked};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::{fs, io, os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};
    use tokio::{process::Command, time};

    /// Between two looks. The kernel's own limit stops what eats the sandbox's memory faster than this.
    const LOOK: Duration = Duration::from_secs(1);

    /// Runs the program to its end: its exit code, 128 and the signal's number where a signal ended it,
    /// 126 or 127 where it could not be started.
    pub async fn run(limits: Limits, argv: &[&str]) -> io::Result<i32> {
        hold_files(limits.file)?;
        between::hide()?;
        let [program, arguments @ ..] = argv else { return Err(io::ErrorKind::InvalidInput.into()) };
        let (output, stdout) = Output::take_over()?;
        let started = Command::new(program).args(arguments).stdin(between::input()?).stdout(stdout).spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(e) => {
                eprintln!("{program} could not be started: {e}");
                return Ok(if e.kind() == io::ErrorKind::NotFound { 127 } else { 126 });
            }
        };
        let mark = std::env::var(MARK_VARIABLE).unwrap_or_default();
        let own = child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0);
        let mut watch = Watch { limits, mark, own, said_low: false };
        let mut looks = time::interval(LOOK);
        loop {
            tokio::select! {
                ended = child.wait() => {
                    output.settle().await;
                    return Ok(code(ended?));
                }
                _ = looks.tick() => watch.look(),
            }
        }
    }

    fn code(status: ExitStatus) -> i32 {
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }

    /// What is started from now on writes no larger file.
    fn hold_files(most: u64) -> io::Result<()> {
        let held = getrlimit(Resource::Fsize);
        match most {
            0 => Ok(()),
            most if held.maximum.is_some_and(|maximum| maximum < most) => Ok(()),
            most => Ok(setrlimit(Resource::Fsize, Rlimit { current: Some(most), maximum: Some(most) })?),
        }
    }

    struct Watch {
        limits: Limits,
        mark: String,
        /// The program itself.
        own: i32,
        said_low: bool,
    }

    /// One process, as `/proc` tells of it.
    struct Seen {
        pid: i32,
        name: String,
        /// Bytes that no file stands behind.
        memory: u64,
        /// Seconds.
        cpu: u64,
    }

    impl Watch {
        fn look(&mut self) {
            let watcher = i32::try_from(std::process::id()).unwrap_or(0);
            let pids = marked(&self.mark).unwrap_or_default();
            let mut seen: Vec<Seen> = pids.into_iter().filter(|pid| *pid != watcher).filter_map(seen).collect();
            self.end_what_works_too_long(&mut seen);
            self.end_what_takes_too_much(seen);
            self.tell_of_the_disk();
        }

        fn end_what_works_too_long(&self, seen: &mut Vec<Seen>) {
            let most = self.limits.cpu;
            seen.retain(|process| {
                let over = most > 0 && process.pid != self.own && process.cpu > most;
                if over {
                    kill(process.pid);
                    let minutes = most.div_ceil(60);
                    eprintln!(
                        "{ENDED}{} took {minutes} min of processor time, the most that one command may.",
                        process.name
                    );
                }
                !over
            });
        }

        fn end_what_takes_too_much(&self, mut seen: Vec<Seen>) {
            let most = self.limits.memory;
            let mut used: u64 = seen.iter().map(|process| process.memory).sum();
            if most == 0 || used <= most {
                return;
            }
            // Forked processes share pages until they write to them, and were counted as if they did not.
            for process in &mut seen {
                process.memory = share(process.pid).unwrap_or(process.memory);
            }
            used = seen.iter().map(|process| process.memory).sum();
            seen.sort_by_key(|process| (process.pid == self.own, std::cmp::Reverse(process.memory)));
            for process in seen {
                if used <= most {
                    return;
                }
                kill(process.pid);
                let (all, most) = (Bytes(used), Bytes(most));
                let who = if process.pid == self.own { ITSELF.to_owned() } else { format!("{ENDED}{}", process.name) };
                eprintln!("{who} was ended, for this session used {all} of memory and may use {most}.");
                used -= process.memory;
            }
        }

        /// Once, until there is room again.
        fn tell_of_the_disk(&mut self) {
            let Ok(disk) = rustix::fs::statvfs(".") else { return };
            let free = disk.f_bavail * disk.f_frsize;
            let low = free < self.limits.free;
            if low && !self.said_low {
                eprintln!("{LOW}{} are left. Remove what is not needed.", Bytes(free));
            }
            self.said_low = low;
        }
    }

    /// None: it is gone.
    fn seen(pid: i32) -> Option<Seen> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let kib = |name: &str| field(name)?.trim_end_matches(" kB").parse::<u64>().ok();
        let memory = (kib("RssAnon:")? + kib("RssShmem:").unwrap_or(0)) * 1024;
        Some(Seen { pid, name: field("Name:")?.to_owned(), memory, cpu: cpu(pid)? })
    }

    /// `utime` and `stime`, fields 14 and 15 of `/proc/PID/stat`; the name before them may hold anything.
    fn cpu(pid: i32) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
        Some(ticks / rustix::param::clock_ticks_per_second())
    }

    /// Its memory, where pages that several have count in parts.
    fn share(pid: i32) -> Option<u64> {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let kib = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        Some((kib("Pss_Anon:")? + kib("Pss_Shmem:").unwrap_or(0)) * 1024)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_process_is_seen_as_it_is() {
            let own = seen(i32::try_from(std::process::id()).unwrap()).unwrap();
            assert!(own.memory > 100_000 && own.cpu < 1000, "{} {}", own.memory, own.cpu);
            assert!(share(own.pid).unwrap() > 100_000);
            assert!(seen(i32::MAX).is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_were_written() {
        let limits = Limits { memory: 1, cpu: 2, file: 3, free: 4 };
        let argv = limits.around(vec!["claude".into(), "--".into()]);
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        assert_eq!(argv[..2], [PROGRAM, "within"]);
        assert_eq!(Limits::parse(&argv[2..]), Some((limits, &argv[7..])));
        assert_eq!(Limits::parse(&["1", "2", "3", "4", "--"]), None);
        assert_eq!(Limits::parse(&["1", "2", "3", "x", "--", "claude"]), None);
    }

    #[test]
    fn bytes_are_written_as_people_do() {
        assert_eq!(Bytes(3_221_225_472).to_string(), "3.2 GB");
        assert_eq!(Bytes(400_000_000).to_string(), "400 MB");
    }
}
