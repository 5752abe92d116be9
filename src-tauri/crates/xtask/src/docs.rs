//! Documents that still fit the tree: every path and every test they name exists.

use crate::process;
use anyhow::{Result, bail};
use std::{collections::HashSet, path::Path, process::Command};

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "src-tauri/RELEASING.md"];
/// A word in code marks that begins with one of these is a path.
const ROOTS: [&str; 8] = ["src-tauri/", "ui/", "sandbox/", "tunnel/", "icons/", ".ci/", ".cargo/", ".github/"];
/// Made, not kept.
const MADE: [&str; 2] = ["ui/dist", "ui/node_modules"];

/// Fails with the list of what is named and not there.
pub fn check(checkout: &Path) -> Result<String> {
    let mut checked = 0;
    let mut stale = Vec::new();
    let known = functions(checkout)?;
    for document in DOCUMENTS {
        let Ok(text) = std::fs::read_to_string(checkout.join(document)) else { continue };
        for path in paths(&text) {
            checked += 1;
            if !checkout.join(&path).exists() {
                stale.push(format!("    {document} names {path}"));
            }
        }
        let tests = tests(&text);
        checked += tests.len();
        stale.extend(
            tests.iter().filter(|test| !known.contains(*test)).map(|test| format!("    {document} names {test}")),
        );
    }
    if stale.is_empty() {
        return Ok(format!("{checked} paths and tests named in documents exist"));
    }
    bail!("Documents name what is not there:\n{}\nMend the document or the tree.", stale.join("\n"))
}

/// Every function of the tree whose name may be a test's.
fn functions(checkout: &Path) -> Result<HashSet<String>> {
    let mut grep = Command::new("git");
    grep.args(["grep", "-ohE", "fn [a-z0-9_]{25,}", "--", "*.rs"]).current_dir(checkout);
    Ok(process::said(&mut grep)?.lines().filter_map(|line| line.strip_prefix("fn ")).map(str::to_owned).collect())
}

/// Words in code marks that are a sentence: a test's name.
fn tests(text: &str) -> Vec<String> {
    let marked = text.split('`').skip(1).step_by(2);
    let is_test = |word: &&str| {
        word.len() >= 25 && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    marked.filter(is_test).map(str::to_owned).collect()
}

/// Link targets and words in code marks that are paths of this tree.
fn paths(text: &str) -> Vec<String> {
    let marked = text.split('`').skip(1).step_by(2);
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let words = marked.filter(|word| ROOTS.iter().any(|root| word.starts_with(root)));
    let links = linked.filter(|target| !target.contains("://") && !target.starts_with(['#', '/']));
    let plain = |path: &str| path.split('#').next().unwrap_or_default().trim_end_matches('/').to_owned();
    let is_path = |path: &String| {
        !path.is_empty()
            && !path.contains(['*', '{', '<', ' ', '\n', '…'])
            && !MADE.iter().any(|made| path.starts_with(made))
    };
    words.chain(links).map(plain).filter(is_path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_links_and_marked_words() {
        let text = "See [the map](ARCHITECTURE.md#map), [out](https://example.org/x), `sandbox/image/Dockerfile`, `cargo xtask run`, `ui/dist`, `src-tauri/crates/*`.";
        assert_eq!(paths(text), ["sandbox/image/Dockerfile", "ARCHITECTURE.md"]);
    }

    #[test]
    fn tests_are_marked_sentences() {
        let text =
            "`a_spending_limit_holds_from_the_next_request_on`, `until_idle`, and a_name_that_is_not_marked_at_all.";
        assert_eq!(tests(text), ["a_spending_limit_holds_from_the_next_request_on"]);
    }
}
