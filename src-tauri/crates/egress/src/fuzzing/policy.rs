//! Rules and what is asked of them, a line each: `allow RULE`, `deny RULE`, `open `, and `METHOD host:port agent`. What the policy
//! says is held against a second reading of the rules as they are printed.

use crate::{HostRule, Policy, hosts::Target, policy::Verdict};
use hyper::{Method, http::uri::Authority};
use std::net::IpAddr;

/// # Panics
/// When a rule is read otherwise than it is printed, or lets out or refuses what it does not name.
pub fn policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut policy = Policy::default();
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("allow", rule)) => policy.allow.extend(read(rule)),
            Some(("deny", rule)) => policy.deny.extend(read(rule)),
            Some(("open", _)) => policy.open = true,
            Some((method, about)) => ask(&policy, method, about),
            None => {}
        }
    }
}

fn read(rule: &str) -> Option<HostRule> {
    let rule: HostRule = rule.parse().ok()?;
    assert_eq!(rule.to_string().parse().as_ref(), Ok(&rule), "a printed rule is the same rule");
    if let Some((host, port)) = rule.one_host() {
        let target = Target { host: host.to_owned(), port };
        assert!(rule.allows(&target, None, None), "the one host of {rule} is let out by it");
    }
    Some(rule)
}

fn ask(policy: &Policy, method: &str, about: &str) {
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let method = Some(method).filter(|method| *method != Method::CONNECT);
    let (authority, agent) = match about.split_once(' ') {
        Some((authority, agent)) => (authority, Some(agent)),
        None => (about, None),
    };
    let Ok(authority) = authority.parse::<Authority>() else { return };
    let Ok(target) = Target::parse(&authority, method.as_ref().map(|_| 80)) else { return };
    let printed = target.to_string();
    let again = Target::parse(&printed.parse().expect("a printed target is an authority"), None);
    assert_eq!(again.ok().as_ref(), Some(&target), "a printed target is the same target");
    let asked = Asked { target: &target, method: method.as_ref(), agent };
    let (said, expected) = (policy.says(&target, asked.method, agent), expected(policy, &asked));
    assert_eq!(said, expected, "{policy:?} about {printed}, {method:?}, {agent:?}");
}

struct Asked<'a> {
    target: &'a Target,
    method: Option<&'a Method>,
    agent: Option<&'a str>,
}

fn expected(policy: &Policy, asked: &Asked) -> Verdict {
    let texts = |rules: &[HostRule]| rules.iter().map(ToString::to_string).collect::<Vec<_>>();
    if texts(&policy.deny).iter().any(|rule| Words::of(rule).concern(asked, true)) {
        return Verdict::Denied;
    }
    let allow = texts(&policy.allow);
    let letting: Vec<Words> =
        allow.iter().map(|rule| Words::of(rule)).filter(|rule| rule.concern(asked, false)).collect();
    match letting.is_empty() {
        false => Verdict::Allowed { private: letting.iter().any(|rule| rule.after.contains(&"private")) },
        true if policy.open => Verdict::Allowed { private: false },
        true => Verdict::NotNamed,
    }
}

/// A rule as it is written.
struct Words<'a> {
    methods: Option<&'a str>,
    host: &'a str,
    ports: Option<&'a str>,
    after: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn of(rule: &'a str) -> Self {
        let mut words = rule.split(' ').peekable();
        // A printed host is in lower case.
        let methods = words.next_if(|word| word.contains(|c: char| c.is_ascii_uppercase()));
        let host = words.next().expect("a rule names a host");
        let end = host.find(']').map_or_else(|| host.find(':'), |end| Some(end + 1)).unwrap_or(host.len());
        let (host, ports) = host.split_at(end);
        Self { methods, host, ports: ports.strip_prefix(':'), after: words.collect() }
    }

    /// A refusal covers what cannot be seen, and all ports where it names none; a permission neither.
    fn concern(&self, asked: &Asked, refusal: bool) -> bool {
        let port = asked.target.port.to_string();
        let port = match self.ports {
            None => refusal || port == "443" || port == "80",
            Some(ports) => ports.split(',').any(|one| one == port),
        };
        let method = match (self.methods, asked.method) {
            (None, _) => true,
            (Some(_), None) => refusal,
            (Some(methods), Some(method)) => methods.split(',').any(|one| one == method.as_str()),
        };
        let mut agents = self.after.iter().filter_map(|word| word.strip_prefix("agent="));
        let agent = agents.next_back().is_none_or(|agent| asked.agent == Some(agent));
        port && method && agent && self.names(&asked.target.host)
    }

    fn names(&self, host: &str) -> bool {
        match self.host.strip_prefix('*') {
            Some(end) => {
                host.parse::<IpAddr>().is_err() && host.strip_suffix(end).is_some_and(|before| !before.is_empty())
            }
            None => host == self.host.trim_matches(['[', ']']),
        }
    }
}
