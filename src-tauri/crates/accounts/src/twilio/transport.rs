//! One call to Twilio's REST interface, and the four ways it can end other than well.

use super::{Credentials, TwilioAccount, explain};
use crate::{Cause, ExposeSecret, SecretString, http};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::{Deserialize, de::DeserializeOwned};
use std::{fmt, time::Duration};
use url::Url;

/// The largest JSON answer read: a page of 100 messages is about 150 kB.
const LARGEST_ANSWER: usize = 4 << 20;

/// What Twilio said no to, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub http: u16,
    /// Twilio's own number for it, as in its error index.
    pub code: Option<u32>,
    /// Twilio's sentence. It may quote numbers and texts: for a person, not for a log.
    pub message: String,
}

impl Refusal {
    /// What it means, in plain words; Twilio's own where we have none.
    pub fn words(&self) -> &str {
        self.code.and_then(explain).map_or(self.message.as_str(), |known| known.words)
    }

    /// Whether the same request may succeed later though nobody changes anything.
    pub fn retryable(&self) -> bool {
        self.blame() == super::Blame::Moment
    }

    /// What has to change for it to succeed.
    pub fn blame(&self) -> super::Blame {
        match (self.code.and_then(explain), self.http) {
            (Some(known), _) => known.blame,
            (None, 401 | 403) => super::Blame::Account,
            (None, _) => super::Blame::Message,
        }
    }
}

/// Log-safe: the numbers alone.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "error {code}, HTTP {}", self.http),
            None => write!(f, "HTTP {}", self.http),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self})")
    }
}

/// How a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("Twilio refused it ({0})")]
    Refused(Refusal),
    #[error("Twilio limits the rate of requests")]
    RateLimited { retry_after: Option<Duration> },
    /// No connection stood: the request never left.
    #[error("Twilio could not be reached")]
    Unreachable(#[source] Cause),
    /// The request left and no answer that can be understood came back: a time-out, a cut connection, HTTP 5xx. What
    /// was asked for may have been done.
    #[error("Twilio gave no clear answer")]
    NoAnswer(#[source] Cause),
}

impl CallError {
    pub fn code(&self) -> domain::Code {
        match self {
            CallError::Refused(_) => domain::Code::TwilioRefused,
            CallError::RateLimited { .. } | CallError::Unreachable(_) | CallError::NoAnswer(_) => {
                domain::Code::TwilioUnreachable
            }
        }
    }

    /// Whether asking again may help. (For a send, look first: see [`super::SendError`].)
    pub fn retryable(&self) -> bool {
        match self {
            CallError::Refused(refusal) => refusal.retryable(),
            CallError::RateLimited { .. } | CallError::Unreachable(_) | CallError::NoAnswer(_) => true,
        }
    }
}

/// The account's connection to Twilio.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub account_sid: String,
    pub base: Url,
    pub http: Client,
    /// From the first byte sent to the last byte read.
    pub deadline: Duration,
    user: String,
    password: SecretString,
}

impl Api {
    pub fn new(account: TwilioAccount) -> Result<Self, Cause> {
        let (user, password) = match account.credentials {
            Credentials::AuthToken(token) => (account.account_sid.clone(), token),
            Credentials::ApiKey { sid, secret } => (sid, secret),
        };
        Ok(Self {
            account_sid: account.account_sid,
            base: account.api,
            http: http::client()?,
            deadline: http::WHOLE_CALL,
            user,
            password,
        })
    }

    /// `{base}/2010-04-01/Accounts/{sid}{path}`.
    pub fn resource(&self, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}{path}", self.base.as_str().trim_end_matches('/'), self.account_sid)
    }

    pub fn request(&self, method: Method, url: impl reqwest::IntoUrl) -> RequestBuilder {
        self.http
            .request(method, url)
            .timeout(self.deadline)
            .basic_auth(&self.user, Some(self.password.expose_secret()))
    }

    /// Sends, sorts out every failure, and reads the JSON.
    pub async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CallError> {
        let answer = self.send(request).await?;
        let body = match http::read_at_most(answer, LARGEST_ANSWER).await {
            Ok(body) => body,
            Err(http::Unread::TooLarge) => return Err(CallError::NoAnswer("the answer is too large".into())),
            Err(http::Unread::Broken(cause)) => return Err(CallError::NoAnswer(cause)),
        };
        // The parser's sentence may quote a text or a number; the place is enough.
        serde_json::from_slice(&body).map_err(|e| {
            CallError::NoAnswer(
                format!("the answer is not what Twilio documents (column {}, {:?})", e.column(), e.classify()).into(),
            )
        })
    }

    /// Sends and gives back an answer of 2xx or 3xx.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, CallError> {
        let answer = request.send().await.map_err(unsent_or_unanswered)?;
        let status = answer.status();
        match status.as_u16() {
            200..400 => Ok(answer),
            429 => Err(CallError::RateLimited { retry_after: retry_after(&answer) }),
            500.. => Err(CallError::NoAnswer(format!("HTTP {}", status.as_u16()).into())),
            _ => Err(refused(answer).await),
        }
    }
}

/// Only an error before a connection stood proves that nothing was sent.
fn unsent_or_unanswered(error: reqwest::Error) -> CallError {
    match error.is_connect() || error.is_builder() {
        true => CallError::Unreachable(http::scrubbed(error)),
        false => CallError::NoAnswer(http::scrubbed(error)),
    }
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[derive(Deserialize)]
struct ErrorBody {
    code: Option<u32>,
    message: Option<String>,
}

async fn refused(answer: Response) -> CallError {
    let http_status = answer.status().as_u16();
    let retry_after = retry_after(&answer);
    let body = http::read_at_most(answer, LARGEST_ANSWER).await.unwrap_or_else(|_| bytes::Bytes::new());
    let said = serde_json::from_slice(&body).unwrap_or(ErrorBody { code: None, message: None });
    if said.code == Some(20429) {
        return CallError::RateLimited { retry_after };
    }
    let message = said.message.unwrap_or_else(|| format!("HTTP {http_status}"));
    CallError::Refused(Refusal { http: http_status, code: said.code, message })
}
