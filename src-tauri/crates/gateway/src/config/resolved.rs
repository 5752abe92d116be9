//! The config as the program uses it: parsed once, so that nothing after has to doubt it.

use super::{Written, written};
use domain::{
    Address, Code, PhoneNumber, Problem, approval::GrantPolicy, risk::Risk, session::Patience, usage::MicroDollars,
};
use egress::HostRule;
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};
use url::Url;

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
    pub expiry: Duration,
    /// What the sandbox may reach.
    pub egress: Vec<HostRule>,
    pub caps: Caps,
    pub twilio: Option<TwilioSettings>,
    pub sms: SmsSettings,
    pub push: PushSettings,
    pub workspace: Option<PathBuf>,
    pub agent_uid: u32,
    /// Of the sandbox.
    pub size: sandbox::Size,
    /// Of each session in it.
    pub limits: sandbox::agent::Limits,
    pub api: ApiSettings,
    pub written: Written,
}

#[derive(Clone, Debug, Default)]
pub struct TunnelSettings {
    /// Unless the owner has switched it since.
    pub enabled: bool,
    pub domain: Option<String>,
    pub set_webhook: bool,
    /// Another edge than ngrok's, with the CA that vouches for it (PEM).
    pub edge: Option<String>,
    pub roots: Option<String>,
    /// Where its public side is. No file can say this.
    pub resolve: Vec<(String, SocketAddr)>,
}

impl TunnelSettings {
    fn new(written: &written::Tunnel) -> Result<Self, Refused> {
        let named = |key: &str| Some(key.trim().to_owned()).filter(|key| !key.is_empty());
        let roots = named(&written.edge_ca).map(std::fs::read_to_string).transpose().map_err(|e| {
            wrong(
                "tunnel.edge_ca",
                e,
                "Name a file with the CA's certificate in PEM, or leave it empty for ngrok's own.",
            )
        })?;
        let (domain, edge) = (named(&written.domain), named(&written.edge));
        let (enabled, set_webhook) = (written.enabled, written.set_webhook);
        Ok(Self { enabled, domain, set_webhook, edge, roots, resolve: Vec::new() })
    }

    /// Who asks the public address as somebody outside would.
    pub fn visitor(&self) -> accounts::reach::Visitor {
        accounts::reach::Visitor { roots: self.roots.clone(), resolve: self.resolve.clone() }
    }
}

/// The door on the local network.
#[derive(Clone, Debug)]
pub struct LanSettings {
    /// Unless the owner has switched it since.
    pub enabled: bool,
    /// 0: a free one.
    pub port: u16,
    pub name: String,
    /// Another network than the one this computer is in, another haste, another clock. No file can say these.
    pub reach: tunnel::Reach,
    pub tick: Duration,
    pub wall: tunnel::clock::Wall,
}

impl LanSettings {
    fn new(written: &written::Lan) -> Result<Self, Refused> {
        let name = match written.name.trim() {
            "" => own_name(),
            name => name.to_owned(),
        };
        if name.len() > NAME || name.chars().any(char::is_control) {
            let why = format!("a name has at most {NAME} bytes, all of them letters");
            return Err(wrong("lan.name", why, "Write a shorter one, as in desk, or none for this computer's own."));
        }
        Ok(Self {
            enabled: written.enabled,
            port: written.port,
            name,
            reach: tunnel::Reach::Network,
            tick: Duration::from_secs(5),
            wall: tunnel::clock::Wall::default(),
        })
    }
}

/// What fits an announcement (63 bytes) and a certificate's subject (64 characters) with our own words around it.
const NAME: usize = 50;

/// The computer's own, without its domain.
fn own_name() -> String {
    let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name: String = node.split('.').next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    name.char_indices().take_while(|(at, c)| at + c.len_utf8() <= NAME).map(|(_, c)| c).collect()
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    pub turn: MicroDollars,
    pub session: MicroDollars,
    pub day: MicroDollars,
}

#[derive(Clone, Debug)]
pub struct TwilioSettings {
    pub account_sid: String,
    pub from: String,
    pub allow: Vec<PhoneNumber>,
    pub base_url: Url,
}

#[derive(Clone, Copy, Debug)]
pub struct SmsSettings {
    pub segments: usize,
    pub per_minute: u32,
    /// Questions and pictures that agents may have texted to one number within an hour.
    pub agent_per_hour: usize,
    pub link_life: Duration,
    pub picture_life: Duration,
}

#[derive(Clone, Debug)]
pub struct PushSettings {
    /// How long a push waits to be shown before a text goes.
    pub text_after: Duration,
    /// `mailto:` or `https:`.
    pub contact: Option<String>,
    /// A push service that need not be out in the world.
    pub base_url: Option<Url>,
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
            },
            expiry: minutes(w.approvals.expire_minutes.max(1)),
            egress: w.egress.allow.iter().map(|rule| host_rule(rule)).collect::<Result<_, _>>()?,
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

