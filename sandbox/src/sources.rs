//! Where the package managers of the image look for packages, as they themselves say.

use crate::{
    Command, Error, Sandboxes,
    process::{ProcessMark, collect},
    settings::RELAY_UID,
};
use domain::SandboxId;
use std::time::Duration;

/// A line `manager address` for each. pip's own default is asked of the pip that Python brings along.
const ASK: &str = r#"npm config get registry | sed 's/^/npm /'
for wheel in /usr/share/python-wheels/pip-*.whl; do
  PYTHONPATH=$wheel python3 -c 'from pip._internal.models.index import PyPI; print("pip", PyPI.simple_url)'
done
cat /etc/apt/sources.list /etc/apt/sources.list.d/* | sed '/^[[:space:]]*#/d' | grep -oE 'https?://[^] ]+' | sed 's/^/apt /'"#;
const PATIENCE: Duration = Duration::from_secs(20);
/// Within that, as coreutils' `timeout` reads it: nothing of it stays in the sandbox.
const ENDED_AFTER: &str = "15s";
const MOST: usize = 100_000;

impl Sandboxes {
    /// What they say, a line `manager address` each. Nothing that the agent can write has a say in it: the relay's user asks, in
    /// an environment of its own, from folders that are read-only.
    pub async fn package_sources(&self, id: SandboxId) -> Result<String, Error> {
        let path = "PATH=/usr/local/bin:/usr/bin:/bin";
        let own = ["env", "-i", path, "HOME=/nonexistent", "timeout", "-k", "1", ENDED_AFTER, "sh", "-c", ASK];
        let mut request = self.agent_exec(id, Command::new(own).cwd("/"), ProcessMark::new(), false);
        request.uid = RELAY_UID;
        let asking = async {
            let started = self.engine_handle().start_exec(id, request).await?;
            Ok(String::from_utf8_lossy(&collect(started.output, MOST).await.stdout).into_owned())
        };
        let late = |_| Error::TimedOut { doing: "asking the package managers".to_owned(), after: PATIENCE };
        tokio::time::timeout(PATIENCE, asking).await.map_err(late)?
    }
}
