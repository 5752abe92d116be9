//! Is the Anthropic key any good? One small request that spends nothing.

use crate::{Cause, ExposeSecret, SecretString, http};
use url::Url;

/// What Anthropic says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Works,
    /// HTTP 401: no such key, or revoked.
    Refused,
    /// HTTP 403: the key exists but may not do this.
    Forbidden,
    /// HTTP 429 or 529: the key was read, Anthropic is busy. As good as working.
    Busy,
}

impl KeyState {
    pub fn code(self) -> Option<domain::Code> {
        match self {
            KeyState::Works | KeyState::Busy => None,
            KeyState::Refused | KeyState::Forbidden => Some(domain::Code::KeyRefused),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum KeyCheckError {
    #[error("the key holds characters that no key holds (a line end, a blank?)")]
    Malformed,
    #[error("Anthropic could not be reached")]
    Unreachable(#[source] Cause),
    #[error("Anthropic answered with HTTP {0}")]
    Unexpected(u16),
}

impl KeyCheckError {
    pub fn code(&self) -> domain::Code {
        match self {
            KeyCheckError::Malformed => domain::Code::KeyRefused,
            KeyCheckError::Unreachable(_) => domain::Code::UpstreamUnreachable,
            KeyCheckError::Unexpected(_) => domain::Code::ModelError,
        }
    }
}

/// Asks `GET {base}/v1/models?limit=1`, which is free and needs a valid key. `base` is `https://api.anthropic.com` or
/// a stand-in; at most 15 s.
pub async fn check_key(base: &Url, key: &SecretString) -> Result<KeyState, KeyCheckError> {
    let mut key_header =
        reqwest::header::HeaderValue::from_str(key.expose_secret()).map_err(|_| KeyCheckError::Malformed)?;
    key_header.set_sensitive(true);
    let answer = http::client()
        .map_err(KeyCheckError::Unreachable)?
        .get(format!("{}/v1/models?limit=1", base.as_str().trim_end_matches('/')))
        .header("x-api-key", key_header)
        .header("anthropic-version", "2023-06-01")
        .send()
        .await
        .map_err(|e| KeyCheckError::Unreachable(http::scrubbed(e)))?;
    match answer.status().as_u16() {
        200..=299 => Ok(KeyState::Works),
        401 => Ok(KeyState::Refused),
        403 => Ok(KeyState::Forbidden),
        429 | 529 => Ok(KeyState::Busy),
        other => Err(KeyCheckError::Unexpected(other)),
    }
}
