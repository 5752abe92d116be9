//! Hands finished pushes to the push services of browsers. What is in one is sealed before it comes here.

use crate::{Cause, ExposeSecret, SecretString, http};
use std::time::Duration;
use url::Url;

/// A push as it leaves (RFC 8030).
#[derive(Clone, Debug)]
pub struct Push {
    /// The browser's own address at its push service.
    pub endpoint: Url,
    /// Who sends: the value of `Authorization` (RFC 8292).
    pub authorization: SecretString,
    /// How long the service keeps it for a phone that cannot be reached.
    pub life: Duration,
    /// Whether it may wake a phone that saves power.
    pub urgent: bool,
    /// At most 32 letters of URL-safe Base64: a later push with the same topic takes the place of one not yet delivered.
    pub topic: String,
    /// Encrypted for the browser, `aes128gcm`.
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// HTTP 404 or 410: the browser does not take pushes there any more.
    #[error("the subscription is gone")]
    Gone,
    /// HTTP 429 or 5xx: it may be taken later.
    #[error("the push service is busy (HTTP {status})")]
    Busy { status: u16, retry_after: Option<Duration> },
    /// Any other answer: it would be refused again.
    #[error("the push service refused it with HTTP {0}")]
    Refused(u16),
    /// It has not left.
    #[error("the push service could not be reached")]
    Unreachable(#[source] Cause),
    /// It may have left.
    #[error("the push service did not answer")]
    NoAnswer(#[source] Cause),
}

/// A client for all push services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pusher(reqwest::Client);

impl Pusher {
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn new() -> Result<Self, Cause> {
        http::client().map(Self)
    }

    /// One attempt, at most 15 s. On success the service has it.
    pub async fn send(&self, push: Push) -> Result<(), PushError> {
        let answer = self
            .0
            .post(push.endpoint)
            .header("authorization", push.authorization.expose_secret())
            .header("ttl", push.life.as_secs())
            .header("urgency", if push.urgent { "high" } else { "normal" })
            .header("topic", push.topic)
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .body(push.body)
            .send()
            .await
            .map_err(|e| match e.is_connect() || e.is_builder() {
                true => PushError::Unreachable(http::scrubbed(e)),
                false => PushError::NoAnswer(http::scrubbed(e)),
            })?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            404 | 410 => Err(PushError::Gone),
            status @ (429 | 500..=599) => Err(PushError::Busy { status, retry_after: retry_after(&answer) }),
            other => Err(PushError::Refused(other)),
        }
    }
}

/// At most a day.
fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let seconds: u64 = answer.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(86_400)))
}
