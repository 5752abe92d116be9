//! What the owner lets a sandbox reach: rules by host, and what becomes of a host that none names.

use crate::{CredentialRule, HostRule, Prices, hosts::Target};
use hyper::Method;

/// A refusal goes before everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub allow: Vec<HostRule>,
    pub deny: Vec<HostRule>,
    /// Whether a public host that no rule names is let out; else the house is asked about it.
    pub open: bool,
    /// The first that is for a request puts the owner's credential on it.
    pub credentials: Vec<CredentialRule>,
    /// What the model's tokens cost.
    pub prices: Prices,
}

/// What one sandbox may beside what all may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    pub allow: Vec<HostRule>,
    /// They go before those of all.
    pub credentials: Vec<CredentialRule>,
}

/// What the policy says of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// `private`: even where it is on the owner's own network.
    Allowed {
        private: bool,
    },
    Denied,
    NotNamed,
}

impl Policy {
    pub(crate) fn with(&self, beside: &Beside) -> Self {
        let mut policy = self.clone();
        policy.allow.extend(beside.allow.iter().cloned());
        policy.credentials.splice(0..0, beside.credentials.iter().cloned());
        policy
    }

    /// Does any rule ask which agent it is?
    pub(crate) fn knows_agents(&self) -> bool {
        self.allow.iter().chain(&self.deny).any(HostRule::is_for_one_agent)
    }

    /// `method`: none where it cannot be seen.
    pub(crate) fn says(&self, target: &Target, method: Option<&Method>, agent: Option<&str>) -> Verdict {
        if self.deny.iter().any(|rule| rule.denies(target, method, agent)) {
            return Verdict::Denied;
        }
        let letting = self.allow.iter().filter(|rule| rule.allows(target, method, agent));
        let allowed = letting.map(HostRule::allows_private).reduce(|a, b| a || b);
        match allowed {
            Some(private) => Verdict::Allowed { private },
            None if self.open => Verdict::Allowed { private: false },
            None => Verdict::NotNamed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str], deny: &[&str], open: bool) -> Policy {
        let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Policy { allow: rules(allow), deny: rules(deny), open, ..Policy::default() }
    }

    fn says(policy: &Policy, authority: &str, method: Option<Method>) -> Verdict {
        let target = Target::parse(&authority.parse().unwrap(), None).unwrap();
        policy.says(&target, method.as_ref(), Some("main"))
    }

    const YES: Verdict = Verdict::Allowed { private: false };

    #[test]
    fn a_refusal_goes_before_a_permission() {
        let rules = policy(&["*.example.com", "mirror.example private"], &["bad.example.com"], false);
        assert_eq!(says(&rules, "good.example.com:443", None), YES);
        assert_eq!(says(&rules, "bad.example.com:443", None), Verdict::Denied);
        assert_eq!(says(&rules, "mirror.example:443", None), Verdict::Allowed { private: true });
        assert_eq!(says(&rules, "other.net:443", None), Verdict::NotNamed);
    }

    #[test]
    fn what_one_sandbox_may_beside_is_still_refused_by_a_refusal_of_all() {
        let rules = policy(&[], &["bad.example.com"], false);
        let allow = ["bad.example.com", "git.example"].map(|rule| rule.parse().unwrap()).to_vec();
        let with = rules.with(&Beside { allow, credentials: Vec::new() });
        assert_eq!(says(&with, "bad.example.com:443", None), Verdict::Denied);
        assert_eq!(
            (says(&with, "git.example:443", None), says(&rules, "git.example:443", None)),
            (YES, Verdict::NotNamed)
        );
    }

    #[test]
    fn an_open_room_lets_out_what_nobody_refused_but_to_no_private_place() {
        let rules = policy(&[], &["bad.example.com"], true);
        assert_eq!(says(&rules, "other.net:22", None), YES);
        for port in [443, 80, 22] {
            assert_eq!(says(&rules, &format!("bad.example.com:{port}"), None), Verdict::Denied);
        }
    }

    #[test]
    fn a_refusal_for_some_methods_refuses_a_tunnel_in_which_they_could_be() {
        let rules = policy(&["example.com"], &["POST,PUT example.com"], false);
        assert_eq!(says(&rules, "example.com:80", Some(Method::GET)), YES);
        assert_eq!(says(&rules, "example.com:80", Some(Method::POST)), Verdict::Denied);
        assert_eq!(says(&rules, "example.com:443", None), Verdict::Denied);
    }
}
