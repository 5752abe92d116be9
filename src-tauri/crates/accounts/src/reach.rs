//! Is an address reachable from here, and what does its clock say? For doctor; no credentials go along.

use crate::{Cause, http, twilio::SIGNATURE_HEADER};
use domain::Timestamp;
use std::net::SocketAddr;

/// The largest beginning of a page that is read.
const PAGE: usize = 64 * 1024;

/// What came back.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The far side's clock, to the second.
    pub date: Option<Timestamp>,
}

/// One GET whose body is not read; at most 15 s. Interstitial pages for browsers are asked to step aside.
pub async fn head(url: &str) -> Result<Answer, Cause> {
    let request = http::client()?.get(url).header("ngrok-skip-browser-warning", "1");
    let answer = request.send().await.map_err(http::scrubbed)?;
    let date = answer.headers().get("date").and_then(|d| d.to_str().ok()).and_then(parse_date);
    Ok(Answer { status: answer.status().as_u16(), date })
}

/// Asks our own public address as somebody outside would.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// PEM of a CA that is trusted beside the system's.
    pub roots: Option<String>,
    /// Where these hosts are, instead of where their names lead.
    pub resolve: Vec<(String, SocketAddr)>,
}

/// A page's answer.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Empty if it is longer than 64 kB.
    pub body: String,
}

impl Visitor {
    fn client(&self) -> Result<reqwest::Client, Cause> {
        http::client_with(|builder| {
            let builder = self.resolve.iter().fold(builder, |builder, (host, at)| builder.resolve(host, *at));
            match &self.roots {
                Some(pem) => Ok(builder.add_root_certificate(reqwest::Certificate::from_pem(pem.as_bytes())?)),
                None => Ok(builder),
            }
        })
    }

    /// A GET with exactly these headers; at most 15 s, no redirect is followed.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn page(&self, url: &str, headers: &[(&'static str, &'static str)]) -> Result<Page, Cause> {
        let request =
            headers.iter().fold(self.client()?.get(url), |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.map_err(http::scrubbed)?;
        let status = answer.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = http::read_at_most(answer, PAGE).await.unwrap_or_default();
        Ok(Page { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// A form post with Twilio's header; gives the status.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)], signature: &str) -> Result<u16, Cause> {
        let request = self.client()?.post(url).header(SIGNATURE_HEADER, signature).form(fields);
        Ok(request.send().await.map_err(http::scrubbed)?.status().as_u16())
    }
}

fn parse_date(written: &str) -> Option<Timestamp> {
    // HTTP dates are RFC 2822's with a zone named GMT (RFC 9110, 5.6.7).
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(written).ok()?;
    Some(Timestamp(date.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Timestamp(784_111_777_000)));
        assert_eq!(parse_date("yesterday"), None);
    }
}
