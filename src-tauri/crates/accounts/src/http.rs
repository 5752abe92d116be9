//! One kind of HTTP client for every account: deadlines, no redirects by itself, answers of bounded size, no URLs in
//! errors.

use crate::Cause;
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// Until a TCP and TLS connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// From the first byte sent to the last byte read, unless a call says otherwise.
pub(crate) const WHOLE_CALL: Duration = Duration::from_secs(15);

/// A client that trusts what the operating system trusts and follows no redirect: whoever follows one decides first
/// whether the credentials go along.
pub(crate) fn client() -> Result<reqwest::Client, Cause> {
    client_with(Ok)
}

/// The same, with something changed.
pub(crate) fn client_with(
    change: impl FnOnce(reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, reqwest::Error>,
) -> Result<reqwest::Client, Cause> {
    // Fails when the program has installed a provider before; that one is ring too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(WHOLE_CALL)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("lanyard/", env!("CARGO_PKG_VERSION")));
    change(builder).and_then(reqwest::ClientBuilder::build).map_err(scrubbed)
}

/// An error of the client without the URL it was about: URLs carry account ids, numbers and signatures.
pub(crate) fn scrubbed(error: reqwest::Error) -> Cause {
    Box::new(error.without_url())
}

/// Why a body was not read to its end.
pub(crate) enum Unread {
    TooLarge,
    Broken(Cause),
}

/// The whole body, or an error as soon as it is known to be longer than `most` bytes.
pub(crate) async fn read_at_most(mut answer: reqwest::Response, most: usize) -> Result<Bytes, Unread> {
    if answer.content_length().is_some_and(|length| length > most as u64) {
        return Err(Unread::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| Unread::Broken(scrubbed(e)))? {
        if body.len() + chunk.len() > most {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
