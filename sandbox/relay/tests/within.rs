//! The program runs others within limits: real processes, ended for real.
#![cfg(target_os = "linux")]

use relay::{end::MARK_VARIABLE, within::Limits};
use std::{
    io::Write,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Longer than any of these programs may live.
const SOON: Duration = Duration::from_secs(30);

fn within(limits: Limits, folder: &std::path::Path, argv: &[&str]) -> Output {
    let line = limits.around(argv.iter().map(|&word| word.to_owned()).collect());
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard-relay"));
    command.args(&line[1..]).env(MARK_VARIABLE, uuid::Uuid::new_v4().to_string()).current_dir(folder);
    let began = Instant::now();
    let output = command.output().unwrap();
    assert!(began.elapsed() < SOON, "nothing was ended");
    output
}

fn sh(limits: Limits, script: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = within(limits, folder.path(), &["sh", "-c", script]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_takes_too_much_memory_is_ended_and_the_rest_goes_on() {
    let limits = Limits { memory: 100_000_000, ..Limits::default() };
    let (code, said, why) = sh(limits, "head -c 310000000 /dev/zero | tail -c 300000000 | sleep 5; echo on; exit 7");
    assert_eq!((code, said.as_str()), (Some(7), "on\n"), "{why}");
    assert!(why.starts_with("Over its limit: tail was ended, for this session used "), "{why}");
    assert!(why.contains("of memory and may use 100 MB."), "{why}");
}

#[test]
fn what_is_too_large_by_itself_is_ended_as_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { memory: 100_000_000, ..Limits::default() };
    // Its one buffer, for as long as it is let.
    let dd = ["dd", "if=/dev/zero", "of=/dev/null", "bs=300M", "count=1000000"];
    let output = within(limits, folder.path(), &dd);
    assert_eq!(output.status.code(), Some(137), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("Over its limit: the agent itself was ended"));
}

#[test]
fn a_command_that_works_too_long_is_ended_and_the_program_itself_may() {
    let limits = Limits { cpu: 1, ..Limits::default() };
    let (code, said, why) = sh(limits, "yes >/dev/null; echo on");
    assert_eq!((code, said.as_str()), (Some(0), "on\n"));
    assert!(
        why.starts_with("Over its limit: yes took 1 min of processor time, the most that one command may.\n"),
        "{why}"
    );
    let itself = ["bash", "-c", "while [ $SECONDS -lt 4 ]; do :; done"];
    assert_eq!(within(limits, std::path::Path::new("/"), &itself).status.code(), Some(0));
}

#[test]
fn no_file_grows_beyond_the_most() {
    let limits = Limits { file: 1_000_000, ..Limits::default() };
    let (code, said, _) = sh(limits, "head -c 3000000 /dev/zero > big; stat -c %s big");
    assert_eq!((code, said.as_str()), (Some(0), "1000000\n"));
}

#[test]
fn a_full_disk_is_told_once() {
    let limits = Limits { free: u64::MAX, ..Limits::default() };
    let (code, _, why) = sh(limits, "sleep 3");
    assert_eq!(code, Some(0));
    assert_eq!(why.matches("The sandbox's disk is nearly full: ").count(), 1, "{why}");
}

#[test]
fn the_programs_end_is_its_own() {
    assert_eq!(sh(Limits::default(), "exit 7").0, Some(7));
    assert_eq!(sh(Limits::default(), "kill -9 $$").0, Some(137));
    let nowhere = within(Limits::default(), std::path::Path::new("/"), &["no-such-program"]);
    assert_eq!(nowhere.status.code(), Some(127));
}

#[test]
fn no_socket_of_another_family_and_no_ring_is_opened_within() {
    let attempts = r"
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def opened(family):
    fd = libc.socket(family, socket.SOCK_STREAM, 0)
    if fd >= 0:
        os.close(fd)
    return fd >= 0 or ctypes.get_errno()
print(*(opened(family) is True for family in (socket.AF_UNIX, socket.AF_INET)))
print(*(opened(family) == errno.EAFNOSUPPORT for family in (40, 38, 17, 31)))
print(libc.syscall(425, 8, 0) == -1 and ctypes.get_errno() == errno.ENOSYS)
";
    let output = within(Limits::default(), std::path::Path::new("/"), &["python3", "-c", attempts]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "True True\nTrue True True True\nTrue\n", "{}", String::from_utf8_lossy(&output.stderr));
}

/// With pipes on both sides, as an engine gives them.
fn spoken_to(said: &[u8], argv: &[&str]) -> Output {
    let line = Limits::default().around(argv.iter().map(|&word| word.to_owned()).collect());
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard-relay"));
    command.args(&line[1..]).env(MARK_VARIABLE, uuid::Uuid::new_v4().to_string());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let said = said.to_vec();
    let saying = std::thread::spawn(move || input.write_all(&said));
    let output = child.wait_with_output().unwrap();
    let _it_may_have_ended_before = saying.join().unwrap();
    output
}

#[test]
fn what_goes_in_and_comes_out_is_whole_and_the_ends_are_told() {
    let said: Vec<u8> = (0..5_000_000u32).flat_map(u32::to_le_bytes).collect();
    let output = spoken_to(&said, &["cat"]);
    assert!(output.status.success() && output.stdout == said, "{} bytes came back", output.stdout.len());
    let last = spoken_to(b"", &["sh", "-c", "head -c 3000000 /dev/zero; printf end; sleep 60 2>/dev/null & exit 3"]);
    assert_eq!((last.status.code(), last.stdout.len()), (Some(3), 3_000_003), "nobody waits for what it left behind");
    assert!(last.stdout.ends_with(b"end"));
}

#[test]
fn no_name_leads_to_what_an_agent_is_spoken_to_by() {
    let attempts = r"
import ctypes, errno, os, stat
print(*(stat.S_ISSOCK(os.fstat(fd).st_mode) for fd in (0, 1)))
print([fd for fd in range(50) if os.path.exists(f'/proc/self/fd/{fd}') and stat.S_ISFIFO(os.stat(f'/proc/self/fd/{fd}').st_mode)])
def refused(path, flags):
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return error.errno == errno.ENXIO
print(refused('/proc/self/fd/0', os.O_WRONLY), refused('/proc/self/fd/1', os.O_RDONLY))
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, os.getppid(), None, None) == -1 and ctypes.get_errno() == errno.EPERM)
";
    let output = spoken_to(b"", &["python3", "-c", attempts]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "True True\n[2]\nTrue True\nTrue\n", "{}", String::from_utf8_lossy(&output.stderr));
}
