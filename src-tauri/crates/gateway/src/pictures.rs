//! Pictures made fit for a text message.

use domain::{ArtifactId, SessionId, Timestamp, TurnId};
use std::io::Cursor;
use store::{
    Tx,
    artifacts::{self, Artifact},
};

/// Twilio takes 5 MB, carriers about 1 MB; above that they shrink or drop a picture.
pub const MMS_BYTES: usize = 1_000_000;
/// A picture that claims more pixels than this is not decoded (a small file can claim terabytes).
const MOST_PIXELS: u64 = 60_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPicture {
    #[error("it is no PNG, JPEG, GIF or WebP picture")]
    Format,
    #[error("it is damaged or far too large")]
    Unreadable,
}

/// The media type by the file's first bytes, if an agent and a phone can show it.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match image::guess_format(bytes).ok()? {
        image::ImageFormat::Png => Some("image/png"),
        image::ImageFormat::Jpeg => Some("image/jpeg"),
        image::ImageFormat::Gif => Some("image/gif"),
        image::ImageFormat::WebP => Some("image/webp"),
        _ => None,
    }
}

/// Whose a picture is, and the words beneath it.
#[derive(Clone, Debug, Default)]
pub struct Of {
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
    pub caption: Option<String>,
}

impl Of {
    pub fn session(id: SessionId) -> Self {
        Self { session: Some(id), ..Self::default() }
    }
}

/// Writes a picture down, under the type that its bytes were found to be ([`media_type`]), never one that somebody said.
pub fn keep(
    tx: &Tx<'_>,
    of: Of,
    media_type: &'static str,
    bytes: Vec<u8>,
    now: Timestamp,
) -> store::Result<ArtifactId> {
    let id = ArtifactId::new();
    let Of { session, turn, caption } = of;
    let media_type = media_type.to_owned();
    artifacts::put(tx, &Artifact { id, session, turn, media_type, caption, bytes, created_at: now }).map(|()| id)
}

/// `bytes` as they are if they fit a text message, else as a JPEG that does. Gives media type and bytes.
///
/// # Errors
/// [`NotAPicture`] if the bytes cannot be shown.
pub fn for_mms(bytes: Vec<u8>) -> Result<(&'static str, Vec<u8>), NotAPicture> {
    let media_type = media_type(&bytes).ok_or(NotAPicture::Format)?;
    if bytes.len() < MMS_BYTES && media_type != "image/webp" {
        return Ok((media_type, bytes));
    }
    let mut picture = decode(&bytes)?;
    for quality in [85, 75, 60, 45].into_iter().cycle() {
        let jpeg = as_jpeg(&picture, quality)?;
        if jpeg.len() < MMS_BYTES {
            return Ok(("image/jpeg", jpeg));
        }
        if quality == 45 {
            picture = picture.thumbnail(picture.width() * 2 / 3, picture.height() * 2 / 3);
        }
    }
    Err(NotAPicture::Unreadable)
}

fn decode(bytes: &[u8]) -> Result<image::DynamicImage, NotAPicture> {
    let reader = || image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| NotAPicture::Format);
    let (width, height) = reader()?.into_dimensions().map_err(|_| NotAPicture::Unreadable)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(NotAPicture::Unreadable);
    }
    reader()?.decode().map_err(|_| NotAPicture::Unreadable)
}

fn as_jpeg(picture: &image::DynamicImage, quality: u8) -> Result<Vec<u8>, NotAPicture> {
    let mut out = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, quality);
    picture.to_rgb8().write_with_encoder(encoder).map_err(|_| NotAPicture::Unreadable)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(side: u32) -> Vec<u8> {
        let mut seed = 1u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let picture = image::RgbImage::from_fn(side, side, |_, _| image::Rgb([next(), next(), next()]));
        let mut png = Vec::new();
        picture.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
        png
    }

    #[test]
    fn a_small_picture_stays_as_it_is() {
        let png = noise(64);
        assert_eq!(for_mms(png.clone()).unwrap(), ("image/png", png));
    }

    #[test]
    fn a_large_picture_is_made_to_fit() {
        let png = noise(1400);
        assert!(png.len() > 5_000_000);
        let (media_type, bytes) = for_mms(png).unwrap();
        assert_eq!(media_type, "image/jpeg");
        assert!(bytes.len() < MMS_BYTES);
        assert_eq!(super::media_type(&bytes), Some("image/jpeg"));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(for_mms(b"<svg/>".to_vec()), Err(NotAPicture::Format));
        let mut cut = noise(600);
        cut.truncate(1_000_500);
        assert_eq!(for_mms([cut, vec![0; 500_000]].concat()), Err(NotAPicture::Unreadable));
    }
}
