//! Looking at the sandbox and its image without changing either.

use super::{Workshop, problem, settings};
use crate::config::{Paths, Resolved};
use domain::{Problem, risk::Target};
use sandbox::{EngineInfo, ImageState, Sandboxes};
use std::{sync::atomic::Ordering, time::Duration};

/// A question to the owner waits for this at most, also where the engine hangs.
const LOOK: Duration = Duration::from_secs(8);

/// What the kernel says of the sandbox's memory, by cgroup v2 and v1. Its `oom_kill` counts what it killed there: the engine's
/// own `OOMKilled` is of the container's main process and stays false (measured with Docker 20.10.24).
const MEMORY: [&str; 2] = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

impl Workshop {
    /// Whether the kernel has killed something in the sandbox for want of memory since this was last asked.
    pub async fn ran_out_of_memory(&self) -> bool {
        for path in MEMORY {
            if let Ok(Ok(said)) = tokio::time::timeout(LOOK, self.read_file(path, 4096)).await {
                let kills = oom_kills(&String::from_utf8_lossy(&said));
                return self.0.oom_kills.swap(kills, Ordering::Relaxed) != kills && kills > 0;
            }
        }
        false
    }

    /// Where the file called `path` in the sandbox really is, now.
    pub async fn target(&self, path: &str) -> Target {
        let look = async { Ok::<_, Problem>(self.engine().await?.target(self.0.spec.id, path).await) };
        match tokio::time::timeout(LOOK, look).await {
            Ok(Ok(target)) => target,
            Ok(Err(_)) | Err(_) => Target::Unknown,
        }
    }

    /// Whether the image is there.
    pub async fn image_state(&self) -> Result<ImageState, Problem> {
        self.engine().await?.image_state().await.map_err(|e| problem(&e))
    }

    /// The engine and the image, for a Lanyard that does not run.
    pub async fn look(config: &Resolved, paths: &Paths) -> Result<(EngineInfo, Result<ImageState, Problem>), Problem> {
        let (engine, _nobody_comes) = Sandboxes::connect(settings(config, paths)).await.map_err(|e| problem(&e))?;
        let info = engine.engine().await.map_err(|e| problem(&e))?;
        let image = engine.image_state().await.map_err(|e| problem(&e));
        engine.close().await;
        Ok((info, image))
    }
}

fn oom_kills(said: &str) -> u64 {
    let count = said.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
    count.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::oom_kills;

    #[test]
    fn the_kernels_count_is_read_from_both_cgroups() {
        assert_eq!(oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 3);
        assert_eq!(oom_kills("low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n"), 1);
        assert_eq!(oom_kills("nothing"), 0);
    }
}
