//! Is an address reachable from here, and what does its clock say? For doctor; no credentials go along.

use crate::{Cause, http};
use domain::Timestamp;

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
