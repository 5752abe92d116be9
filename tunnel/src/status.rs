//! What the tunnel is doing, as a person may read it.

use domain::{Problem, phrases};
use serde::Serialize;
use std::time::{Duration, SystemTime};

/// The state of the tunnel. Times are the wall clock's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TunnelStatus {
    /// Switched off, here or by stopping Lanyard.
    Off,
    /// Not there yet, or lost and on its way back. `attempt` counts from 1 since the last time it was open.
    Connecting {
        attempt: u32,
        /// When the next attempt begins; none while one is under way.
        #[serde(serialize_with = "millis_or_none")]
        next_try: Option<SystemTime>,
        /// Why the last attempt failed or the link was lost, where that is known.
        why: Option<Problem>,
    },
    /// Open at this URL (`https://…`, no path) since then.
    Open {
        url: String,
        #[serde(serialize_with = "millis")]
        since: SystemTime,
    },
    /// ngrok said no.
    Refused {
        why: Problem,
        /// When it is tried again; none where that needs the owner first.
        #[serde(serialize_with = "millis_or_none")]
        next_try: Option<SystemTime>,
    },
}

impl TunnelStatus {
    /// The public URL, while there is one that works.
    pub fn url(&self) -> Option<&str> {
        match self {
            TunnelStatus::Open { url, .. } => Some(url),
            TunnelStatus::Off | TunnelStatus::Connecting { .. } | TunnelStatus::Refused { .. } => None,
        }
    }

    pub fn problem(&self) -> Option<&Problem> {
        match self {
            TunnelStatus::Connecting { why, .. } => why.as_ref(),
            TunnelStatus::Refused { why, .. } => Some(why),
            TunnelStatus::Off | TunnelStatus::Open { .. } => None,
        }
    }

    /// `off`, `connecting`, `open` or `refused`, as it is serialized.
    pub fn word(&self) -> &'static str {
        match self {
            TunnelStatus::Off => "off",
            TunnelStatus::Connecting { .. } => "connecting",
            TunnelStatus::Open { .. } => "open",
            TunnelStatus::Refused { .. } => "refused",
        }
    }

    /// One line for a person.
    pub fn in_words(&self, now: SystemTime) -> String {
        let until = |then: &Option<SystemTime>| then.map(|then| then.duration_since(now).unwrap_or(Duration::ZERO));
        match self {
            TunnelStatus::Off => phrases::tunnel_off().to_owned(),
            TunnelStatus::Connecting { attempt, next_try, .. } => phrases::tunnel_connecting(*attempt, until(next_try)),
            TunnelStatus::Open { url, .. } => phrases::tunnel_open(url),
            TunnelStatus::Refused { why, next_try } => {
                phrases::tunnel_refused(&why.message, &why.suggestion, until(next_try))
            }
        }
    }
}

/// Milliseconds since 1970, as every time in Lanyard's API.
fn millis<S: serde::Serializer>(at: &SystemTime, out: S) -> Result<S::Ok, S::Error> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    out.serialize_u64(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn millis_or_none<S: serde::Serializer>(at: &Option<SystemTime>, out: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => millis(at, out),
        None => out.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Code;

    #[test]
    fn a_person_reads_what_is_wrong_what_to_do_and_when() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let taken =
            TunnelStatus::Refused { why: Code::TunnelAgentLimit.into(), next_try: Some(now + Duration::from_secs(12)) };
        assert_eq!(
            taken.in_words(now),
            "As many ngrok agents are online as the account allows. Stop one at dashboard.ngrok.com/agents; the tunnel then opens by itself. Next attempt in 12 s."
        );
        let json = serde_json::to_value(&taken).unwrap();
        assert_eq!(json["state"], taken.word());
        assert_eq!(json["why"]["code"], "TUNNEL_AGENT_LIMIT");
        assert_eq!(json["next_try"], 1_012_000);
    }
}
