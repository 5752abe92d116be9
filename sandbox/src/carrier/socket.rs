//! A line over a unix socket in a folder that is mounted into the sandbox.
//!
//! The gateway listens and the relay dials, never the other way round: a socket made inside could be a symbolic link to
//! another one. Only the relay's user is let in; the agent's sees the socket but is turned away.

use super::{Context, Line, carry};
use crate::{Error, settings::RELAY_UID};
use domain::SandboxId;
use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::task::TaskTracker;

/// After an accept that failed for want of descriptors.
const BREATH: Duration = Duration::from_millis(50);

pub(crate) fn folder(run_dir: &Path, id: SandboxId) -> PathBuf {
    run_dir.join(id.0.simple().to_string())
}

/// Makes the folder and a fresh socket in it. The folder above keeps other users of this machine out, so these two can
/// be open to the relay's user, who is another one than ours.
pub(super) fn listen(run_dir: &Path, id: SandboxId) -> Result<UnixListener, Error> {
    let folder = folder(run_dir, id);
    let socket = folder.join(relay::SOCKET_NAME);
    let make = || {
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
        match fs::remove_file(&socket) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(&socket)?;
        fs::set_permissions(&socket, Permissions::from_mode(0o666))?;
        Ok(listener)
    };
    make().map_err(|source| Error::Disk { doing: "listen at", path: socket.clone(), source })
}

/// Takes the relay's connections until the line is stopped. The newest is the line; an older one ends by itself.
pub(super) async fn keep_up(context: Context, id: SandboxId, line: Line, listener: UnixListener) {
    let carriers = TaskTracker::new();
    let mut strangers = 0_u64;
    while let Some(accepted) = line.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((relay, _)) if is_relay(&relay) => {
                let (context, line) = (context.clone(), line.clone());
                carriers.spawn(async move { carry(relay, &context, id, &line).await });
            }
            // Anybody inside may call as often as they like: the log hears of the first, the second, the fourth and so on.
            Ok(_) => {
                strangers += 1;
                if strangers.is_power_of_two() {
                    tracing::warn!(sandbox.id = %id, strangers, "somebody else than the relay called at its socket");
                }
            }
            Err(e) => {
                tracing::warn!(sandbox.id = %id, error = %e, "a relay's call could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    carriers.close();
    carriers.wait().await;
}

fn is_relay(peer: &UnixStream) -> bool {
    peer.peer_cred().is_ok_and(|peer| peer.uid() == RELAY_UID)
}
