//! What package managers say of their settings, read.

use accounts::packages::{Index, Manager};
use std::collections::HashMap;

/// `npm config list --long --json`: `registry`, and `@scope:registry` for each scope.
pub fn npm(text: &str) -> Vec<Index> {
    let settings: HashMap<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let mut named: Vec<_> =
        settings.into_iter().filter(|(key, _)| key == "registry" || key.ends_with(":registry")).collect();
    // The one without a scope first: it is the one for everything else.
    named.sort_by_key(|(key, _)| (key != "registry", key.clone()));
    named.iter().filter_map(|(_, url)| Index::new(Manager::Npm, url.as_str()?)).collect()
}

/// One of pip's. `main`: it stands in place of pip's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Pip {
    pub index: Index,
    pub main: bool,
}

/// `pip config list`: a line `section.key='value'` for each; a value may be several addresses.
pub fn pip(text: &str) -> Vec<Pip> {
    let mut all = Vec::new();
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let main = key.ends_with(".index-url");
        if main || key.ends_with(".extra-index-url") {
            let urls = value.trim_matches(['\'', '"']).split([' ', '\n']).flat_map(|part| part.split("\\n"));
            all.extend(urls.filter_map(|url| Some(Pip { index: Index::new(Manager::Pip, url)?, main })));
        }
    }
    // What stands in place of pip's own is asked first, there as here.
    all.sort_by_key(|pip| !pip.main);
    all
}

/// Cargo's file, and the folders it keeps indexes in, which are named `host-hash`.
pub fn cargo(file: &str, fetched: &[String]) -> Vec<Index> {
    let settings: toml::Table = file.parse().unwrap_or_default();
    let values = |table: &str, key: &str| -> Vec<String> {
        let entries = settings.get(table).and_then(toml::Value::as_table).into_iter().flatten();
        entries.filter_map(|(_, entry)| Some(entry.get(key)?.as_str()?.to_owned())).collect()
    };
    let written = [values("source", "registry"), values("registries", "index")].concat();
    let hosts =
        fetched.iter().filter_map(|folder| folder.rsplit_once('-')).map(|(host, _)| format!("sparse+https://{host}/"));
    let mut all: Vec<Index> = Vec::new();
    for url in written.into_iter().chain(hosts) {
        if let Some(index) = Index::new(Manager::Cargo, &url)
            && !all.iter().any(|known| known.url.host_str() == index.url.host_str())
        {
            all.push(index);
        }
    }
    all
}

/// What the sandbox's own managers say: lines `manager address`.
pub fn inside(text: &str) -> Vec<Index> {
    let one = |line: &str| {
        let (manager, url) = line.split_once(' ')?;
        let manager = [Manager::Npm, Manager::Pip, Manager::Apt].into_iter().find(|m| m.to_string() == manager)?;
        Index::new(manager, url.trim())
    };
    text.lines().filter_map(one).collect()
}

/// How the sandbox's managers are told of the owner's indexes.
pub fn environment(owners: &[Index]) -> Vec<(String, String)> {
    let of = |manager: Manager| owners.iter().filter(move |index| index.manager == manager).map(|i| i.url.to_string());
    let mut all = Vec::new();
    if let Some(url) = of(Manager::Npm).next() {
        all.push(("NPM_CONFIG_REGISTRY".to_owned(), url));
    }
    let mut pip = of(Manager::Pip);
    if let Some(url) = pip.next() {
        all.push(("PIP_INDEX_URL".to_owned(), url));
    }
    let more: Vec<String> = pip.collect();
    if !more.is_empty() {
        all.push(("PIP_EXTRA_INDEX_URL".to_owned(), more.join(" ")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(indexes: &[Index]) -> Vec<&str> {
        indexes.iter().map(|index| index.url.as_str()).collect()
    }

    #[test]
    fn npms_registry_comes_before_those_of_scopes_and_credentials_are_left_out() {
        let text = r#"{"@acme:registry": "https://me:word@npm.acme.example/", "registry": "https://mirror.example/npm/", "ca": null}"#;
        assert_eq!(urls(&npm(text)), ["https://mirror.example/npm/", "https://npm.acme.example/"]);
        assert!(npm("npm: command failed").is_empty());
    }

    #[test]
    fn pips_index_comes_before_the_further_ones() {
        let text = "global.extra-index-url='https://b.example/simple https://c.example:8443/simple'\n\
                    :env:.index-url='https://a.example/simple'\nglobal.timeout='60'\n";
        let read = pip(text);
        assert_eq!(
            read.iter().map(|p| (p.index.url.as_str(), p.main)).collect::<Vec<_>>(),
            [
                ("https://a.example/simple", true),
                ("https://b.example/simple", false),
                ("https://c.example:8443/simple", false)
            ]
        );
        let owners: Vec<Index> = read.into_iter().map(|p| p.index).collect();
        let told = environment(&owners);
        assert_eq!(told[0], ("PIP_INDEX_URL".into(), "https://a.example/simple".into()));
        assert_eq!(told[1].1, "https://b.example/simple https://c.example:8443/simple");
    }

    #[test]
    fn cargos_indexes_are_those_of_its_file_and_those_it_has_fetched() {
        let file = "[source.crates-io]\nreplace-with = \"acme\"\n[source.acme]\nregistry = \"sparse+https://crates.acme.example/index/\"\n\
                    [registries.own]\nindex = \"https://git.acme.example/index.git\"\n";
        let fetched = ["index.one.example-1949cf8c6b5b557f".to_owned(), "odd".to_owned()];
        let all = cargo(file, &fetched);
        assert_eq!(
            urls(&all),
            ["https://crates.acme.example/index/", "https://git.acme.example/index.git", "https://index.one.example/"]
        );
    }

    #[test]
    fn the_sandboxs_managers_say_a_line_each() {
        let all = inside("npm https://a.example/\napt http://deb.example/debian\nyum https://x.example/\napt\n");
        assert_eq!(all.iter().map(|i| i.manager).collect::<Vec<_>>(), [Manager::Npm, Manager::Apt]);
    }
}
