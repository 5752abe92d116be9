//! Images by name.

use super::Engine;
use crate::{Error, docker::containers::Labels};
use bollard::{errors::Error as EngineError, query_parameters::RemoveImageOptions};

pub(crate) struct FoundImage {
    pub id: String,
    pub labels: Labels,
    pub bytes: u64,
}

impl Engine {
    pub(crate) async fn find_image(&self, name: &str) -> Result<Option<FoundImage>, Error> {
        match self.docker.inspect_image(name).await {
            Ok(image) => Ok(Some(FoundImage {
                id: image.id.unwrap_or_default(),
                labels: image.config.and_then(|config| config.labels).unwrap_or_default(),
                bytes: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            })),
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(e) => Err(self.refused("look at an image", e)),
        }
    }

    /// Frees its disk space, unless a container is made from it or it has another name: then it stays.
    pub(crate) async fn remove_unused_image(&self, id: &str) {
        if let Err(e) = self.docker.remove_image(id, None::<RemoveImageOptions>, None).await {
            tracing::debug!(image.id = id, error = %e, "an outdated image stays");
        }
    }
}
