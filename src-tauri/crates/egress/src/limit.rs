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

/// How much of one of a subscription's windows is used, as the head of each answer says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// `5h` or `7d`.
    pub name: &'static str,
    /// 1.0 is all of it.
    pub used: f64,
    /// None where it was not said.
    pub resets_at: Option<Timestamp>,
}

/// `anthropic-ratelimit-unified-5h-utilization` (a fraction) and `-reset` (seconds since 1970), and the same for `7d`, as Claude Code 2.1.329
/// reads them. A key has none.
pub(crate) fn windows(headers: &HeaderMap) -> Vec<Window> {
    let text =
        |name: &str, what: &str| headers.get(format!("anthropic-ratelimit-unified-{name}-{what}"))?.to_str().ok();
    let window = |name: &'static str| {
        let used = text(name, "utilization")?.trim().parse::<f64>().ok().filter(|used| (0.0..=100.0).contains(used))?;
        let seconds = text(name, "reset").and_then(|at| at.trim().parse::<i64>().ok());
        Some(Window { name, used, resets_at: seconds.and_then(|at| at.checked_mul(1000)).map(Timestamp) })
    };
    ["5h", "7d"].into_iter().filter_map(window).collect()
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
    fn the_windows_of_a_subscription_are_read_from_any_answer() {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
        };
        let said = headers(&[
            ("anthropic-ratelimit-unified-5h-utilization", "0.42"),
            ("anthropic-ratelimit-unified-5h-reset", "1790003600"),
            ("anthropic-ratelimit-unified-7d-utilization", "1.01"),
        ]);
        let five = Window { name: "5h", used: 0.42, resets_at: Some(Timestamp(1_790_003_600_000)) };
        assert_eq!(windows(&said), [five, Window { name: "7d", used: 1.01, resets_at: None }]);
        for odd in ["NaN", "-1", "", "much", "inf"] {
            assert_eq!(windows(&headers(&[("anthropic-ratelimit-unified-5h-utilization", odd)])), [], "{odd}");
        }
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
