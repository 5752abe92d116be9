//! Which hosts: the owner's rules, and the one spelling of a host that is taken from inside.

use crate::Error;
use hyper::http::uri::Authority;
use serde::{Deserialize, Deserializer, de};
use std::{fmt, net::IpAddr, str::FromStr};

/// Ports a rule opens when it names none: HTTPS and HTTP.
const USUAL_PORTS: [u16; 2] = [443, 80];

/// A host the sandbox may reach: `example.com`, `*.example.com` (its subdomains, not itself), either with `:port`.
/// In the config a rule is such a string, or `{ host, ports, private }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    host: Pattern,
    /// Empty: 443 and 80.
    ports: Vec<u16>,
    private: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// With its leading dot.
    Suffix(String),
}

/// Why a rule is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    #[error("{0:?} is not a host name")]
    Host(String),
    #[error("{0:?} would allow a whole top-level domain")]
    TooWide(String),
    #[error("{0:?} is not a port")]
    Port(String),
}

impl HostRule {
    /// Opens these ports in place of the usual ones.
    pub fn on_ports(mut self, ports: impl Into<Vec<u16>>) -> Self {
        self.ports = ports.into();
        self
    }

    /// Lets the host be on a private network or on this very computer (a company mirror, a dev server).
    pub fn even_private(mut self) -> Self {
        self.private = true;
        self
    }

    /// The host and port, where it names exactly one of each; without a port 443.
    pub fn one_host(&self) -> Option<(&str, u16)> {
        match (&self.host, self.ports.as_slice()) {
            (Pattern::Exact(host), []) => Some((host, 443)),
            (Pattern::Exact(host), [port]) => Some((host, *port)),
            _ => None,
        }
    }

    pub(crate) fn allows(&self, target: &Target) -> bool {
        let port =
            if self.ports.is_empty() { USUAL_PORTS.contains(&target.port) } else { self.ports.contains(&target.port) };
        port && self.names(&target.host)
    }

    pub(crate) fn allows_private(&self) -> bool {
        self.private
    }

    fn names(&self, host: &str) -> bool {
        match &self.host {
            Pattern::Exact(exact) => host == exact,
            // An address is no subdomain of anything.
            Pattern::Suffix(suffix) => {
                host.len() > suffix.len() && host.ends_with(suffix.as_str()) && host.parse::<IpAddr>().is_err()
            }
        }
    }
}

impl FromStr for HostRule {
    type Err = BadRule;

    fn from_str(rule: &str) -> Result<Self, BadRule> {
        let (host, ports) = match rule.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, vec![port.parse().ok().filter(|p| *p > 0).ok_or_else(|| BadRule::Port(port.to_owned()))?])
            }
            _ => (rule, Vec::new()),
        };
        let bad = || BadRule::Host(host.to_owned());
        let host = match host.strip_prefix("*.") {
            Some(suffix) => {
                let suffix = canonical(suffix).filter(|s| s.parse::<IpAddr>().is_err()).ok_or_else(bad)?;
                if !suffix.contains('.') {
                    return Err(BadRule::TooWide(rule.to_owned()));
                }
                Pattern::Suffix(format!(".{suffix}"))
            }
            None => Pattern::Exact(canonical(host).ok_or_else(bad)?),
        };
        Ok(Self { host, ports, private: false })
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Pattern::Exact(host) => f.write_str(host),
            Pattern::Suffix(suffix) => write!(f, "*{suffix}"),
        }
    }
}

impl<'de> Deserialize<'de> for HostRule {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            host: String,
            #[serde(default)]
            ports: Vec<u16>,
            #[serde(default)]
            private: bool,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Table(Table),
        }
        match Written::deserialize(from)? {
            Written::Text(text) => text.parse().map_err(de::Error::custom),
            Written::Table(Table { host, ports, private }) => {
                let rule: HostRule = host.parse().map_err(de::Error::custom)?;
                let ports = if ports.is_empty() { rule.ports.clone() } else { ports };
                Ok(Self { ports, private, ..rule })
            }
        }
    }
}

/// A host and port as asked for from inside, in the one spelling that is compared and looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// A lower-case ASCII name without trailing dot, or an address in its canonical form (IPv6 without brackets).
    pub host: String,
    pub port: u16,
}

