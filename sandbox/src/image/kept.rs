//! Which images the engine holds: whether the one that fits is there, and taking away those that this Lanyard built before.

use super::{CLAUDE, INSTANCE, ImageInfo, PARTS, REPOSITORY, VERSION};
use crate::{Error, Sandboxes};

/// Images on the bases of repositories that are kept, so that the next task of one need not build.
const OTHER_BASES: usize = 4;

/// How the image is, for doctor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageState {
    /// The one that fits is there.
    Ready(ImageInfo),
    /// Only others: made by another version of Lanyard or with another Claude Code (as their labels say), or on an older
    /// base. The next start builds the one that fits.
    Other { tag: String, lanyard: String, claude: String },
    /// None of ours.
    Missing,
}

impl Sandboxes {
    /// Looks and changes nothing. Fails with [`Error::BaseMissing`] where there is neither an image that fits nor a base
    /// to build one on.
    pub async fn image_state(&self) -> Result<ImageState, Error> {
        let recipe = self.recipe().await?;
        let (base, fitting) = self.look_for(recipe).await?;
        if let Some(found) = fitting {
            return Ok(ImageState::Ready(recipe.info(&found, false)));
        }
        if base.is_none() {
            return Err(Error::BaseMissing { base: self.settings().base.clone() });
        }
        let others = self.engine_handle().images_of(REPOSITORY, None).await?;
        let word = |name: &str| others.first().and_then(|image| image.labels.get(name)).cloned().unwrap_or_default();
        Ok(match others.first().and_then(|image| image.tags.first()) {
            Some(tag) => ImageState::Other { tag: tag.clone(), lanyard: word(VERSION), claude: word(CLAUDE) },
            None => ImageState::Missing,
        })
    }

    /// Takes away the images that this Lanyard built before the one that fits, and gives their tags. Those of another
    /// Lanyard on the same engine stay, and so does one that a container is made from; of those with the same parts on other
    /// bases the newest few.
    pub async fn remove_old_images(&self) -> Result<Vec<String>, Error> {
        let usual = self.recipe().await?;
        let current = usual.tag();
        let own = (INSTANCE, self.settings().instance.as_str());
        let (mut removed, mut on_other_bases) = (Vec::new(), 0);
        for image in self.engine_handle().images_of(REPOSITORY, Some(own)).await? {
            if image.labels.get(PARTS) == Some(&usual.source) && !image.tags.contains(&current) {
                on_other_bases += 1;
                if on_other_bases <= OTHER_BASES {
                    continue;
                }
            }
            for tag in image.tags.into_iter().filter(|tag| *tag != current) {
                if self.engine_handle().remove_unused_image(&tag).await {
                    tracing::info!(image.tag = tag, "an old sandbox image was taken away");
                    removed.push(tag);
                }
            }
        }
        Ok(removed)
    }

    /// After a new image is in use. What cannot be taken away now is tried again the next time.
    pub(crate) async fn tidy_images(&self) {
        if let Err(e) = self.remove_old_images().await {
            tracing::warn!(error = ?e, "old sandbox images could not be looked at");
        }
    }
}
