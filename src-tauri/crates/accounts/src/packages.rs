//! Package indexes: where each says that its files are. Asked without any credential.

use crate::{
    Cause,
    http::{self, Unread},
};
use reqwest::header::ACCEPT;
use serde_json::Value;
use std::fmt;
use url::Url;

/// A package that every such index has, asked for as an example.
const NPM_EXAMPLE: &str = "npm/latest";
const PIP_EXAMPLE: &str = "pip/";
/// PEP 691; an index that only knows PEP 503 answers in HTML.
const PIP_TAKES: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.1";
/// The page of one package. pip's is 200 kB.
const MOST: usize = 8 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manager {
    Npm,
    Pip,
    Cargo,
    Apt,
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Manager::Npm => "npm",
            Manager::Pip => "pip",
            Manager::Cargo => "cargo",
            Manager::Apt => "apt",
        })
    }
}

/// Where a manager looks for packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub manager: Manager,
    /// `http` or `https`, without credentials.
    pub url: Url,
}

impl Index {
    /// None where it is no address on the web. What stands in it for a login is left out.
    pub fn new(manager: Manager, written: &str) -> Option<Self> {
        let mut url = Url::parse(written.strip_prefix("sparse+").unwrap_or(written)).ok()?;
        let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        let bare = url.set_username("").is_ok() && url.set_password(None).is_ok();
        url.set_query(None);
        (web && bare).then_some(Self { manager, url })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("the index could not be reached")]
    Unreachable(#[source] Cause),
    #[error("the index answered with HTTP {0}")]
    Refused(u16),
    #[error("the index's answer is too long or no answer of an index")]
    Unreadable,
}

/// Addresses on the hosts that serve the index's files, as its answer for an example names them. Empty: its own host alone.
///
/// # Errors
/// When it gives no answer that can be read.
pub async fn file_hosts(index: &Index) -> Result<Vec<Url>, IndexError> {
    let base = with_slash(&index.url);
    let (path, takes) = match index.manager {
        Manager::Npm => (NPM_EXAMPLE, "application/json"),
        Manager::Pip => (PIP_EXAMPLE, PIP_TAKES),
        Manager::Cargo => ("config.json", "application/json"),
        Manager::Apt => return Ok(Vec::new()),
    };
    let url = base.join(path).map_err(|_| IndexError::Unreadable)?;
    let text = fetched(url.clone(), takes).await?;
    Ok(match index.manager {
        Manager::Npm => named(&text, |answer| vec![answer.pointer("/dist/tarball").cloned()]),
        Manager::Cargo => named(&text, |answer| vec![answer.get("dl").cloned(), answer.get("api").cloned()]),
        Manager::Pip | Manager::Apt => pip_files(&text, &url),
    })
}

async fn fetched(url: Url, takes: &str) -> Result<String, IndexError> {
    let client = http::client().map_err(IndexError::Unreachable)?;
    let answer = client.get(url).header(ACCEPT, takes).send().await;
    let answer = answer.map_err(|e| IndexError::Unreachable(http::scrubbed(e)))?;
    if !answer.status().is_success() {
        return Err(IndexError::Refused(answer.status().as_u16()));
    }
    let bytes = http::read_at_most(answer, MOST).await.map_err(|unread| match unread {
        Unread::TooLarge => IndexError::Unreadable,
        Unread::Broken(cause) => IndexError::Unreachable(cause),
    })?;
    String::from_utf8(bytes.to_vec()).map_err(|_| IndexError::Unreadable)
}

fn with_slash(url: &Url) -> Url {
    let mut url = url.clone();
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

fn named(text: &str, pick: impl Fn(&Value) -> Vec<Option<Value>>) -> Vec<Url> {
    let answer = serde_json::from_str(text).unwrap_or(Value::Null);
    let urls = pick(&answer).into_iter().flatten().filter_map(|url| origin(url.as_str()?));
    urls.collect()
}

/// The example's files, in JSON (PEP 691) or as links (PEP 503). One of each host.
fn pip_files(text: &str, page: &Url) -> Vec<Url> {
    let json: Option<Value> = serde_json::from_str(text).ok();
    let files = json.as_ref().and_then(|answer| answer["files"].as_array());
    let links: Vec<&str> = match files {
        Some(files) => files.iter().filter_map(|file| file["url"].as_str()).collect(),
        None => text.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '#']).next()).collect(),
    };
    let mut hosts: Vec<Url> = Vec::new();
    for url in links.into_iter().filter_map(|link| origin(page.join(link).ok()?.as_str())) {
        if !hosts.contains(&url) {
            hosts.push(url);
        }
    }
    hosts
}

/// `https://host:port/` of an address; what is in braces in it is for the manager to fill in.
fn origin(url: &str) -> Option<Url> {
    let mut url = Index::new(Manager::Apt, url)?.url;
    url.set_path("/");
    url.set_fragment(None);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(urls: Vec<Url>) -> Vec<String> {
        urls.into_iter().map(String::from).collect()
    }

    #[test]
    fn an_index_is_an_address_on_the_web_without_its_login() {
        let url = |text| Index::new(Manager::Pip, text).map(|index| index.url.to_string());
        assert_eq!(url("https://me:secret@a.example/simple?token=x").unwrap(), "https://a.example/simple");
        assert_eq!(url("sparse+https://a.example/").unwrap(), "https://a.example/");
        for none in ["file:///srv/simple", "", "a.example", "ssh://git@a.example/x"] {
            assert_eq!(url(none), None, "{none}");
        }
    }

    #[test]
    fn the_hosts_of_files_are_read_from_each_kind_of_answer() {
        let page = Url::parse("https://a.example/simple/pip/").unwrap();
        let json = r#"{"files": [{"url": "https://files.example/x.whl"}, {"url": "https://files.example/y.whl"}]}"#;
        assert_eq!(texts(pip_files(json, &page)), ["https://files.example/"]);
        let html = r#"<a href="../../packages/x.whl#sha256=1">x</a><a href="https://files.example:8443/y.whl">y</a>"#;
        assert_eq!(texts(pip_files(html, &page)), ["https://a.example/", "https://files.example:8443/"]);
        let npm = r#"{"dist": {"tarball": "https://files.example/npm/-/npm-1.tgz"}}"#;
        assert_eq!(texts(named(npm, |a| vec![a.pointer("/dist/tarball").cloned()])), ["https://files.example/"]);
        let cargo = r#"{"dl": "https://static.example/{crate}/{version}", "api": null}"#;
        let both = |a: &Value| vec![a.get("dl").cloned(), a.get("api").cloned()];
        assert_eq!(texts(named(cargo, both)), ["https://static.example/"]);
        assert!(pip_files("no index", &page).is_empty());
    }
}
