//! The config as the program uses it: parsed once, so that nothing after has to doubt it.

mod bounds;
mod letters;
mod tasks;
mod ways;

pub use bounds::{Caps, Each};
pub use letters::{PushSettings, SmsSettings, TwilioSettings};
pub use tasks::{ForgeKind, ForgeSettings, TaskSettings, is_image};
pub use ways::{LanSettings, TunnelSettings};

use super::{Written, written, written::Preset};
use bounds::{agent_uid, caps, limits, size};
use domain::{
    Code, PhoneNumber, Problem,
    approval::GrantPolicy,
    risk::{Risk, TierRule, Tiers},
    session::Patience,
};
use egress::{CredentialRule, HostRule, Policy, Price, Prices};
use ipnet::IpNet;
use letters::{push, twilio};
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use url::Url;
use ways::public_url;

#[derive(Clone, Debug)]
pub struct Resolved {
    pub listen: SocketAddr,
    /// Without a trailing slash, exactly as written otherwise: Twilio's signature covers it.
    pub public_url: Option<String>,
    pub tunnel: TunnelSettings,
    pub lan: LanSettings,
    pub model_base: Url,
    pub patience: Patience,
    pub grants: GrantPolicy,
    /// The owner's own tiers.
    pub tiers: Arc<Tiers>,
    /// Whose texts may say yes; none: all that may text.
    pub approvers: Arc<[PhoneNumber]>,
    pub expiry: Duration,
    /// What the sandbox may reach.
    pub egress: Policy,
    /// And where packages come from.
    pub packages: bool,
    /// How long a connection to another host waits for the owner's answer; none: nobody is asked.
    pub host_patience: Option<Duration>,
    pub caps: Caps,
    pub twilio: Option<TwilioSettings>,
    pub sms: SmsSettings,
    pub push: PushSettings,
    pub tasks: TaskSettings,
    pub workspace: Option<PathBuf>,
    pub agent_uid: u32,
    /// Of the sandbox.
    pub size: sandbox::Size,
    /// Of each session in it.
    pub limits: sandbox::agent::Limits,
    pub api: ApiSettings,
    pub written: Written,
}

/// The companion API's own.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    pub per_minute: NonZeroU32,
    pub address_per_minute: NonZeroU32,
    /// Sessions that may have a process at once.
    pub sessions: usize,
    pub pace: Pace,
    /// Who is believed where a visitor comes from.
    pub proxies: Vec<IpNet>,
    /// How long a pairing code is shown and works. No file can say this.
    pub code_life: Duration,
}

/// How long a WebSocket may be quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two pings of ours.
    pub ping: Duration,
    /// A client that says nothing for this long is dropped.
    pub silence: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { ping: Duration::from_secs(25), silence: Duration::from_secs(60) }
    }
}

/// An error in one key's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `table.key`.
    pub key: String,
    pub problem: Problem,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        refused.problem
    }
}

pub(crate) fn wrong(key: &str, why: impl std::fmt::Display, suggestion: &str) -> Refused {
    let problem = Problem::with_detail(Code::ConfigInvalid, format!("{key}: {why}.")).suggest(suggestion);
    Refused { key: key.to_owned(), problem }
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(60))
}

