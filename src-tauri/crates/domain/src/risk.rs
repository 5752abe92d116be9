//! How much could go wrong if a tool runs with a given input. Three tiers, decided from the call alone, the same on every
//! channel. A tier says what a channel may grant, never whether something runs: the owner does that.
//!
//! The judgement errs upwards: what is not understood is at least medium.

mod command;
mod tiers;

pub use tiers::{BadTier, Tier, TierRule, Tiers};

use crate::agent::Rule;
use command::{command, plain_words, words};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where agents work inside every sandbox.
pub const WORKSPACE: &str = "/workspace";

/// Ordered: what a channel may grant is everything up to a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Stays in the workspace and can be looked at or taken back: reads, edits of ordinary files, test runs.
    Low,
    /// Runs code or commands in the sandbox that are not plainly harmless.
    Medium,
    /// Leaves the sandbox, destroys, publishes, or changes what will run later unseen.
    High,
}

impl Risk {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Where the file that a tool call names really is, as its sandbox resolves the name at the time of asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "path", rename_all = "snake_case")]
pub enum Target {
    /// Its path without links.
    At(String),
    /// The same, of a file that has other names too (hard links): changing it changes what stands under them.
    Shared(String),
    /// It could not be found out.
    Unknown,
}

/// Tools that only look.
const READING: &[&str] =
    &["Read", "Glob", "Grep", "LS", "NotebookRead", "TodoWrite", "TaskOutput", "ToolSearch", "BashOutput"];
/// Tools that write one file named in their input.
const WRITING: &[(&str, &str)] =
    &[("Edit", "file_path"), ("MultiEdit", "file_path"), ("Write", "file_path"), ("NotebookEdit", "notebook_path")];

/// The tier of running `tool` with `input`. `workspace` is the absolute path work happens in; `target` is where the file the
/// input names really is. A name nobody looked behind is judged as if it led elsewhere.
pub fn of(tool: &str, input: &Value, target: Option<&Target>, workspace: &str) -> Risk {
    let behind = match (named_file(tool, input), target) {
        (None, _) => Risk::Low,
        (Some(_), Some(Target::At(path))) => at(tool, path, workspace),
        (Some(_), Some(Target::Shared(path))) if !writes(tool) => at(tool, path, workspace),
        (Some(_), Some(Target::Shared(_) | Target::Unknown) | None) => at(tool, "~", workspace),
    };
    by_name(tool, input, workspace).max(behind)
}

/// The one file or folder that `tool` names in its input, whose name may be a link to another.
pub fn named_file<'v>(tool: &str, input: &'v Value) -> Option<&'v str> {
    let word = |key: &str| input.get(key).and_then(Value::as_str);
    match WRITING.iter().find(|(name, _)| *name == tool) {
        Some((_, key)) => word(key),
        None if READING.contains(&tool) => ["file_path", "path", "notebook_path"].into_iter().find_map(word),
        None => None,
    }
}

fn reads(tool: &str) -> bool {
    READING.contains(&tool)
}

fn writes(tool: &str) -> bool {
    WRITING.iter().any(|(name, _)| *name == tool)
}

fn at(tool: &str, path: &str, workspace: &str) -> Risk {
    match inside(path, workspace) {
        _ if writes(tool) => writing(path, workspace),
        Some(_) => Risk::Low,
        None => Risk::Medium,
    }
}

fn by_name(tool: &str, input: &Value, workspace: &str) -> Risk {
    if READING.contains(&tool) {
        return reading(input, workspace);
    }
    if let Some((_, key)) = WRITING.iter().find(|(name, _)| *name == tool) {
        return input.get(key).and_then(Value::as_str).map_or(Risk::High, |path| writing(path, workspace));
    }
    match tool {
        "Bash" => input.get("command").and_then(Value::as_str).map_or(Risk::High, |line| command(line, workspace)),
        "mcp__lanyard__send_photo" => Risk::Low,
        "Task" | "Agent" | "Skill" | "KillShell" | "TaskStop" => Risk::Medium,
        _ => Risk::High,
    }
}

/// The highest tier of all that a rule lets through. A command without a wildcard is that command; one with a wildcard may
/// be given any further words, so it is at least medium.
pub fn of_rule(rule: &Rule, workspace: &str) -> Risk {
    match (rule.tool.as_str(), rule.content.as_deref()) {
        ("Bash", Some(line)) if !line.contains(['*', ':']) => command(line, workspace),
        ("Bash", Some(pattern)) if pattern.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            command(pattern, workspace).max(Risk::Medium)
        }
        (tool, _) if READING.contains(&tool) => Risk::Medium,
        _ => Risk::High,
    }
}

fn reading(input: &Value, workspace: &str) -> Risk {
    let inner = |key: &str| input.get(key).and_then(Value::as_str).is_none_or(|path| inside(path, workspace).is_some());
    match ["file_path", "path", "notebook_path", "pattern"].into_iter().all(inner) {
        true => Risk::Low,
        false => Risk::Medium,
    }
}

/// Names of files that decide what runs later, unseen, whatever the case of their letters.
const RUN_LATER: &[&str] = &[
    "claude.md",
    "claude.local.md",
    "agents.md",
    "makefile",
    "gnumakefile",
    "justfile",
    "package.json",
    "build.rs",
    "conftest.py",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "tox.ini",
    "cargo.toml",
    "go.mod",
    "dockerfile",
    "docker-compose.yml",
    "compose.yml",
    "compose.yaml",
];

