//! One call to a forge's REST interface, and the ways it can end other than well.

use crate::{
    Cause, ExposeSecret, SecretString,
    http::{self, Unread},
};
use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The largest answer read: a page of 100 repositories is about 600 kB.
const LARGEST_ANSWER: usize = 8 << 20;
/// Characters of a forge's own words that are told.
const SAID: usize = 300;

/// How a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// 401: no such token, or it has run out.
    #[error("the forge refused the token")]
    Token,
    /// 404 or 410: not there, or not for this token; 301: it has another name by now.
    #[error("it is not there (any more), or not for this account")]
    Missing,
    /// The token may not do this, or the forge will not: its words.
    #[error("the forge refused it (HTTP {status}): {said}")]
    Refused { status: u16, said: String },
    #[error("the forge limits the rate of requests")]
    RateLimited { retry_after: Option<Duration> },
    /// It has not left, or no answer came that can be understood.
    #[error("the forge could not be reached")]
    Unreachable(#[source] Cause),
    #[error("the forge's address must be https (http only on loopback)")]
    Address,
    #[error("the token holds characters that no token holds")]
    Malformed,
}

impl ForgeError {
    pub fn code(&self) -> domain::Code {
        match self {
            Self::Token | Self::Malformed | Self::Refused { .. } => domain::Code::ForgeRefused,
            Self::Missing => domain::Code::RepositoryRefused,
            Self::RateLimited { .. } => domain::Code::TooManyRequests,
            Self::Unreachable(_) => domain::Code::UpstreamUnreachable,
            Self::Address => domain::Code::ConfigInvalid,
        }
    }

    /// Whether the same call may go better later though nobody changes anything.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unreachable(_))
    }
}

/// A forge's interface with one account's token.
#[derive(Clone, Debug)]
pub(super) struct Api {
    base: Url,
    http: Client,
}

/// How a forge says why not.
#[derive(Deserialize)]
struct Said {
    message: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    errors: Vec<Value>,
}

impl Api {
    /// `own`: headers of this forge.
    pub fn new(base: &Url, token: &SecretString, own: &[(&'static str, &'static str)]) -> Result<Self, ForgeError> {
        if !is_private(base) {
            return Err(ForgeError::Address);
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret().trim()))
            .map_err(|_| ForgeError::Malformed)?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        for (name, value) in own {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let http =
            http::client_with(|builder| Ok(builder.default_headers(headers))).map_err(ForgeError::Unreachable)?;
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { base, http })
    }

    /// `path` below the base, each part written as it is: a part that a person gave goes through [`part`] first.
    pub fn call(&self, method: Method, path: &str) -> Result<RequestBuilder, ForgeError> {
        let url = self.base.join(path).map_err(|_| ForgeError::Missing)?;
        Ok(self.http.request(method, url))
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, ForgeError> {
        answer(self.call(Method::GET, path)?.query(query)).await
    }

    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ForgeError> {
        answer(self.call(method, path)?.json(body)).await
    }
}

/// Whether nobody on the way reads along.
pub(super) fn is_private(url: &Url) -> bool {
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    url.scheme() == "https" || loopback && url.scheme() == "http"
}

/// One part of a path, so that nothing in it divides or ends the path, or is a step up.
pub(super) fn part(text: &str) -> String {
    let written = form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    match written.as_str() {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => written,
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ForgeError> {
    let answer = request.send().await.map_err(|e| ForgeError::Unreachable(http::scrubbed(e)))?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = http::read_at_most(answer, LARGEST_ANSWER).await.map_err(|e| match e {
        Unread::TooLarge => ForgeError::Unreachable("its answer is too large".into()),
        Unread::Broken(cause) => ForgeError::Unreachable(cause),
    })?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|e| ForgeError::Unreachable(e.into()));
    }
    Err(refusal(status, &headers, &body))
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ForgeError {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    // GitHub's limits come as 403, too.
    let used_up = number("x-ratelimit-remaining") == Some(0) || headers.contains_key(RETRY_AFTER);
    match status.as_u16() {
        401 => ForgeError::Token,
        403 | 429 if used_up || status == StatusCode::TOO_MANY_REQUESTS || said(body).contains("rate limit") => {
            ForgeError::RateLimited { retry_after: number(RETRY_AFTER.as_str()).map(Duration::from_secs) }
        }
        301 | 404 | 410 => ForgeError::Missing,
        500.. => ForgeError::Unreachable(format!("it answered with HTTP {status}").into()),
        status => ForgeError::Refused { status, said: said(body) },
    }
}

/// For a person; on one line and bounded.
fn said(body: &[u8]) -> String {
    let Ok(Said { message, error, errors }) = serde_json::from_slice(body) else { return String::new() };
    let all: Vec<String> =
        message.and_then(text).into_iter().chain(error).chain(errors.into_iter().filter_map(text)).collect();
    domain::shown::shown_line(&all.join(" "), SAID)
}

/// A sentence; GitHub's entry of a list, with or without one; GitLab's list, and its table of lists by field.
fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(all) => Some(all.into_iter().filter_map(text).collect::<Vec<_>>().join(", ")),
        Value::Object(entry) => match entry.get("message") {
            Some(message) => text(message.clone()),
            None => {
                let fields = entry.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", text(value)?)));
                Some(fields.collect::<Vec<_>>().join(", "))
            }
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, header: Option<(&'static str, &'static str)>, body: &str) -> ForgeError {
        let headers: HeaderMap =
            header.into_iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
        refusal(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn each_refusal_says_what_to_do_about_it() {
        let limited = refused(403, Some(("x-ratelimit-remaining", "0")), "{}");
        assert!(matches!(limited, ForgeError::RateLimited { retry_after: None }) && limited.retryable());
        let later = refused(429, Some(("retry-after", "7")), "");
        assert!(matches!(later, ForgeError::RateLimited { retry_after: Some(after) } if after.as_secs() == 7));
        assert!(matches!(refused(401, None, "{}"), ForgeError::Token));
        assert!(matches!(refused(404, None, "{}"), ForgeError::Missing));
        assert!(refused(502, None, "<html>").retryable());
        let why = r#"{"message":"Validation Failed","errors":[{"message":"No commits between main and x"}]}"#;
        let ForgeError::Refused { status: 422, said } = refused(422, None, why) else { panic!() };
        assert_eq!(said, "Validation Failed No commits between main and x");
        let gitlab = r#"{"message":["Another open merge request already exists: !3"]}"#;
        let ForgeError::Refused { said, .. } = refused(409, None, gitlab) else { panic!() };
        assert!(said.starts_with("Another open"));
        let fields = r#"{"message":{"source_branch":["does not exist"]}}"#;
        let ForgeError::Refused { said, .. } = refused(400, None, fields) else { panic!() };
        assert_eq!(said, "source_branch does not exist");
        let secondary = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        assert!(refused(403, None, secondary).retryable());
    }

    #[test]
    fn a_name_in_a_path_stays_one_part_of_it() {
        assert_eq!(part("group/below shop?#%"), "group%2Fbelow%20shop%3F%23%25");
    }

    #[test]
    fn a_token_goes_to_nobody_in_the_clear() {
        let api = |base: &str| Api::new(&base.parse().unwrap(), &"t".into(), &[]).map(drop);
        assert!(api("http://127.0.0.1:1/").is_ok() && api("https://git.example/api/v4").is_ok());
        assert!(matches!(api("http://git.example/"), Err(ForgeError::Address)));
    }
}
