//! A carrier for engines that share no socket with the gateway: joins the standard streams of an exec, which the gateway
//! holds the other end of, to the relay's own socket.

use std::{io, os::fd::AsFd, path::Path, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy_buf},
    net::{UnixStream, unix::pipe},
    time::{Instant, sleep},
};

/// The relay's main program may be starting.
const PATIENCE: Duration = Duration::from_secs(5);
const BUFFER: usize = 64 * 1024;

/// Runs until either side ends. Standard input and output must be pipes, as an engine makes them without a terminal.
pub async fn pipe(relay: &Path) -> io::Result<()> {
    let input = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    let output = pipe::Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned()?)?;
    join(input, output, connect(relay).await?).await
}

async fn connect(relay: &Path) -> io::Result<UnixStream> {
    let last = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(relay).await {
            Err(_) if Instant::now() < last => sleep(Duration::from_millis(20)).await,
            result => return result,
        }
    }
}

/// A carrier whose one direction ends is of no more use, so the first end is the end of both.
async fn join(input: impl AsyncRead + Unpin, mut output: impl AsyncWrite + Unpin, relay: UnixStream) -> io::Result<()> {
    let (from_relay, mut to_relay) = relay.into_split();
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut from_relay = BufReader::with_capacity(BUFFER, from_relay);
    tokio::select! {
        result = copy_buf(&mut input, &mut to_relay) => {
            result?;
            to_relay.shutdown().await
        }
        result = copy_buf(&mut from_relay, &mut output) => {
            result?;
            output.shutdown().await
        }
    }
}
