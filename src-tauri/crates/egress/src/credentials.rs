//! Rules that put the owner's credentials on requests to other hosts. They name where a credential is kept, and hold none.

use crate::hosts::{self, BadRule, Target};
use hyper::{Method, header::HeaderName};
use std::{fmt, str::FromStr};

/// `[METHODS ]host[:port][/path] bearer|basic=USER|header=NAME secret=NAME|command=WORDS...`, as in
/// `github.com/acme basic=x-access-token command=gh auth token`. Without methods it is for all; a path stands for all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRule {
    methods: Vec<Method>,
    target: Target,
    /// Begins with a slash and ends without one; empty: every path.
    path: String,
    pub(crate) how: How,
    pub source: CredentialSource,
}

/// How it goes on the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// `Authorization: Bearer ...`
    Bearer,
    /// `Authorization: Basic ...`, as the password of this user.
    Basic(String),
    /// This header, as it is.
    Header(HeaderName),
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialSource {
    /// In the keychain, under this name.
    Secret(String),
    /// What this command line of the owner's prints.
    Command(String),
}

impl CredentialRule {
    /// `example.com`, and its port where that is not HTTPS's.
    pub fn host(&self) -> String {
        let written = self.target.to_string();
        written.strip_suffix(":443").unwrap_or(&written).to_owned()
    }

    pub(crate) fn is_for(&self, target: &Target, method: &Method, path: &str) -> bool {
        let below = path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let method = self.methods.is_empty() || self.methods.contains(method);
        self.target == *target && method && (self.path.is_empty() || below)
    }
}

impl FromStr for CredentialRule {
    type Err = BadRule;

    fn from_str(rule: &str) -> Result<Self, BadRule> {
        let (rule, command) = match rule.split_once(" command=") {
            Some((rule, command)) => (rule, Some(command.trim()).filter(|command| !command.is_empty())),
            None => (rule, None),
        };
        let (methods, rest) = hosts::methods_first(rule)?;
        let (place, rest) = rest.split_first().ok_or_else(|| BadRule::Host(String::new()))?;
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let bad = || BadRule::Host(authority.to_owned());
        let target = Target::parse(&authority.parse().map_err(|_| bad())?, Some(443)).map_err(|_| bad())?;
        let (mut how, mut source) = (None, command.map(|line| CredentialSource::Command(line.to_owned())));
        for word in rest {
            let unknown = || BadRule::Word((*word).to_owned());
            match word.split_once('=') {
                None if *word == "bearer" => how = Some(How::Bearer),
                Some(("basic", user)) if !user.is_empty() && !user.contains(':') => {
                    how = Some(How::Basic(user.to_owned()))
                }
                Some(("header", name)) => how = Some(How::Header(name.parse().map_err(|_| unknown())?)),
                Some(("secret", name)) if !name.is_empty() && source.is_none() => {
                    source = Some(CredentialSource::Secret(name.to_owned()));
                }
                _ => return Err(unknown()),
            }
        }
        let path = path.trim_end_matches('*').trim_end_matches('/').to_owned();
        Ok(Self { methods, target, path, how: how.ok_or(BadRule::NoHow)?, source: source.ok_or(BadRule::NoSource)? })
    }
}

/// As it is read again.
impl fmt::Display for CredentialRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hosts::write_methods(f, &self.methods)?;
        write!(f, "{}{}", self.host(), self.path)?;
        match &self.how {
            How::Bearer => f.write_str(" bearer")?,
            How::Basic(user) => write!(f, " basic={user}")?,
            How::Header(name) => write!(f, " header={name}")?,
        }
        match &self.source {
            CredentialSource::Secret(name) => write!(f, " secret={name}"),
            CredentialSource::Command(line) => write!(f, " command={line}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(authority: &str) -> Target {
        Target::parse(&authority.parse().unwrap(), None).unwrap()
    }

    #[test]
    fn a_rule_is_for_its_host_its_methods_and_the_paths_below_its_own() {
        let rule: CredentialRule = "GET,POST github.com/acme/* basic=x-access-token secret=github".parse().unwrap();
        let host = target("github.com:443");
        for path in ["/acme", "/acme/shop.git/info/refs"] {
            assert!(rule.is_for(&host, &Method::GET, path), "{path}");
        }
        for path in ["/", "/acmeevil/x", "/other/acme", "/ACME/x"] {
            assert!(!rule.is_for(&host, &Method::GET, path), "{path}");
        }
        assert!(!rule.is_for(&host, &Method::DELETE, "/acme"));
        assert!(!rule.is_for(&target("github.com:8443"), &Method::GET, "/acme"));
        assert!(!rule.is_for(&target("api.github.com:443"), &Method::GET, "/acme"));
    }

    #[test]
    fn a_rule_says_where_the_credential_is_and_how_it_goes_on() {
        let rule: CredentialRule = "api.example.com:8443 header=X-Api-Key command=pass show api key".parse().unwrap();
        assert_eq!(rule.source, CredentialSource::Command("pass show api key".into()));
        assert_eq!(rule.to_string(), "api.example.com:8443 header=x-api-key command=pass show api key");
        assert_eq!(rule.to_string().parse(), Ok(rule));
        for bad in [
            "",
            "github.com",
            "github.com bearer",
            "github.com secret=x",
            "*.github.com bearer secret=x",
            "github.com bearer secret=",
            "github.com basic= secret=x",
            "github.com header=a,b secret=x",
            "github.com bearer command=",
            "PUSH github.com bearer secret=x",
        ] {
            assert!(bad.parse::<CredentialRule>().is_err(), "{bad:?}");
        }
    }
}
