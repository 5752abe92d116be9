//! A line over the standard streams of an exec, for engines that share no socket with us.

use super::{Context, Line, carry};
use crate::{Chunk, Error, connect::container_name, docker::exec::ExecRequest, settings::RELAY_UID};
use domain::SandboxId;
use futures::StreamExt;
use std::{future::ready, io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, join},
    time::{Instant, timeout},
};
use tokio_util::io::StreamReader;

/// Between two tries; a container that comes up rings, so the long ones cost nobody time.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Calls the relay again whenever the line ends, until it is stopped.
pub(super) async fn keep_up(context: Context, id: SandboxId, line: Line) {
    let stop = line.stop.clone();
    stop.run_until_cancelled(async {
        let mut wait = FIRST_WAIT;
        loop {
            match call(&context, id).await {
                Ok(pipe) => {
                    let began = Instant::now();
                    carry(pipe, &context, id, &line).await;
                    tracing::debug!(sandbox.id = %id, "the exec to the relay ended");
                    if began.elapsed() > LONGEST_WAIT {
                        wait = FIRST_WAIT;
                    }
                }
                Err(e) => tracing::trace!(sandbox.id = %id, error = %e, "no exec to the relay yet"),
            }
            let _ = timeout(wait, line.try_now.notified()).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    })
    .await;
}

async fn call(context: &Context, id: SandboxId) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, Error> {
    let request = ExecRequest {
        container: container_name(&context.instance, id),
        argv: vec!["lanyard-relay".to_owned(), "pipe".to_owned()],
        env: Vec::new(),
        cwd: "/".to_owned(),
        uid: RELAY_UID,
        stdin: true,
    };
    let started = context.engine.start_exec(id, request).await?;
    let bytes = started.output.filter_map(|chunk| {
        ready(match chunk {
            Chunk::Stdout(bytes) => Some(Ok::<_, io::Error>(bytes)),
            Chunk::Stderr(said) => {
                tracing::debug!(said = %String::from_utf8_lossy(&said), "the pipe to the relay");
                None
            }
        })
    });
    Ok(join(StreamReader::new(bytes), started.stdin))
}