fn public_url(written: &str) -> Result<Option<String>, Refused> {
    if written.is_empty() {
        return Ok(None);
    }
    let suggestion = "Write it as Twilio has it, as in https://name.example.com, without a path.";
    let url = Url::parse(written).map_err(|e| wrong("server.public_url", e, suggestion))?;
    let plain = matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.fragment().is_none();
    if !plain || url.path() != "/" {
        return Err(wrong("server.public_url", "it must be a scheme and a host alone", suggestion));
    }
    Ok(Some(written.trim_end_matches('/').to_owned()))
}

fn host_rule(written: &str) -> Result<HostRule, Refused> {
    let suggestion = "Write hosts as \"name\", \"*.name\" or \"name:port\".";
    written.parse().map_err(|e| wrong("egress.allow", e, suggestion))
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

fn push(w: &Written) -> Result<PushSettings, Refused> {
    let contact = Some(&w.push.contact).filter(|contact| !contact.is_empty());
    let contact = contact.or(Some(&w.server.public_url).filter(|url| url.starts_with("https:")));
    if contact.is_some_and(|contact| !contact.starts_with("mailto:") && !contact.starts_with("https:")) {
        return Err(wrong(
            "push.contact",
            "it is a mailto: or https: address",
            "Write it as in mailto:me@example.com.",
        ));
    }
    let service = Some(&w.push.base_url).filter(|url| !url.is_empty());
    Ok(PushSettings {
        text_after: Duration::from_secs(w.push.text_after.clamp(1, 86_400)),
        contact: contact.cloned(),
        base_url: service.map(|url| base_url("push.base_url", url)).transpose()?,
    })
}

fn grants(written: written::Grants) -> Option<Risk> {
    match written {
        written::Grants::None => None,
        written::Grants::Low => Some(Risk::Low),
        written::Grants::Medium => Some(Risk::Medium),
        written::Grants::High => Some(Risk::High),
    }
}

fn caps(spend: &written::Spend) -> Result<Caps, Refused> {
    let dollars = |key: &str, value: f64| match value.is_finite() && value >= 0.0 {
        true => Ok(MicroDollars::from_dollars(value)),
        false => Err(wrong(key, "it must be a number of dollars, 0 or more", "Write it as in 5.0.")),
    };
    Ok(Caps {
        turn: dollars("spend.turn", spend.turn)?,
        session: dollars("spend.session", spend.session)?,
        day: dollars("spend.day", spend.day)?,
    })
}

fn size(written: written::Size) -> sandbox::Size {
    match written {
        written::Size::Small => sandbox::Size::Small,
        written::Size::Medium => sandbox::Size::Medium,
        written::Size::Large => sandbox::Size::Large,
    }
}

fn limits(w: &Written) -> Result<sandbox::agent::Limits, Refused> {
    let bytes = |key: &str, gigabytes: f64| match gigabytes.is_finite() && gigabytes >= 0.0 {
        true => Ok((gigabytes * 1e9) as u64),
        false => Err(wrong(key, "it must be a number of gigabytes, 0 or more", "Write it as in 2.0.")),
    };
    let memory = match bytes("limits.memory_gb", w.limits.memory_gb)? {
        0 => size(w.sandbox.size).memory() / 4 * 3,
        chosen => chosen,
    };
    Ok(sandbox::agent::Limits {
        memory,
        cpu: w.limits.processor_minutes.saturating_mul(60),
        file: bytes("limits.file_gb", w.limits.file_gb)?,
        free: bytes("limits.free_gb", w.limits.free_gb)?,
    })
}

fn twilio(t: &written::Twilio) -> Result<Option<TwilioSettings>, Refused> {
    if t.account_sid.is_empty() {
        return Ok(None);
    }
    let sid =
        |s: &str, prefix: &str| s.len() == 34 && s.starts_with(prefix) && s[2..].bytes().all(|b| b.is_ascii_hexdigit());
    if !sid(&t.account_sid, "AC") {
        return Err(wrong(
            "twilio.account_sid",
            "it is AC and 32 hex digits",
            "Copy it from the first page of Twilio's console.",
        ));
    }
    // An account whose number is not chosen yet.
    let chosen = !t.from.is_empty();
    if chosen && !sid(&t.from, "MG") && t.from.parse::<Address>().is_err() {
        return Err(wrong(
            "twilio.from",
            "it is a number, a whatsapp: address or MG and 32 hex digits",
            "Write it as in +15551230000.",
        ));
    }
    let number = |n: &String| {
        n.parse::<Address>().map(|a| a.number).map_err(|e| wrong("twilio.allow", e, "Write each as in +15551230001."))
    };
    let settings = TwilioSettings {
        account_sid: t.account_sid.clone(),
        from: t.from.clone(),
        allow: t.allow.iter().map(number).collect::<Result<_, _>>()?,
        base_url: base_url("twilio.base_url", &t.base_url)?,
    };
    Ok(chosen.then_some(settings))
}

/// The owner's own user id, so that what the agent writes belongs to the owner; 1000 for root, which the agent never is.
fn agent_uid(written: u32) -> u32 {
    match (written, rustix::process::getuid().as_raw()) {
        (0, 0) => 1000,
        (0, own) => own,
        (chosen, _) => chosen,
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
        refused("[spend]\nday = -1.0", "spend.day");
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
