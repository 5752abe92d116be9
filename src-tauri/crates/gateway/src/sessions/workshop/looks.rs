//! Looking at the sandbox and its image without changing either.

use super::{Workshop, problem, settings};
use crate::config::{Paths, Resolved};
use domain::{Problem, risk::Target};
use sandbox::{EngineInfo, ImageState, Sandboxes};
use std::time::Duration;

/// A question to the owner waits for this at most, also where the engine hangs.
const LOOK: Duration = Duration::from_secs(8);

impl Workshop {
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
