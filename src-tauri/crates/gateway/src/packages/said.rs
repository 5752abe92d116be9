//! What package managers say of their settings, read.

use accounts::packages::{Index, Manager};
use std::collections::{BTreeMap, HashMap};

/// `npm config list --long --json`: `registry`, and `@scope:registry` for each scope.
pub fn npm(text: &str) -> Vec<Index> {
    let settings: HashMap<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let mut named: Vec<_> =
        settings.into_iter().filter(|(key, _)| key == "registry" || key.ends_with(":registry")).collect();
    // The one without a scope first: it is the one for everything else.
    named.sort_by_key(|(key, _)| (key != "registry", key.clone()));
    named.iter().filter_map(|(_, url)| Index::new(Manager::Npm, url.as_str()?)).collect()
}

/// A file of a package manager in the sandbox, to be written where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// Below the agent's home.
    pub path: &'static str,
    pub text: String,
}

/// npm's registries of single scopes: a shell drops environment variables with such names.
pub fn npm_scopes(text: &str) -> Option<SettingsFile> {
    let settings: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let scopes = settings.iter().filter(|(key, _)| key.starts_with('@') && key.ends_with(":registry"));
    let lines =
        scopes.filter_map(|(key, url)| Some(format!("{key}={}\n", Index::new(Manager::Npm, url.as_str()?)?.url)));
    let text: String = lines.collect();
    (!text.is_empty()).then_some(SettingsFile { path: ".npmrc", text })
}

/// Which index stands in another's place, and what further ones are called: cargo reads the first from files only.
pub fn cargo_settings(file: &str) -> Option<SettingsFile> {
    let settings: toml::Table = file.parse().ok()?;
    let mut kept = toml::Table::new();
    for (table, key) in [("source", "registry"), ("registries", "index")] {
        let entries = settings.get(table).and_then(toml::Value::as_table).into_iter().flatten();
        let entries = entries.filter_map(|(name, entry)| Some((name.clone(), bare(entry, key)?.into())));
        let entries: toml::Table = entries.collect();
        if !entries.is_empty() {
            kept.insert(table.to_owned(), entries.into());
        }
    }
    let text = toml::to_string(&kept).ok()?;
    (!text.is_empty()).then_some(SettingsFile { path: ".cargo/config.toml", text })
}

/// The address without a login, and what stands in its place; nothing else of an entry.
fn bare(entry: &toml::Value, key: &str) -> Option<toml::Table> {
    let mut kept = toml::Table::new();
    if let Some(written) = entry.get(key).and_then(toml::Value::as_str) {
        let url = Index::new(Manager::Cargo, written)?.url;
        let sparse = if written.starts_with("sparse+") { "sparse+" } else { "" };
        kept.insert(key.to_owned(), format!("{sparse}{url}").into());
    }
    if let Some(name) = entry.get("replace-with").and_then(toml::Value::as_str) {
        kept.insert("replace-with".to_owned(), name.into());
    }
    (!kept.is_empty()).then_some(kept)
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
    fn what_no_environment_says_stands_in_files_without_logins() {
        let scopes =
            r#"{"@acme:registry": "https://me:word@npm.acme.example/", "registry": "https://mirror.example/npm/"}"#;
        let file = npm_scopes(scopes).unwrap();
        assert_eq!((file.path, file.text.as_str()), (".npmrc", "@acme:registry=https://npm.acme.example/\n"));
        assert_eq!(npm_scopes(r#"{"registry": "https://mirror.example/npm/"}"#), None);

        let file = "[source.crates-io]\nreplace-with = \"acme\"\n[source.acme]\nregistry = \"sparse+https://me:word@crates.example/index/\"\n\
                    [source.here]\ndirectory = \"vendor\"\n[registries.own]\nindex = \"https://git.example/index.git\"\ntoken = \"secret\"\n\
                    [build]\nrustc-wrapper = \"x\"\n";
        let kept: toml::Table = cargo_settings(file).unwrap().text.parse().unwrap();
        let expected = "[source.crates-io]\nreplace-with = \"acme\"\n[source.acme]\nregistry = \"sparse+https://crates.example/index/\"\n\
                        [registries.own]\nindex = \"https://git.example/index.git\"\n";
        assert_eq!(kept, expected.parse::<toml::Table>().unwrap());
        assert_eq!(cargo_settings("[build]\njobs = 2\n"), None);
    }

    #[test]
    fn the_sandboxs_managers_say_a_line_each() {
        let all = inside("npm https://a.example/\napt http://deb.example/debian\nyum https://x.example/\napt\n");
        assert_eq!(all.iter().map(|i| i.manager).collect::<Vec<_>>(), [Manager::Npm, Manager::Apt]);
    }
}
