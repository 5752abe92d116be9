//! Which hosts: the owner's rules, and the one spelling of a host that is taken from inside.

use crate::Error;
use hyper::{Method, http::uri::Authority};
use std::{fmt, net::IpAddr, str::FromStr};

/// Ports a rule opens when it names none: HTTPS and HTTP.
const USUAL_PORTS: [u16; 2] = [443, 80];

/// Hosts and what of them: `example.com`, or `*.example.com` (its subdomains, not itself), with `:port` or `:port,port`. Before it
/// the methods it is for, after it `private` (it may be on the owner's own network) and `agent=NAME` (for that agent alone), as
/// in `GET,HEAD mirror.example:8080 private`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    host: Pattern,
    /// Empty: 443 and 80.
    ports: Vec<u16>,
    /// Empty: all. Within a tunnel no method is seen, so a rule for some lets no tunnel out.
    methods: Vec<Method>,
    private: bool,
    /// None: any.
    agent: Option<String>,
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
    #[error("{0:?} is no HTTP method")]
    Method(String),
    #[error("{0:?} says nothing about a host")]
    Word(String),
    #[error("it does not say how the credential goes on: bearer, basic=USER or header=NAME")]
    NoHow,
    #[error("it does not say where the credential is: secret=NAME or command=WORDS")]
    NoSource,
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

    /// The host and port, where it names exactly one of each and nothing else; without a port 443.
    pub fn one_host(&self) -> Option<(&str, u16)> {
        match self {
            Self { private: true, .. } | Self { agent: Some(_), .. } => None,
            Self { methods, .. } if !methods.is_empty() => None,
            Self { host: Pattern::Exact(host), ports, .. } => match ports.as_slice() {
                [] => Some((host, 443)),
                [port] => Some((host, *port)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Does it let this request out? `method`: none of what goes through a tunnel, where it cannot be seen.
    pub(crate) fn allows(&self, target: &Target, method: Option<&Method>, agent: Option<&str>) -> bool {
        let ports = if self.ports.is_empty() { &USUAL_PORTS[..] } else { &self.ports };
        let method = self.methods.is_empty() || method.is_some_and(|method| self.methods.contains(method));
        ports.contains(&target.port) && method && self.names(&target.host) && self.is_for(agent)
    }

    /// Does it refuse this request? Without ports it is about all; and what goes through a tunnel may have any method.
    pub(crate) fn denies(&self, target: &Target, method: Option<&Method>, agent: Option<&str>) -> bool {
        let port = self.ports.is_empty() || self.ports.contains(&target.port);
        let method = self.methods.is_empty() || method.is_none_or(|method| self.methods.contains(method));
        port && method && self.names(&target.host) && self.is_for(agent)
    }

    fn is_for(&self, agent: Option<&str>) -> bool {
        self.agent.as_deref().is_none_or(|wanted| agent == Some(wanted))
    }

    pub(crate) fn allows_private(&self) -> bool {
        self.private
    }

    pub(crate) fn is_for_one_agent(&self) -> bool {
        self.agent.is_some()
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
        let (methods, words) = methods_first(rule)?;
        let (host, rest) = words.split_first().ok_or_else(|| BadRule::Host(String::new()))?;
        let (host, ports) = host_and_ports(host)?;
        let mut read = Self { host, ports, methods, private: false, agent: None };
        for word in rest {
            match (*word, word.strip_prefix("agent=")) {
                ("private", _) => read.private = true,
                (_, Some(agent)) if !agent.is_empty() => read.agent = Some(agent.to_owned()),
                _ => return Err(BadRule::Word((*word).to_owned())),
            }
        }
        Ok(read)
    }
}

/// The words of a rule, less the methods that may stand before them.
pub(crate) fn methods_first(rule: &str) -> Result<(Vec<Method>, Vec<&str>), BadRule> {
    let mut words: Vec<&str> = rule.split_ascii_whitespace().collect();
    let first = words.first().filter(|_| words.len() > 1).copied().unwrap_or_default();
    let named = !first.is_empty() && first.bytes().all(|b| b.is_ascii_uppercase() || b == b',');
    let methods = if named { methods(words.remove(0))? } else { Vec::new() };
    Ok((methods, words))
}

/// As [`methods_first`] reads them again.
pub(crate) fn write_methods(f: &mut fmt::Formatter<'_>, methods: &[Method]) -> fmt::Result {
    match methods {
        [] => Ok(()),
        [first, rest @ ..] => {
            f.write_str(first.as_str())?;
            rest.iter().try_for_each(|method| write!(f, ",{method}"))?;
            f.write_str(" ")
        }
    }
}

fn methods(word: &str) -> Result<Vec<Method>, BadRule> {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let known = |name: &str| KNOWN.into_iter().find(|method| method.as_str() == name);
    word.split(',').map(|name| known(name).ok_or_else(|| BadRule::Method(name.to_owned()))).collect()
}

fn host_and_ports(word: &str) -> Result<(Pattern, Vec<u16>), BadRule> {
    let (host, ports) = match word.rsplit_once(':') {
        Some((host, ports)) if !host.contains(':') || host.ends_with(']') => (host, self::ports(ports)?),
        _ => (word, Vec::new()),
    };
    let bad = || BadRule::Host(host.to_owned());
    let Some(suffix) = host.strip_prefix("*.") else {
        return Ok((Pattern::Exact(canonical(host).ok_or_else(bad)?), ports));
    };
    let suffix = canonical(suffix).filter(|s| s.parse::<IpAddr>().is_err()).ok_or_else(bad)?;
    match suffix.contains('.') {
        true => Ok((Pattern::Suffix(format!(".{suffix}")), ports)),
        false => Err(BadRule::TooWide(word.to_owned())),
    }
}

fn ports(list: &str) -> Result<Vec<u16>, BadRule> {
    let port = |one: &str| one.parse().ok().filter(|p| *p > 0).ok_or_else(|| BadRule::Port(list.to_owned()));
    list.split(',').map(port).collect()
}

/// As it is read again.
impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_methods(f, &self.methods)?;
        match &self.host {
            Pattern::Exact(host) if host.contains(':') => write!(f, "[{host}]")?,
            Pattern::Exact(host) => f.write_str(host)?,
            Pattern::Suffix(suffix) => write!(f, "*{suffix}")?,
        }
        if !self.ports.is_empty() {
            let ports: Vec<String> = self.ports.iter().map(ToString::to_string).collect();
            write!(f, ":{}", ports.join(","))?;
        }
        if self.private {
            f.write_str(" private")?;
        }
        self.agent.iter().try_for_each(|agent| write!(f, " agent={agent}"))
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
        target(authority).is_some_and(|target| rule.allows(&target, None, None))
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
    fn a_rule_may_be_for_some_methods_or_one_agent_and_a_tunnel_shows_no_method() {
        let rule: HostRule = "GET,HEAD mirror.example:8080,80 private agent=reviewer".parse().unwrap();
        let about = |port: u16, method: Option<Method>, agent: Option<&str>| {
            rule.allows(&target(&format!("mirror.example:{port}")).unwrap(), method.as_ref(), agent)
        };
        assert!(about(8080, Some(Method::GET), Some("reviewer")) && about(80, Some(Method::HEAD), Some("reviewer")));
        assert!(!about(8080, Some(Method::POST), Some("reviewer")));
        assert!(!about(8080, None, Some("reviewer")));
        assert!(!about(8080, Some(Method::GET), Some("main")) && !about(8080, Some(Method::GET), None));
        assert!(!about(443, Some(Method::GET), Some("reviewer")));
        assert!(rule.allows_private());
        for bad in ["GET", "FETCH a.example", "a.example public", "a.example agent=", "a.example:1,x", "private"] {
            let read = bad.parse::<HostRule>();
            assert!(read.as_ref().is_err() || read.unwrap().names(&bad.to_lowercase()), "{bad:?}");
        }
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
            if let Ok(rule) = text.parse::<HostRule>() {
                prop_assert_eq!(rule.to_string().parse(), Ok(rule));
            }
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