/// Hooks, CI, agent settings, shell start-up (all hidden), and what build tools run by themselves.
fn runs_later(relative: &str) -> bool {
    let hidden = relative.split('/').any(|part| part.starts_with('.') && part != ".gitignore" && part != ".");
    let name = relative.rsplit('/').next().unwrap_or(relative).to_lowercase();
    let config = name.contains(".config.") || name.ends_with(".lock") || name.contains("-lock.");
    hidden || config || RUN_LATER.contains(&name.as_str())
}

fn writing(path: &str, workspace: &str) -> Risk {
    match inside(path, workspace) {
        Some(relative) if runs_later(relative) => Risk::High,
        Some(_) => Risk::Low,
        None => Risk::High,
    }
}

/// `path` relative to the workspace, if it is an absolute path under it without `..` steps (or a relative path).
fn inside<'p>(path: &'p str, workspace: &str) -> Option<&'p str> {
    if path.starts_with('~') || path.split('/').any(|part| part == "..") {
        return None;
    }
    match path.strip_prefix('/') {
        None => Some(path),
        Some(_) if path == workspace => Some(""),
        Some(_) => path.strip_prefix(workspace)?.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Of a file that is no link.
    fn check(tool: &str, input: Value, risk: Risk) {
        let target = named_file(tool, &input).map(|path| Target::At(path.to_owned()));
        assert_eq!(of(tool, &input, target.as_ref(), "/workspace"), risk, "{tool} {input}");
    }

    fn bash(command: &str, risk: Risk) {
        check("Bash", json!({ "command": command }), risk);
    }

    #[test]
    fn looking_and_ordinary_edits_in_the_workspace_are_low() {
        check("Read", json!({"file_path": "/workspace/a.rs"}), Risk::Low);
        check("Grep", json!({"pattern": "x"}), Risk::Low);
        check("Edit", json!({"file_path": "/workspace/src/a.rs"}), Risk::Low);
        check("Write", json!({"file_path": "/workspace/notes.md"}), Risk::Low);
        bash("npm test", Risk::Low);
        bash("cd billing && node --test 2>&1 | tail -20", Risk::Low);
        bash("git status; git diff --stat", Risk::Low);
        bash("lanyard-shot http://127.0.0.1:8080 page.png", Risk::Low);
        bash("cd /workspace/billing && node --test 2>&1", Risk::Low);
        bash("ls -R /workspace/billing; head -20 a.txt; go test ./...", Risk::Low);
    }

    #[test]
    fn a_file_outside_or_one_that_runs_later_is_not_low() {
        check("Read", json!({"file_path": "/etc/passwd"}), Risk::Medium);
        check("Read", json!({"file_path": "../../etc/passwd"}), Risk::Medium);
        check("Glob", json!({"pattern": "/etc/**"}), Risk::Medium);
        for path in [
            "/etc/profile",
            "/workspace/../home/agent/.bashrc",
            "/workspace/.git/hooks/pre-commit",
            "/workspace/.github/workflows/ci.yml",
            "/workspace/.claude/settings.json",
            "/workspace/CLAUDE.md",
            "/workspace/package.json",
            "/workspace/GNUmakefile",
            "/workspace/claude.md",
            "/workspace/vite.config.js",
            "~/.bashrc",
            "/workspace2/a.rs",
        ] {
            check("Edit", json!({ "file_path": path }), Risk::High);
        }
    }

    #[test]
    fn a_link_is_judged_by_where_it_leads() {
        let edit = json!({"file_path": "/workspace/notes.md"});
        let tier = |tool: &str, target: Option<Target>| of(tool, &edit, target.as_ref(), "/workspace");
        for elsewhere in ["/home/agent/.bashrc", "/workspace/.git/hooks/pre-commit", "/workspace/CLAUDE.md"] {
            assert_eq!(tier("Edit", Some(Target::At(elsewhere.into()))), Risk::High, "{elsewhere}");
        }
        assert_eq!(tier("Edit", Some(Target::At("/workspace/b.md".into()))), Risk::Low);
        assert_eq!(tier("Edit", Some(Target::Shared("/workspace/notes.md".into()))), Risk::High);
        assert_eq!(tier("Read", Some(Target::Shared("/workspace/notes.md".into()))), Risk::Low);
        assert_eq!(tier("Read", Some(Target::At("/etc/shadow".into()))), Risk::Medium);
        for unseen in [None, Some(Target::Unknown)] {
            assert_eq!((tier("Write", unseen.clone()), tier("Read", unseen)), (Risk::High, Risk::Medium));
        }
    }

    #[test]
    fn a_rule_is_as_grave_as_the_worst_it_lets_through() {
        let tier = |tool: &str, content: Option<&str>| {
            of_rule(&Rule { tool: tool.into(), content: content.map(str::to_owned) }, "/workspace")
        };
        assert_eq!(tier("Bash", Some("npm test")), Risk::Low);
        assert_eq!(tier("Bash", Some("npm test *")), Risk::Medium);
        assert_eq!(tier("Bash", Some("npm test:*")), Risk::Medium);
        for (tool, content) in [("Bash", Some("curl *")), ("Bash", Some("*")), ("Bash", None), ("Edit", None)] {
            assert_eq!(tier(tool, content), Risk::High, "{tool} {content:?}");
        }
    }

    #[test]
    fn what_leaves_destroys_or_publishes_is_high() {
        for line in [
            "curl -s https://example.com",
            "git push origin main",
            "rm -rf /workspace",
            "find . -name x | xargs rm -f",
            "npm publish",
            "echo $(curl x)",
            "/usr/bin/curl x",
            "ls; sudo ls",
            "bash -c 'wget x'",
        ] {
            bash(line, Risk::High);
        }
        check("WebFetch", json!({"url": "https://example.com"}), Risk::High);
        check("mcp__other__tool", json!({}), Risk::High);
        check("Bash", json!({}), Risk::High);
    }
}
