//! Signing in by device flow (RFC 8628): the owner types a short code on the forge's own page, and no secret of the app's is
//! needed.

use crate::{
    Cause, SecretString,
    forge::transport::is_private,
    http::{self, Unread},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;
use url::Url;

const LARGEST_ANSWER: usize = 64 << 10;
/// Between two looks where the forge does not say (RFC 8628, 3.5).
const USUAL_INTERVAL: u64 = 5;

#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The app is not known there, or may not sign in so.
    #[error("the forge refused to begin: {0}")]
    Refused(String),
    #[error("the owner said no")]
    Denied,
    #[error("the code has run out")]
    Expired,
    #[error("the forge could not be reached")]
    Unreachable(#[source] Cause),
}

impl DeviceError {
    pub fn code(&self) -> domain::Code {
        match self {
            Self::Refused(_) | Self::Denied | Self::Expired => domain::Code::ForgeRefused,
            Self::Unreachable(_) => domain::Code::UpstreamUnreachable,
        }
    }
}

/// Where a forge signs in.
#[derive(Clone, Debug)]
pub struct DeviceFlow {
    http: reqwest::Client,
    /// `https://github.com/login/device/code`.
    begin: Url,
    /// `https://github.com/login/oauth/access_token`.
    token: Url,
    client_id: String,
}

/// A sign-in that has begun.
#[derive(Clone, Debug, Deserialize)]
pub struct Device {
    device_code: SecretString,
    /// What the owner types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// Seconds until it is void.
    pub expires_in: u64,
    /// Seconds between two looks.
    #[serde(default = "usual_interval")]
    pub interval: u64,
}

fn usual_interval() -> u64 {
    USUAL_INTERVAL
}

/// What the owner's yes gave.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub token: SecretString,
    /// Seconds that it is good for, where that is not for ever: a GitHub App's, unless its owner has switched that off.
    pub expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Option<SecretString>,
    expires_in: Option<u64>,
    error: Option<String>,
    error_description: Option<String>,
    interval: Option<u64>,
}

impl DeviceFlow {
    /// Both addresses must be https (http only on loopback).
    ///
    /// # Errors
    /// If one is not, or the system's certificates cannot be read.
    pub fn new(begin: Url, token: Url, client_id: String) -> Result<Self, DeviceError> {
        if [&begin, &token].into_iter().any(|url| !is_private(url)) {
            return Err(DeviceError::Refused("its address is not https".into()));
        }
        Ok(Self { http: http::client().map_err(DeviceError::Unreachable)?, begin, token, client_id })
    }

    /// Begins. `scope`: what is wished for, in the forge's words; nothing for a GitHub App, whose permissions are its own.
    pub async fn begin(&self, scope: &str) -> Result<Device, DeviceError> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Begun {
            Well(Device),
            Not { error: String, error_description: Option<String> },
        }
        match self.post(&self.begin, &[("client_id", &self.client_id), ("scope", scope)]).await? {
            Begun::Well(device) => Ok(device),
            Begun::Not { error, error_description } => Err(DeviceError::Refused(error_description.unwrap_or(error))),
        }
    }

    /// Looks until the owner has answered, or the code has run out.
    pub async fn wait(&self, device: &Device) -> Result<SignedIn, DeviceError> {
        use crate::ExposeSecret;
        let mut interval = device.interval.max(1);
        let fields = [
            ("client_id", self.client_id.as_str()),
            ("device_code", device.device_code.expose_secret()),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ];
        let looking = async {
            loop {
                tokio::time::sleep(Duration::from_secs(interval)).await;
                let granted: Granted = match self.post(&self.token, &fields).await {
                    Ok(granted) => granted,
                    // The network may be away for a moment while the owner is at another screen.
                    Err(DeviceError::Unreachable(_)) => continue,
                    Err(e) => return Err(e),
                };
                if let Some(token) = granted.access_token {
                    return Ok(SignedIn { token, expires_in: granted.expires_in });
                }
                match granted.error.as_deref() {
                    Some("authorization_pending") => {}
                    Some("slow_down") => interval = granted.interval.unwrap_or(interval + USUAL_INTERVAL),
                    Some("access_denied") => return Err(DeviceError::Denied),
                    Some("expired_token" | "token_expired") => return Err(DeviceError::Expired),
                    other => {
                        let said = granted.error_description.or(other.map(str::to_owned)).unwrap_or_default();
                        return Err(DeviceError::Refused(said));
                    }
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(device.expires_in), looking).await;
        ended.unwrap_or(Err(DeviceError::Expired))
    }

    async fn post<T: DeserializeOwned>(&self, url: &Url, fields: &[(&str, &str)]) -> Result<T, DeviceError> {
        let unreachable = |e| DeviceError::Unreachable(http::scrubbed(e));
        let request = self.http.post(url.clone()).header("accept", "application/json").form(fields);
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(DeviceError::Unreachable(format!("it answered with HTTP {status}").into()));
        }
        let body = http::read_at_most(answer, LARGEST_ANSWER).await.map_err(|e| match e {
            Unread::TooLarge => DeviceError::Unreachable("its answer is too large".into()),
            Unread::Broken(cause) => DeviceError::Unreachable(cause),
        })?;
        serde_json::from_slice(&body).map_err(|_| DeviceError::Refused(format!("it answered with HTTP {status}")))
    }
}
