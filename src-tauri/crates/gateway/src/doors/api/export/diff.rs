//! What a tool changed in a file, as lines that begin with their sign.

use domain::shown::shown;
use serde_json::Value;
use similar::TextDiff;
use std::time::Duration;

/// Two texts of thousands of lines that have nothing in common are compared no longer than this, and shown more coarsely then.
const COMPARED_WITHIN: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Kept,
    Came,
    Went,
    /// Where in the file what follows is.
    Place,
}

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    pub file: String,
    /// Each with its sign as its first character, and no line break.
    pub lines: Vec<String>,
}

pub fn sign(line: &str) -> Sign {
    match line.as_bytes().first() {
        Some(b'+') => Sign::Came,
        Some(b'-') => Sign::Went,
        Some(b'@') => Sign::Place,
        _ => Sign::Kept,
    }
}

/// Whether a tool changes a file in a way that is shown as lines.
pub fn is_edit(tool: &str) -> bool {
    matches!(tool, "Edit" | "MultiEdit" | "Write")
}

impl Diff {
    /// From the tool's own account of it; where there is none, from what it was asked to do.
    pub fn of(tool: &str, input: &Value, detail: Option<&Value>) -> Self {
        let lines = detail.and_then(structured).unwrap_or_else(|| asked(tool, input));
        let file = shown(text(input, "file_path"));
        Self { file, lines: lines.iter().map(|line| shown(line)).collect() }
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Claude Code's `structuredPatch`: hunks whose lines begin with their sign. None for a file that was not there before.
fn structured(detail: &Value) -> Option<Vec<String>> {
    let hunks = detail["structuredPatch"].as_array().filter(|hunks| !hunks.is_empty())?;
    Some(hunks.iter().flat_map(hunk).collect())
}

fn hunk(hunk: &Value) -> Vec<String> {
    let of = |name: &str| hunk[name].as_u64().unwrap_or_default();
    let place = format!("@@ -{},{} +{},{} @@", of("oldStart"), of("oldLines"), of("newStart"), of("newLines"));
    let lines = hunk["lines"].as_array().into_iter().flatten().filter_map(Value::as_str);
    std::iter::once(place).chain(lines.filter(|line| !line.starts_with('\\')).map(in_one_line)).collect()
}

fn asked(tool: &str, input: &Value) -> Vec<String> {
    match tool {
        "Write" => text(input, "content").lines().map(|line| in_one_line(&format!("+{line}"))).collect(),
        "MultiEdit" => input["edits"].as_array().into_iter().flatten().flat_map(changed).collect(),
        _ => changed(input),
    }
}

/// Where in the file it is was not said.
fn changed(edit: &Value) -> Vec<String> {
    let (old, new) = (text(edit, "old_string"), text(edit, "new_string"));
    let diff = TextDiff::configure().timeout(COMPARED_WITHIN).diff_lines(old, new);
    let lines = diff.iter_all_changes().map(|change| in_one_line(&format!("{}{}", change.tag(), change.value())));
    std::iter::once("@@".to_owned()).chain(lines).collect()
}

fn in_one_line(line: &str) -> String {
    line.trim_end_matches(['\n', '\r']).replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tools_own_account_comes_first_with_its_places() {
        let detail = json!({ "structuredPatch": [{ "oldStart": 7, "oldLines": 2, "newStart": 7, "newLines": 2,
            "lines": [" same", "-old", "+new", "\\ No newline at end of file"] }] });
        let diff = Diff::of("Edit", &json!({ "file_path": "/workspace/a.rs", "old_string": "x" }), Some(&detail));
        assert_eq!(diff.file, "/workspace/a.rs");
        assert_eq!(diff.lines, ["@@ -7,2 +7,2 @@", " same", "-old", "+new"]);
        let signs: Vec<Sign> = diff.lines.iter().map(|line| sign(line)).collect();
        assert_eq!(signs, [Sign::Place, Sign::Kept, Sign::Went, Sign::Came]);
    }

    #[test]
    fn without_one_what_was_asked_is_compared() {
        let edit = json!({ "old_string": "one\ntwo\n", "new_string": "one\nthree\n" });
        let lines = ["@@", " one", "-two", "+three"];
        assert_eq!(Diff::of("Edit", &edit, None).lines, lines);
        assert_eq!(
            Diff::of("MultiEdit", &json!({ "edits": [edit] }), Some(&json!({ "structuredPatch": [] }))).lines,
            lines
        );
        assert_eq!(Diff::of("Write", &json!({ "content": "a\r\nb" }), None).lines, ["+a", "+b"]);
    }

    #[test]
    fn a_line_stays_one_line_and_what_hides_in_it_is_seen() {
        let diff = Diff::of("Edit", &json!({ "old_string": "", "new_string": "a\rb\u{202E}c" }), None);
        assert_eq!(diff.lines, ["@@", "+a", "+b<U+202E>c"]);
    }
}
