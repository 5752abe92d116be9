//! "Limit reached until 15:00": when the provider says so in the head of a refusal.

use domain::Timestamp;
use hyper::{StatusCode, header::HeaderMap};

/// What is over sooner the agent itself waits for.
const SHORTEST_MS: i64 = 2 * 60 * 1000;
/// Windows of a week are the longest that subscriptions have; what is said beyond is no such time.
const LONGEST_MS: i64 = 8 * 24 * 3600 * 1000;

/// Until when requests are refused. `anthropic-ratelimit-unified-reset` (seconds since 1970) is a subscription's window;
/// `retry-after` (seconds) says the same of a key.
pub(crate) fn until(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    if status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let reset = number("anthropic-ratelimit-unified-reset").and_then(|at| at.checked_mul(1000));
    let wait = number("retry-after").and_then(|seconds| now.0.checked_add(seconds.checked_mul(1000)?));
    let until = reset.into_iter().chain(wait).max()?;
    (SHORTEST_MS..LONGEST_MS).contains(&until.saturating_sub(now.0)).then_some(Timestamp(until))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn said(status: u16, pairs: &[(&'static str, &str)]) -> Option<i64> {
        let headers = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect();
        until(StatusCode::from_u16(status).unwrap(), &headers, NOW).map(|at| (at.0 - NOW.0) / 1000)
    }

    #[test]
    fn the_time_is_read_from_a_refusal_and_from_nothing_else() {
        assert_eq!(said(429, &[("anthropic-ratelimit-unified-reset", "1790003600")]), Some(3600));
        assert_eq!(said(429, &[("retry-after", "600")]), Some(600));
        assert_eq!(
            said(429, &[("retry-after", "600"), ("anthropic-ratelimit-unified-reset", "1790003600")]),
            Some(3600)
        );
        assert_eq!(said(200, &[("anthropic-ratelimit-unified-reset", "1790003600")]), None);
        for none in ["30", "-5", "soon", "99999999", "9223372036854775807", ""] {
            assert_eq!(said(429, &[("retry-after", none)]), None, "{none}");
        }
        assert_eq!(said(429, &[]), None);
    }
}