impl Resolved {
    pub fn new(w: Written) -> Result<Self, Refused> {
        let listen = w.server.listen.parse().map_err(|e| {
            wrong("server.listen", e, "Write an address and a port, as in 127.0.0.1:3001; port 0 takes a free one.")
        })?;
        Ok(Self {
            listen,
            public_url: public_url(&w.server.public_url)?,
            tunnel: TunnelSettings::new(&w.tunnel)?,
            lan: LanSettings::new(&w.lan)?,
            model_base: base_url("anthropic.base_url", &w.anthropic.base_url)?,
            patience: Patience {
                silence: minutes(w.agent.silence_minutes.max(1)),
                tool_silence: minutes(w.agent.tool_silence_minutes.max(1)),
                idle: minutes(w.agent.idle_minutes.max(1)),
                waiting: w.agent.waiting.max(1),
                turn: minutes(w.limits.turn_minutes.max(1)),
                ..Patience::default()
            },
            grants: GrantPolicy {
                sms: grants(w.approvals.sms_grants),
                lock_screen: grants(w.approvals.lock_screen_grants),
                pin: grants(w.approvals.pin_from),
            },
            tiers: Arc::new(tiers(&w.approvals.tiers)?),
            approvers: letters::approvers(&w)?.into(),
            expiry: minutes(w.approvals.expire_minutes.max(1)),
            egress: Policy {
                allow: host_rules("egress.allow", &w.egress.allow)?,
                deny: host_rules("egress.deny", &w.egress.deny)?,
                open: w.egress.preset == Preset::Open,
                credentials: credentials(&w.egress.credentials)?,
                prices: prices(&w.spend.prices)?,
            },
            packages: w.egress.preset == Preset::Balanced,
            host_patience: match w.egress.preset {
                Preset::Locked => None,
                _ => Some(Duration::from_secs(w.egress.ask_seconds)).filter(|wait| !wait.is_zero()),
            },
            caps: caps(&w.spend)?,
            twilio: twilio(&w.twilio)?,
            sms: SmsSettings {
                segments: w.sms.segments.clamp(1, 10),
                per_minute: w.sms.per_minute.max(1),
                agent_per_hour: w.sms.agent_per_hour.max(1),
                link_life: minutes(w.sms.link_minutes.max(1)),
                picture_life: minutes(w.sms.picture_minutes.max(1)),
            },
            push: push(&w)?,
            tasks: TaskSettings::new(&w.tasks)?,
            workspace: Some(PathBuf::from(&w.sandbox.workspace)).filter(|p| !p.as_os_str().is_empty()),
            agent_uid: agent_uid(w.sandbox.uid),
            size: size(w.sandbox.size),
            limits: limits(&w)?,
            api: ApiSettings {
                per_minute: NonZeroU32::new(w.api.per_minute).unwrap_or(NonZeroU32::MIN),
                address_per_minute: NonZeroU32::new(w.api.address_per_minute).unwrap_or(NonZeroU32::MIN),
                sessions: w.limits.sessions.max(1),
                pace: Pace::default(),
                proxies: w.api.proxies.iter().map(|net| network(net)).collect::<Result<_, _>>()?,
                code_life: crate::pairing::CODE_LIFE,
            },
            written: w,
        })
    }
}

fn host_rules(key: &str, written: &[String]) -> Result<Vec<HostRule>, Refused> {
    let suggestion = "Write hosts as \"name\", \"*.name\" or \"name:port\", as in \"GET mirror.example:8080 private\".";
    written.iter().map(|rule| rule.parse().map_err(|e| wrong(key, e, suggestion))).collect()
}

fn credentials(written: &[String]) -> Result<Vec<CredentialRule>, Refused> {
    let suggestion = "Write each as in \"github.com/acme basic=x-access-token secret=github\".";
    written.iter().map(|rule| rule.parse().map_err(|e| wrong("egress.credentials", e, suggestion))).collect()
}

fn network(written: &str) -> Result<IpNet, Refused> {
    let one = written.parse::<IpAddr>().map(IpNet::from);
    let suggestion = "Write each as in 127.0.0.1 or 10.0.0.0/8.";
    one.or_else(|_| written.parse::<IpNet>()).map_err(|e| wrong("api.proxies", e, suggestion))
}

fn base_url(key: &str, written: &str) -> Result<Url, Refused> {
    let suggestion = "Write it as in https://api.example.com.";
    let url = Url::parse(written).map_err(|e| wrong(key, e, suggestion))?;
    let loopback = url.host_str().is_some_and(|h| h == "localhost" || h.starts_with("127.") || h == "[::1]");
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(wrong(key, "it must be https (http only on this computer)", suggestion)),
    }
}

fn prices(lines: &[String]) -> Result<Prices, Refused> {
    let suggestion = "Write each as in \"claude-opus-9 5 25 0.5\": dollars for a million tokens.";
    let read =
        |line: &String| line.parse::<Price>().map_err(|e| wrong("spend.prices", format!("{line:?}: {e}"), suggestion));
    Ok(Prices::new(lines.iter().map(read).collect::<Result<_, _>>()?))
}

fn tiers(lines: &[String]) -> Result<Tiers, Refused> {
    let suggestion = "Write each as in \"high Bash(terraform *)\" or \"free Bash(npm run check)\".";
    let read = |line: &String| {
        line.parse::<TierRule>().map_err(|e| wrong("approvals.tiers", format!("{line:?}: {e}"), suggestion))
    };
    Ok(Tiers::new(lines.iter().map(read).collect::<Result<_, _>>()?))
}

