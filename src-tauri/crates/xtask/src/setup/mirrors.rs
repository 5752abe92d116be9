//! Which package mirror this Debian uses, read from apt's own sources, so that the base image uses the same.

use std::path::Path;

/// One line of apt's sources, whichever of the two ways it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    uri: String,
    suite: String,
    components: Vec<String>,
}

/// Where Debian's packages come from on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrors {
    pub main: String,
    /// Security fixes have a place of their own. `None`: this machine has none configured.
    pub security: Option<String>,
}

impl Mirrors {
    /// From `/etc/apt`, for the release this machine runs.
    pub fn here(codename: &str) -> Option<Mirrors> {
        let mut sources = read(Path::new("/etc/apt/sources.list"));
        let mut files: Vec<_> = std::fs::read_dir("/etc/apt/sources.list.d")
            .ok()
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        files.sort();
        sources.extend(files.iter().flat_map(|file| read(file)));
        Mirrors::choose(&sources, codename)
    }

    /// A third party's archive may be listed too, but it has no suite named like the release with `main` in it and updates beside.
    fn choose(sources: &[Source], codename: &str) -> Option<Mirrors> {
        let has_main = |source: &&Source| source.components.iter().any(|component| component == "main");
        let of = |suites: &[String]| {
            sources
                .iter()
                .filter(has_main)
                .find(|source| suites.contains(&source.suite))
                .map(|source| source.uri.clone())
        };
        let updates = of(&[format!("{codename}-updates")]);
        let main = updates.or_else(|| of(&[codename.to_owned()]))?;
        Some(Mirrors { main, security: of(&[format!("{codename}-security"), format!("{codename}/updates")]) })
    }

    /// The image's `/etc/apt/sources.list` for `codename`.
    pub fn sources_list(&self, codename: &str) -> String {
        let mut lines = format!("deb {main} {codename} main\ndeb {main} {codename}-updates main\n", main = self.main);
        if let Some(security) = &self.security {
            lines.push_str(&format!("deb {security} {codename}-security main\n"));
        }
        lines
    }

    /// Needs the machine's own certificates in the image.
    pub fn uses_tls(&self) -> bool {
        [Some(&self.main), self.security.as_ref()].into_iter().flatten().any(|uri| uri.starts_with("https:"))
    }
}

fn read(file: &Path) -> Vec<Source> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    match file.extension().and_then(|end| end.to_str()) {
        Some("list") => one_line(&text),
        Some("sources") => deb822(&text),
        _ => Vec::new(),
    }
}

/// `deb [arch=amd64 signed-by=…] http://mirror/debian bookworm main contrib`
fn one_line(text: &str) -> Vec<Source> {
    text.lines().filter_map(one_source).collect()
}

fn one_source(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim().strip_prefix("deb")?;
    // `deb-src` and `debfoo` are something else.
    let line = line.strip_prefix([' ', '\t'])?.trim_start();
    let line = if line.starts_with('[') { line.split_once(']')?.1 } else { line };
    let mut words = line.split_whitespace().map(str::to_owned);
    Some(Source { uri: uri(&words.next()?)?, suite: words.next()?, components: words.collect() })
}

/// Paragraphs of `Field: values`, a value going on in indented lines.
fn deb822(text: &str) -> Vec<Source> {
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let paragraphs = kept.split(|line| line.trim().is_empty());
    paragraphs.flat_map(paragraph).collect()
}

fn paragraph(lines: &[&str]) -> Vec<Source> {
    let field = |name: &str| values(lines, name);
    let off = field("Enabled").first().is_some_and(|value| matches!(value.as_str(), "no" | "false" | "off" | "0"));
    if off || !field("Types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let uris: Vec<String> = field("URIs").iter().filter_map(|text| uri(text)).collect();
    let components = field("Components");
    let suites = field("Suites");
    let pairs = uris.iter().flat_map(|uri| suites.iter().map(move |suite| (uri, suite)));
    pairs
        .map(|(uri, suite)| Source { uri: uri.clone(), suite: suite.clone(), components: components.clone() })
        .collect()
}

fn values(lines: &[&str], name: &str) -> Vec<String> {
    let is_field = |line: &&str| line.split_once(':').is_some_and(|(field, _)| field.eq_ignore_ascii_case(name));
    let Some(at) = lines.iter().position(is_field) else { return Vec::new() };
    let first = lines[at].split_once(':').map_or("", |(_, value)| value);
    let more = lines[at + 1..].iter().copied().take_while(|line| line.starts_with([' ', '\t']));
    std::iter::once(first).chain(more).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Only what debootstrap can fetch from.
fn uri(text: &str) -> Option<String> {
    let fetched = text.starts_with("http://") || text.starts_with("https://") || text.starts_with("file:/");
    fetched.then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIRROR: &str = "http://mirror.example/debian";

    fn chosen(sources: &[Source]) -> Mirrors {
        Mirrors::choose(sources, "bookworm").unwrap()
    }

    #[test]
    fn deb822_sources_are_read() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/debian/\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/x.gpg\n\n\
                    Types: deb deb-src\nURIs:\n http://mirror.example/security\nSuites: bookworm-security\nComponents: main contrib\n\n\
                    Enabled: no\nTypes: deb\nURIs: http://off.example/\nSuites: bookworm\nComponents: main\n";
        let mirrors = chosen(&deb822(text));
        assert_eq!(mirrors, Mirrors { main: MIRROR.into(), security: Some("http://mirror.example/security".into()) });
    }

    #[test]
    fn one_line_sources_are_read() {
        let text = "# deb http://old.example bookworm main\ndeb-src http://mirror.example/debian bookworm main\n\
                    deb [arch=amd64 signed-by=/x.gpg] http://mirror.example/debian bookworm main # ours\ndeb\thttp://s.example/ bookworm/updates main\n";
        let mirrors = chosen(&one_line(text));
        assert_eq!(mirrors, Mirrors { main: MIRROR.into(), security: Some("http://s.example".into()) });
    }

    #[test]
    fn a_third_partys_archive_is_not_the_mirror() {
        let text = "deb https://tool.example/apt tool-bookworm main\ndeb https://other.example bookworm stable\ndeb https://third.example/repo bookworm main\n\
                    deb http://mirror.example/debian bookworm main\ndeb http://mirror.example/debian bookworm-updates main\n";
        let mirrors = chosen(&one_line(text));
        assert_eq!((mirrors.main.as_str(), mirrors.uses_tls()), (MIRROR, false));
    }

    #[test]
    fn without_a_mirror_for_this_release_there_is_none() {
        assert_eq!(Mirrors::choose(&one_line("deb http://mirror.example/debian trixie main\n"), "bookworm"), None);
        assert_eq!(Mirrors::choose(&deb822("garbage\n: :\nTypes:\n\n\n"), "bookworm"), None);
    }

    #[test]
    fn the_image_gets_main_updates_and_security() {
        let mirrors = Mirrors { main: MIRROR.into(), security: Some("https://s.example".into()) };
        let list = mirrors.sources_list("bookworm");
        assert_eq!(
            list,
            format!(
                "deb {MIRROR} bookworm main\ndeb {MIRROR} bookworm-updates main\ndeb https://s.example bookworm-security main\n"
            )
        );
        assert!(mirrors.uses_tls());
    }
}