impl Target {
    /// `fallback` is the scheme's port; without one (CONNECT) the port must be written.
    pub fn parse(authority: &Authority, fallback: Option<u16>) -> Result<Self, Error> {
        if authority.as_str().contains('@') {
            return Err(Error::BadRequest("has a user name in its address"));
        }
        let host =
            canonical(authority.host()).ok_or(Error::BadRequest("names its host in a form that is not taken"))?;
        let written = &authority.as_str()[authority.host().len()..];
        let port = match written.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
            Some(_) => None,
            None => fallback,
        };
        let port = port.filter(|port| *port > 0).ok_or(Error::BadRequest("names no port"))?;
        Ok(Self { host, port })
    }

    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(IpAddr::V6(v6)) => write!(f, "[{v6}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The host in its one spelling, or nothing if it is written in any way that another program could read otherwise:
/// trailing dots, percent signs, decimal, octal, hexadecimal or shortened addresses, non-ASCII.
fn canonical(host: &str) -> Option<String> {
    let lower = host.to_ascii_lowercase();
    match url::Host::parse(&lower).ok()? {
        url::Host::Domain(name) => (name == lower && is_name(&name)).then_some(name),
        url::Host::Ipv4(v4) => (v4.to_string() == lower).then_some(lower),
        url::Host::Ipv6(v6) => (format!("[{v6}]") == lower).then(|| v6.to_string()),
    }
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn target(authority: &str) -> Option<Target> {
        Target::parse(&authority.parse().ok()?, None).ok()
    }

    fn allows(rule: &str, authority: &str) -> bool {
        let rule: HostRule = rule.parse().unwrap();
        target(authority).is_some_and(|target| rule.allows(&target))
    }

    #[test]
    fn a_rule_names_one_host_or_its_subdomains() {
        assert!(allows("example.com", "example.com:443"));
        assert!(allows("Example.COM", "EXAMPLE.com:80"));
        assert!(!allows("example.com", "www.example.com:443"));
        assert!(allows("*.example.com", "a.b.example.com:443"));
        assert!(!allows("*.example.com", "example.com:443"));
        assert!(!allows("*.example.com", "evilexample.com:443"));
        assert!(!allows("example.com", "example.com.evil.net:443"));
    }

    #[test]
    fn a_rule_opens_the_usual_ports_or_those_it_names() {
        assert!(!allows("example.com", "example.com:22"));
        assert!(allows("example.com:22", "example.com:22"));
        assert!(!allows("example.com:22", "example.com:443"));
    }

    #[test]
    fn a_rule_that_is_too_wide_or_no_host_is_refused() {
        for rule in [
            "*",
            "*.com",
            "",
            "a..b",
            "example.com:0",
            "example.com:x",
            "ex*mple.com",
            "exa mple.com",
            "*.1.2.3.4",
            "example.com.",
        ] {
            assert!(rule.parse::<HostRule>().is_err(), "{rule:?}");
        }
    }

    #[test]
    fn a_rule_is_read_from_text_or_table() {
        let rules: Vec<HostRule> =
            serde_json::from_str(r#"["a.example", {"host": "*.b.example", "ports": [8080], "private": true}]"#)
                .unwrap();
        let b: HostRule = "*.b.example".parse().unwrap();
        assert_eq!(rules, ["a.example".parse().unwrap(), b.on_ports([8080]).even_private()]);
    }

    #[test]
    fn odd_spellings_of_a_host_are_not_taken() {
        for authority in [
            "example.com.:443",
            "user@example.com:443",
            "example.com",
            "example.com:",
            "example.com:0",
            "example.com:+443",
            "example.com:65536",
            "2130706433:80",
            "0x7f000001:80",
            "0177.0.0.1:80",
            "127.1:80",
            "127.0.0.01:80",
            "1.2.3:443",
            "[::ffff:7f00:1%25lo]:443",
            "[::0001]:443",
            "ex%61mple.com:443",
            "-a.example:443",
            "a..example:443",
            ".example:443",
            "[v1.x]:443",
        ] {
            assert_eq!(target(authority), None, "{authority:?}");
        }
        assert_eq!(target("1.2.3.4:443").unwrap().host, "1.2.3.4");
        assert_eq!(target("[2001:db8::1]:443").unwrap().to_string(), "[2001:db8::1]:443");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            let _ = text.parse::<HostRule>();
            let _ = target(&text);
        }

        #[test]
        fn what_a_wildcard_allows_ends_in_its_suffix(host in "[a-z0-9.*-]{0,20}(example\\.com)?[a-z0-9.]{0,6}") {
            if allows("*.example.com", &format!("{host}:443")) {
                prop_assert!(host.ends_with(".example.com"));
            }
        }

        #[test]
        fn a_target_read_again_is_the_same(host in "[A-Za-z0-9._-]{1,40}", port in 1u16..) {
            if let Some(first) = target(&format!("{host}:{port}")) {
                prop_assert_eq!(target(&first.to_string()), Some(first));
            }
        }
    }
}
