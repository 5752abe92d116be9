//! Which headers pass the door.

use crate::house::Credential;
use hyper::{
    HeaderMap,
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, InvalidHeaderValue,
        PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};
use secrecy::ExposeSecret;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// What the API wants said when the bearer is a token of a subscription.
const OAUTH_BETA: &str = "oauth-2025-04-20";

/// Of one connection only, by RFC 9110 and custom.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Answers of the model pass with these, and with those that begin `anthropic-ratelimit-`; all else (cookies, the
/// organisation's id, the address of its front) stays out of the sandbox.
const ANSWER: [&str; 9] = [
    "content-type",
    "content-length",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "date",
    "cache-control",
    "anthropic-version",
];

/// Requests to the model pass with these and with those that begin so: what Claude Code and the SDKs send, less
/// credentials and what describes the body's encoding.
const REQUEST: [&str; 4] = ["accept", "user-agent", "x-app", "x-client-request-id"];
const REQUEST_BEGINS: [&str; 3] = ["anthropic-", "x-stainless-", "x-claude-"];

/// The sandbox's own token, as the model's clients send it. A request with several is nobody's.
pub(crate) fn model_token(headers: &HeaderMap) -> Option<String> {
    let keys = headers.get_all(API_KEY).iter().map(|v| v.to_str().ok());
    let bearers = headers.get_all(AUTHORIZATION).iter().map(|v| v.to_str().ok().and_then(|v| scheme(v, "bearer")));
    let mut tokens = keys.chain(bearers).map(|token| token.unwrap_or_default());
    let first = tokens.next()?;
    tokens.all(|token| token == first).then(|| first.to_owned()).filter(|token| !token.is_empty())
}

/// The password of `Proxy-Authorization: Basic`; the user name is for people to read.
pub(crate) fn proxy_token(headers: &HeaderMap) -> Option<String> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let mut all = headers.get_all(PROXY_AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return None };
    let pair = BASE64_STANDARD.decode(scheme(value.to_str().ok()?, "basic")?).ok()?;
    let (_, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some(password.to_owned()).filter(|token| !token.is_empty())
}

fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim())
}

/// Leaves what may go to the model: no credential, nothing that says the body is other than it was read here.
pub(crate) fn clean_for_model(headers: &mut HeaderMap) {
    drop_hop_by_hop(headers);
    keep(headers, &REQUEST, &REQUEST_BEGINS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // The meter reads the answer as it passes, so it must come plain.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

/// Puts the real credential on. Marked sensitive, so that no Debug prints it and HTTP/2 keeps it out of its tables.
pub(crate) fn put_on(headers: &mut HeaderMap, key: &Credential) -> Result<(), InvalidHeaderValue> {
    let (name, text) = match key {
        Credential::ApiKey(key) => (API_KEY, key.expose_secret().to_owned()),
        Credential::Bearer(token) => {
            if token.expose_secret().starts_with("sk-ant-oat") {
                headers.append(BETA, HeaderValue::from_static(OAUTH_BETA));
            }
            (AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
        }
    };
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Leaves what may come back from the model.
pub(crate) fn clean_answer(headers: &mut HeaderMap) {
    keep(headers, &ANSWER, &["anthropic-ratelimit-"]);
}

/// It is of no use to ask again soon.
pub(crate) fn no_retry(headers: &mut HeaderMap) {
    headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
}

fn keep(headers: &mut HeaderMap, names: &[&str], beginnings: &[&str]) {
    let kept = |name: &str| names.contains(&name) || beginnings.iter().any(|beginning| name.starts_with(beginning));
    let others: Vec<HeaderName> = headers.keys().filter(|name| !kept(name.as_str())).cloned().collect();
    for name in others {
        headers.remove(name);
    }
}

/// Drops what belongs to one connection: the known names and those that `Connection` lists.
pub(crate) fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), v.parse().unwrap())).collect()
    }

    #[test]
    fn a_token_is_read_from_either_header_and_two_different_are_none() {
        assert_eq!(model_token(&map(&[("x-api-key", "t")])).as_deref(), Some("t"));
        assert_eq!(model_token(&map(&[("authorization", "bearer t")])).as_deref(), Some("t"));
        assert_eq!(model_token(&map(&[("authorization", "Bearer t"), ("x-api-key", "t")])).as_deref(), Some("t"));
        assert_eq!(model_token(&map(&[("authorization", "Bearer t"), ("x-api-key", "u")])), None);
        assert_eq!(model_token(&map(&[("authorization", "Basic dA==")])), None);
        assert_eq!(model_token(&HeaderMap::new()), None);
    }

    #[test]
    fn the_proxy_password_is_the_token() {
        assert_eq!(proxy_token(&map(&[("proxy-authorization", "Basic bGFueWFyZDp0OnQ=")])).as_deref(), Some("t:t"));
        for value in ["Bearer t", "Basic !", "Basic bGFueWFyZA==", "Basic bGFueWFyZDo="] {
            assert_eq!(proxy_token(&map(&[("proxy-authorization", value)])), None, "{value}");
        }
    }

    #[test]
    fn nothing_that_identifies_passes_either_way() {
        let mut out = map(&[
            ("x-api-key", "t"),
            ("authorization", "Bearer t"),
            ("cookie", "c"),
            ("proxy-authorization", "p"),
            ("connection", "x-mine, close"),
            ("x-mine", "1"),
            ("accept-encoding", "gzip"),
            ("anthropic-version", "2023-06-01"),
            ("host", "h"),
            ("content-encoding", "br"),
            ("content-type", "application/json; charset=utf-7"),
        ]);
        clean_for_model(&mut out);
        let passed = [
            ("accept-encoding", "identity"),
            ("anthropic-version", "2023-06-01"),
            ("content-type", "application/json"),
        ];
        assert_eq!(out, map(&passed));
        let mut back = map(&[
            ("set-cookie", "c"),
            ("anthropic-organization-id", "o"),
            ("request-id", "r"),
            ("anthropic-ratelimit-requests-limit", "5"),
        ]);
        clean_answer(&mut back);
        assert_eq!(back, map(&[("request-id", "r"), ("anthropic-ratelimit-requests-limit", "5")]));
    }

    #[test]
    fn the_credential_never_prints() {
        let mut headers = HeaderMap::new();
        let key = Credential::ApiKey("sk-real".into());
        put_on(&mut headers, &key).unwrap();
        assert_eq!(headers["x-api-key"], "sk-real");
        assert!(!format!("{headers:?} {key:?}").contains("sk-real"));
    }
}
