//! Pictures that come with words: decoded, judged by their first bytes, kept as artifacts.

use crate::{pictures, wire::Image};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{ArtifactId, Code, Problem, SessionId, Timestamp};
use store::Tx;

/// One picture's bytes at most: what the model's API takes.
pub const IMAGE_BYTES: usize = 5_000_000;
/// Pictures with one message.
pub const IMAGES: usize = 4;

#[derive(Default)]
pub struct Pictures(Vec<(&'static str, Vec<u8>)>);

impl Pictures {
    /// # Errors
    /// `PICTURE_REFUSED` for one that is too large, no picture, or not what it says.
    pub fn read(images: Vec<Image>) -> Result<Self, Problem> {
        let refuse = |why: &str| Problem::with_detail(Code::PictureRefused, why);
        if images.len() > IMAGES {
            return Err(refuse("At most four pictures go with one message."));
        }
        let read = |image: Image| {
            let bytes = STANDARD.decode(image.data).map_err(|_| refuse("data is not Base64."))?;
            if bytes.len() > IMAGE_BYTES {
                return Err(refuse("It has more than 5 MB."));
            }
            match pictures::media_type(&bytes) {
                Some(found) if found == image.media_type => Ok((found, bytes)),
                Some(found) => Err(refuse(&format!(
                    "It says {} and is {found}.",
                    domain::shown::shown_line(&image.media_type, 40)
                ))),
                None => Err(refuse("Its first bytes are those of no known picture.")),
            }
        };
        images.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Writes them down as artifacts of `session`.
    pub fn keep(&self, tx: &Tx<'_>, session: SessionId, now: Timestamp) -> store::Result<Vec<ArtifactId>> {
        let keep = |(media_type, bytes): &(&'static str, Vec<u8>)| {
            pictures::keep(tx, pictures::Of::session(session), media_type, bytes.clone(), now)
        };
        self.0.iter().map(keep).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(media_type: &str, bytes: &[u8]) -> Vec<Image> {
        vec![Image { media_type: media_type.into(), data: STANDARD.encode(bytes) }]
    }

    #[test]
    fn a_picture_must_be_what_it_says() {
        let png = b"\x89PNG\r\n\x1a\n rest";
        assert!(Pictures::read(image("image/png", png)).is_ok());
        let large = [&png[..], &vec![0; IMAGE_BYTES]].concat();
        let not_base64 = vec![Image { media_type: "image/png".into(), data: "*".into() }];
        let many: Vec<Image> = (0..5).flat_map(|_| image("image/png", png)).collect();
        let bad =
            [image("image/jpeg", png), image("image/png", b"<svg/>"), image("image/png", &large), not_base64, many];
        for images in bad {
            assert_eq!(Pictures::read(images).err().map(|p| p.code), Some(Code::PictureRefused));
        }
    }
}
