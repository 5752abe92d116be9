//! Images by name.

use super::Engine;
use crate::{Error, docker::containers::Labels};
use bollard::{
    errors::Error as EngineError,
    query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions},
};
use futures::StreamExt;
use std::{collections::HashMap, time::Duration};

/// Some gigabytes over a slow line.
const PULLING: Duration = Duration::from_secs(1800);
const TOO_LONG: &str = "it took longer than half an hour";

pub(crate) struct FoundImage {
    pub id: String,
    pub labels: Labels,
    /// Where its programs are.
    pub path: Option<String>,
    pub bytes: u64,
}

/// An image with its names.
pub(crate) struct NamedImage {
    pub tags: Vec<String>,
    pub labels: Labels,
}

impl Engine {
    pub(crate) async fn find_image(&self, name: &str) -> Result<Option<FoundImage>, Error> {
        match self.docker.inspect_image(name).await {
            Ok(image) => {
                let config = image.config.unwrap_or_default();
                let env = config.env.unwrap_or_default();
                Ok(Some(FoundImage {
                    id: image.id.unwrap_or_default(),
                    labels: config.labels.unwrap_or_default(),
                    path: env.iter().find_map(|set| set.strip_prefix("PATH=")).map(str::to_owned),
                    bytes: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                }))
            }
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(e) => Err(self.refused("look at an image", e)),
        }
    }

    /// Fetches an image from where its name says, without a login; `said` is given what the engine says of it.
    pub(crate) async fn pull(&self, name: &str, said: &(dyn Fn(&str) + Send + Sync)) -> Result<(), Error> {
        // Without a tag the engine would fetch all of them.
        let has_tag = name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let whole = if has_tag { name.to_owned() } else { format!("{name}:latest") };
        let options = CreateImageOptionsBuilder::default().from_image(&whole).build();
        let docker = self.docker.clone().with_timeout(PULLING);
        let failed = |reason: &str| Error::Pull { image: name.to_owned(), reason: reason.to_owned() };
        let pulled = async {
            let mut answers = std::pin::pin!(docker.create_image(Some(options), None, None));
            while let Some(answer) = answers.next().await {
                match answer {
                    Ok(info) => said(&info.status.unwrap_or_default()),
                    Err(EngineError::DockerStreamError { error }) => return Err(failed(&error)),
                    Err(EngineError::DockerResponseServerError { message, .. }) => return Err(failed(&message)),
                    Err(EngineError::RequestTimeoutError) => return Err(failed(TOO_LONG)),
                    Err(e) => return Err(self.refused("pull an image", e)),
                }
            }
            Ok(())
        };
        tokio::time::timeout(PULLING, pulled).await.unwrap_or_else(|_| Err(failed(TOO_LONG)))
    }

    /// The images of a repository, the newest first; with `label` only those that have it.
    pub(crate) async fn images_of(&self, name: &str, label: Option<(&str, &str)>) -> Result<Vec<NamedImage>, Error> {
        let mut filters = HashMap::from([("reference".to_owned(), vec![name.to_owned()])]);
        if let Some((label, value)) = label {
            filters.insert("label".to_owned(), vec![format!("{label}={value}")]);
        }
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let mut images = self.docker.list_images(Some(options)).await.map_err(|e| self.refused("list images", e))?;
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        Ok(images.into_iter().map(|image| NamedImage { tags: image.repo_tags, labels: image.labels }).collect())
    }

    /// Takes a name from an image, and frees its disk space if it was the last; by its id, only if it has no other name.
    /// One that a container is made from stays: false.
    pub(crate) async fn remove_unused_image(&self, name: &str) -> bool {
        let removed = self.docker.remove_image(name, None::<RemoveImageOptions>, None).await;
        if let Err(e) = &removed {
            tracing::debug!(image = name, error = %e, "an outdated image stays");
        }
        removed.is_ok()
    }
}
