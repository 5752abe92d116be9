//! A picture that came by MMS: fetched with the account's credentials, of bounded size, and truly a picture.

use super::{CallError, MediaRef, Twilio};
use crate::http::{self, Unread};
use bytes::Bytes;
use reqwest::{Method, Response, header};
use std::time::Duration;
use url::Url;

/// For one picture, redirects included.
const WHOLE_FETCH: Duration = Duration::from_secs(30);
/// Twilio redirects once, to where it stores files.
const REDIRECTS: usize = 3;

/// A picture of a type the agent can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub bytes: Bytes,
    /// `image/jpeg`, `image/png`, `image/gif` or `image/webp`, by its first bytes.
    pub media_type: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("the address is not one of this account's files")]
    WrongAddress,
    #[error("the picture is larger than {most} bytes")]
    TooLarge { most: usize },
    /// A film, a contact, a HEIC photograph, or something that lies about itself.
    #[error("it is no JPEG, PNG, GIF or WebP")]
    NotAPicture,
    #[error(transparent)]
    Call(#[from] CallError),
}

impl PictureError {
    pub fn code(&self) -> domain::Code {
        match self {
            PictureError::WrongAddress | PictureError::TooLarge { .. } | PictureError::NotAPicture => {
                domain::Code::PictureRefused
            }
            PictureError::Call(error) => error.code(),
        }
    }

    pub fn retryable(&self) -> bool {
        matches!(self, PictureError::Call(error) if error.retryable())
    }
}

impl Twilio {
    /// Fetches one file of a message, at most `most` bytes and 30 s. The credentials go to Twilio's API host alone,
    /// never along with a redirect to another.
    pub async fn fetch_media(&self, url: &str, most: usize) -> Result<Picture, PictureError> {
        let url = self.own_media(url).ok_or(PictureError::WrongAddress)?;
        let fetch = async {
            let answer = self.follow(url).await?;
            let said_picture = says_picture(&answer);
            let bytes = http::read_at_most(answer, most).await.map_err(|unread| match unread {
                Unread::TooLarge => PictureError::TooLarge { most },
                Unread::Broken(cause) => CallError::NoAnswer(cause).into(),
            })?;
            match picture_type(&bytes) {
                Some(media_type) if said_picture => Ok(Picture { bytes, media_type }),
                _ => Err(PictureError::NotAPicture),
            }
        };
        let late = |_| PictureError::Call(CallError::NoAnswer("the picture took longer than 30 s".into()));
        tokio::time::timeout(WHOLE_FETCH, fetch).await.map_err(late)?
    }

    /// Deletes a file at Twilio; fine if it is gone already.
    pub async fn delete_media(&self, media: &MediaRef) -> Result<(), PictureError> {
        let url = self.own_media(&media.url).ok_or(PictureError::WrongAddress)?;
        match self.api.send(self.api.request(Method::DELETE, url)).await {
            Ok(_) => Ok(()),
            Err(CallError::Refused(refusal)) if refusal.http == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn follow(&self, mut url: Url) -> Result<Response, CallError> {
        for _ in 0..=REDIRECTS {
            let request = match url.origin() == self.api.base.origin() {
                true => self.api.request(Method::GET, url.clone()),
                false => self.api.http.get(url.clone()),
            };
            let answer = self.api.send(request.timeout(WHOLE_FETCH)).await?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            url = self
                .target(&url, &answer)
                .ok_or_else(|| CallError::NoAnswer("a redirect that may not be followed".into()))?;
        }
        Err(CallError::NoAnswer("too many redirects".into()))
    }

    /// Only to https, unless a stand-in without TLS plays Twilio.
    fn target(&self, from: &Url, answer: &Response) -> Option<Url> {
        let location = answer.headers().get(header::LOCATION)?.to_str().ok()?;
        let to = from.join(location).ok()?;
        (to.scheme() == "https" || to.scheme() == self.api.base.scheme()).then_some(to)
    }

    /// The address if it is a file of a message of this very account; a webhook could name any other.
    fn own_media(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let own = format!("/2010-04-01/Accounts/{}/Messages/", self.api.account_sid);
        let inside = url.path().strip_prefix(&own).is_some_and(|rest| rest.contains("/Media/") && !rest.contains('%'));
        let plain = url.username().is_empty() && url.password().is_none();
        (inside && plain && url.origin() == self.api.base.origin()).then_some(url)
    }
}

/// A header that names another kind of thing is believed; a missing or general one leaves it to the bytes.
fn says_picture(answer: &Response) -> bool {
    let said =
        answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("application/octet-stream");
    let said = said.trim().to_ascii_lowercase();
    said.starts_with("image/")
        || said.starts_with("application/octet-stream")
        || said.starts_with("binary/octet-stream")
}

/// The type by its first bytes (file signatures of RFC 2083, ITU T.81, GIF89a and the WebP container).
fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}
