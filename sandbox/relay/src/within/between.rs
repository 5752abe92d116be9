//! What stands between a program and the pipes it is spoken to by. A pipe can be opened by its name in `/proc` by whoever is the same
//! user, which all programs of a sandbox are: one of them could speak to the agent as the gateway does. A socket cannot be opened
//! so, and this program's own files cannot be looked at ([`hide`]).

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use std::{io, os::fd::OwnedFd, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixStream, unix::pipe},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const PIECE: usize = 64 * 1024;
/// For whoever reads what the program said last.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);

/// Nobody but root looks into this process from now on.
///
/// # Errors
/// As the system's.
pub fn hide() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Passes on what the program prints, until it has ended and all was passed.
pub struct Output {
    ended: CancellationToken,
    passing: Option<JoinHandle<()>>,
}

impl Output {
    /// What this program was given to print to, and what the other shall print to instead. Anything but a pipe it has as it is.
    ///
    /// # Errors
    /// As the system's.
    pub fn take_over() -> io::Result<(Self, Stdio)> {
        let ended = CancellationToken::new();
        let Some(to) = pipe_of(rustix::stdio::stdout(), pipe::Sender::from_owned_fd)? else {
            return Ok((Self { ended, passing: None }, Stdio::inherit()));
        };
        let (ours, theirs) = pair()?;
        let passing = tokio::spawn(pass_out(ours, to, ended.clone()));
        Ok((Self { ended, passing: Some(passing) }, theirs))
    }

    /// The program is gone: what it said is passed on, what its children still say is not.
    pub async fn settle(self) {
        self.ended.cancel();
        if let Some(passing) = self.passing {
            let _nobody_reads = timeout(TAKEN_WITHIN, passing).await;
        }
    }
}

/// What the program reads instead of what this one was given.
///
/// # Errors
/// As the system's.
pub fn input() -> io::Result<Stdio> {
    let Some(from) = pipe_of(rustix::stdio::stdin(), pipe::Receiver::from_owned_fd)? else {
        return Ok(Stdio::inherit());
    };
    let (ours, theirs) = pair()?;
    tokio::spawn(pass_in(from, ours));
    Ok(theirs)
}

/// None where it is no pipe.
fn pipe_of<P>(fd: rustix::fd::BorrowedFd<'_>, read: fn(OwnedFd) -> io::Result<P>) -> io::Result<Option<P>> {
    // The program inherits none of it: what it has can be opened by others.
    match read(rustix::io::fcntl_dupfd_cloexec(fd, 3)?) {
        Ok(pipe) => Ok(Some(pipe)),
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(None),
        Err(e) => Err(e),
    }
}

fn pair() -> io::Result<(UnixStream, Stdio)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, OwnedFd::from(theirs).into()))
}

/// Ends with what it reads from, which the program sees as the end of its input.
async fn pass_in(mut from: pipe::Receiver, mut to: UnixStream) {
    let mut piece = vec![0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
    let _it_is_gone = to.shutdown().await;
}

async fn pass_out(mut from: UnixStream, mut to: pipe::Sender, ended: CancellationToken) {
    let mut piece = vec![0; PIECE];
    loop {
        let read = match ended.run_until_cancelled(from.read(&mut piece)).await {
            Some(read) => read,
            // All that the program said is here by now.
            None => from.try_read(&mut piece),
        };
        let Ok(read @ 1..) = read else { return };
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}
