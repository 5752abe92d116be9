//! Is the Anthropic key, or a subscription's token, any good? One small request that spends nothing.

use crate::{Cause, ExposeSecret, SecretString, http};
use reqwest::header::HeaderValue;
use url::Url;

/// How a subscription's token begins, as `claude setup-token` prints it.
const SUBSCRIPTION: &str = "sk-ant-oat";
/// What Anthropic wants to read beside such a token.
const OAUTH_BETA: &str = "oauth-2025-04-20";

/// Which of the two a secret is: a subscription's token goes as a bearer token, a key as a key.
pub fn is_subscription(secret: &SecretString) -> bool {
    secret.expose_secret().starts_with(SUBSCRIPTION)
}

/// What Anthropic says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Works,
    /// HTTP 401: no such key, or revoked.
    Refused,
    /// HTTP 403: the key exists but may not do this.
    Forbidden,
    /// HTTP 403 for a subscription's token: Anthropic knows it, and it is good for Claude Code's own requests alone.
    Narrow,
    /// HTTP 429 or 529: the key was read, Anthropic is busy. As good as working.
    Busy,
}

impl KeyState {
    pub fn code(self) -> Option<domain::Code> {
        match self {
            KeyState::Works | KeyState::Busy | KeyState::Narrow => None,
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
///
/// # Errors
/// When Anthropic could not be asked, or its answer says nothing of the key.
pub async fn check_key(base: &Url, key: &SecretString) -> Result<KeyState, KeyCheckError> {
    let url = format!("{}/v1/models?limit=1", base.as_str().trim_end_matches('/'));
    let request =
        http::client().map_err(KeyCheckError::Unreachable)?.get(url).header("anthropic-version", "2023-06-01");
    let subscription = is_subscription(key);
    let request = match subscription {
        true => request
            .header("authorization", header_of(&format!("Bearer {}", key.expose_secret()))?)
            .header("anthropic-beta", OAUTH_BETA),
        false => request.header("x-api-key", header_of(key.expose_secret())?),
    };
    let answer = request.send().await.map_err(|e| KeyCheckError::Unreachable(http::scrubbed(e)))?;
    match answer.status().as_u16() {
        200..=299 => Ok(KeyState::Works),
        401 => Ok(KeyState::Refused),
        403 if subscription => Ok(KeyState::Narrow),
        403 => Ok(KeyState::Forbidden),
        429 | 529 => Ok(KeyState::Busy),
        other => Err(KeyCheckError::Unexpected(other)),
    }
}

fn header_of(secret: &str) -> Result<HeaderValue, KeyCheckError> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| KeyCheckError::Malformed)?;
    value.set_sensitive(true);
    Ok(value)
}