fn grants(written: written::Grants) -> Option<Risk> {
    match written {
        written::Grants::None => None,
        written::Grants::Low => Some(Risk::Low),
        written::Grants::Medium => Some(Risk::Medium),
        written::Grants::High => Some(Risk::High),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn refused(toml: &str, word: &str) {
        let Refused { key, problem } = Resolved::new(parse(toml).unwrap()).unwrap_err();
        assert_eq!(key, word);
        assert!(problem.message.contains(word), "{problem}");
        assert!(!problem.suggestion.is_empty());
    }

    #[test]
    fn values_that_cannot_be_meant_are_refused_with_a_way_forward() {
        refused("[server]\nlisten = \"3001\"", "server.listen");
        refused("[server]\npublic_url = \"https://x.test/path\"", "server.public_url");
        refused("[tunnel]\nedge_ca = \"/nowhere/ca.pem\"", "tunnel.edge_ca");
        refused("[anthropic]\nbase_url = \"http://example.com\"", "anthropic.base_url");
        refused("[push]\ncontact = \"me\"", "push.contact");
        refused("[push]\nbase_url = \"http://example.com\"", "push.base_url");
        refused(&format!("[lan]\nname = \"{}\"", "x".repeat(51)), "lan.name");
        refused("[egress]\nallow = [\"*\"]", "egress.allow");
        refused("[egress]\ncredentials = [\"github.com bearer\"]", "egress.credentials");
        refused("[spend]\nprices = [\"claude-opus-9 five 25\"]", "spend.prices");
        refused("[approvals]\ntiers = [\"never Bash(x)\"]", "approvals.tiers");
        refused("[approvals]\napprovers = [\"+15551230001\"]", "approvals.approvers");
        refused("[egress]\ndeny = [\"a.example sometimes\"]", "egress.deny");
        refused("[tasks]\nforges = [\"git.example\"]", "tasks.forges");
        refused("[tasks]\nmirrors_gb = -1.0", "tasks.mirrors_gb");
        refused("[spend]\nday = -1.0", "spend.day");
        refused("[spend]\nwarn_percent = 0", "spend.warn_percent");
        refused("[limits]\nmemory_gb = -1.0", "limits.memory_gb");
        refused("[twilio]\naccount_sid = \"AC1\"", "twilio.account_sid");
        let sid = "AC0123456789abcdef0123456789abcdef";
        refused(&format!("[twilio]\naccount_sid = \"{sid}\"\nfrom = \"me\""), "twilio.from");
        refused(
            &format!("[twilio]\naccount_sid = \"{sid}\"\nfrom = \"+15551230000\"\nallow = [\"5551\"]"),
            "twilio.allow",
        );
    }

    #[test]
    fn the_config_says_of_when_the_prices_are() {
        assert!(crate::config::DEFAULT_TOML.contains(&format!("which is of {}", egress::AS_OF)));
    }

    #[test]
    fn a_preset_says_who_is_let_out_unasked_and_whether_anybody_is_asked() {
        let preset = |name: &str| {
            let config = Resolved::new(parse(&format!("[egress]\npreset = \"{name}\"")).unwrap()).unwrap();
            (config.egress.open, config.packages, config.host_patience.is_some())
        };
        assert_eq!(preset("open"), (true, false, true));
        assert_eq!(preset("balanced"), (false, true, true));
        assert_eq!(preset("locked"), (false, false, false));
        let nobody = Resolved::new(parse("[egress]\nask_seconds = 0").unwrap()).unwrap();
        assert_eq!((nobody.packages, nobody.host_patience), (true, None));
    }

    #[test]
    fn an_account_without_a_number_texts_nobody_yet() {
        let sid = "AC0123456789abcdef0123456789abcdef";
        assert!(Resolved::new(parse(&format!("[twilio]\naccount_sid = \"{sid}\"")).unwrap()).unwrap().twilio.is_none());
    }

    #[test]
    fn a_socket_is_pinged_every_25_seconds_and_dropped_after_60_silent_ones() {
        let pace = Pace::default();
        assert_eq!((pace.ping, pace.silence), (Duration::from_secs(25), Duration::from_secs(60)));
        assert_eq!(Resolved::new(parse("").unwrap()).unwrap().api.pace, pace);
    }

    #[test]
    fn the_default_config_resolves() {
        let r = Resolved::new(parse("").unwrap()).unwrap();
        assert!(r.twilio.is_none() && r.public_url.is_none());
        assert_ne!(r.agent_uid, 0);
    }
}
