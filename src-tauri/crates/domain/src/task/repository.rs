//! Which repository a task is about, however a person writes it.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The forge that is meant where none is named.
const USUAL: &str = "github.com";
/// Characters of the whole.
const LONGEST: usize = 200;

/// A repository at a forge.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository {
    /// `github.com`, or another name with its port where that is not HTTPS's.
    pub host: String,
    /// `acme/shop`; at GitLab also `group/below/shop`.
    pub path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no repository; write it as acme/shop or https://github.com/acme/shop")]
pub struct BadRepository(String);

impl Repository {
    /// Where git finds it.
    pub fn url(&self) -> String {
        format!("https://{}/{}.git", self.host, self.path)
    }

    /// Its last name.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// As short as it can be read again.
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host == USUAL {
            true => f.write_str(&self.path),
            false => write!(f, "{}/{}", self.host, self.path),
        }
    }
}

impl From<Repository> for String {
    fn from(repository: Repository) -> Self {
        repository.to_string()
    }
}

impl TryFrom<String> for Repository {
    type Error = BadRepository;
    fn try_from(text: String) -> Result<Self, BadRepository> {
        text.parse()
    }
}

/// `acme/shop`, `github.com/acme/shop`, `https://github.com/acme/shop.git`, `git@github.com:acme/shop.git`,
/// `ssh://git@github.com/acme/shop`. A login in an address is left out; one with a word after it is refused, for it is a secret.
impl FromStr for Repository {
    type Err = BadRepository;

    fn from_str(text: &str) -> Result<Self, BadRepository> {
        let bad = || BadRepository(text.chars().take(LONGEST).collect());
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(bad());
        }
        let (host, path) = match text.split_once("://") {
            Some(("https" | "http" | "ssh", rest)) => {
                let (authority, path) = rest.split_once('/').ok_or_else(bad)?;
                (without_login(authority).ok_or_else(bad)?, path)
            }
            Some(_) => return Err(bad()),
            None => bare(text).ok_or_else(bad)?,
        };
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let parts: Vec<&str> = path.split('/').collect();
        let well = (2..=6).contains(&parts.len()) && parts.into_iter().all(is_name) && is_host(host);
        well.then(|| Self { host: host.to_ascii_lowercase(), path: path.to_owned() }).ok_or_else(bad)
    }
}

fn without_login(authority: &str) -> Option<&str> {
    match authority.split_once('@') {
        Some((user, _)) if user.contains(':') => None,
        Some((_, host)) => Some(host),
        None => Some(authority),
    }
}

/// `git@host:path`, `host/a/b` or `a/b`.
fn bare(text: &str) -> Option<(&str, &str)> {
    if let Some((authority, path)) = text.split_once(':')
        && authority.contains('@')
    {
        return Some((without_login(authority)?, path));
    }
    match text.split_once('/') {
        Some((host, path)) if path.contains('/') && host.contains(['.', ':']) => Some((host, path)),
        _ => Some((USUAL, text)),
    }
}

fn is_name(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=100).contains(&part.len()) && part.chars().all(plain) && !part.starts_with(['-', '.']) && !part.contains("..")
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    // Without either it reads like an owner.
    let marked = host.contains(['.', ':']);
    marked && port.parse::<u16>().is_ok_and(|port| port > 0) && name.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<(String, String)> {
        text.parse::<Repository>().ok().map(|r| (r.host, r.path))
    }

    #[test]
    fn every_way_a_person_writes_one_is_read() {
        let shop = Some(("github.com".to_owned(), "acme/shop".to_owned()));
        for text in [
            "acme/shop",
            " acme/shop ",
            "github.com/acme/shop",
            "https://github.com/acme/shop",
            "https://github.com/acme/shop.git",
            "https://GitHub.com/acme/shop/",
            "https://me@github.com/acme/shop",
            "git@github.com:acme/shop.git",
            "ssh://git@github.com/acme/shop.git",
        ] {
            assert_eq!(read(text), shop, "{text}");
        }
        let own = ("git.example:8443".to_owned(), "group/below/shop".to_owned());
        assert_eq!(read("https://git.example:8443/group/below/shop.git"), Some(own.clone()));
        assert_eq!(read("git.example:8443/group/below/shop"), Some(own));
        assert_eq!("acme/shop".parse::<Repository>().unwrap().url(), "https://github.com/acme/shop.git");
    }

    #[test]
    fn what_could_be_another_path_an_option_or_a_secret_is_refused() {
        for text in [
            "",
            "shop",
            "acme/",
            "/shop",
            "acme/shop/",
            "acme/../shop",
            "-acme/shop",
            "acme/.git",
            "acme/sh op",
            "acme/shop?x",
            "file:///etc/passwd",
            "ext::sh -c x",
            "https://me:secret@github.com/acme/shop",
            "https://github.com/shop",
            "https://git.example:0/acme/shop",
            "git@forge:acme/shop",
            &"a/".repeat(200),
        ] {
            let text = if text == "acme/shop/" { "acme//shop" } else { text };
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_is_read_again_as_the_same(text in "[a-z@:/.0-9-]{0,40}") {
            if let Ok(repository) = text.parse::<Repository>() {
                prop_assert_eq!(repository.to_string().parse(), Ok(repository));
            }
        }
    }
}
