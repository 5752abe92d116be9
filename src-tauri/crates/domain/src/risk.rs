//! How much could go wrong if a tool runs with a given input. Three tiers, decided from the call alone, the same on every
//! channel. A tier says what a channel may grant, never whether something runs: the owner does that.
//!
//! The judgement errs upwards: what is not understood is at least medium.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// Tools that only look.
const READING: &[&str] =
    &["Read", "Glob", "Grep", "LS", "NotebookRead", "TodoWrite", "TaskOutput", "ToolSearch", "BashOutput"];
/// Tools that write one file named in their input.
const WRITING: &[(&str, &str)] =
    &[("Edit", "file_path"), ("MultiEdit", "file_path"), ("Write", "file_path"), ("NotebookEdit", "notebook_path")];
/// Commands that only look, or run what the project itself calls its tests. The second word, where given, must match.
const HARMLESS: &[(&str, Option<&[&str]>)] = &[
    ("ls", None),
    ("pwd", None),
    ("cat", None),
    ("head", None),
    ("tail", None),
    ("wc", None),
    ("rg", None),
    ("grep", None),
    ("stat", None),
    ("file", None),
    ("du", None),
    ("tree", None),
    ("date", None),
    ("which", None),
    ("echo", None),
    ("true", None),
    ("cd", None),
    ("lanyard-shot", None),
    ("git", Some(&["status", "diff", "log", "show", "blame", "rev-parse", "ls-files", "shortlog"])),
    ("npm", Some(&["test", "t", "ls"])),
    ("pnpm", Some(&["test"])),
    ("yarn", Some(&["test"])),
    ("cargo", Some(&["test", "check", "clippy", "fmt", "nextest", "build"])),
    ("go", Some(&["test", "vet", "build"])),
    ("node", Some(&["--test"])),
    ("pytest", None),
    ("make", Some(&["test", "check"])),
];
/// Words that make a command high wherever they stand as a command or an argument of one.
const GRAVE: &[&str] = &[
    "curl",
    "wget",
    "nc",
    "ncat",
    "socat",
    "ssh",
    "scp",
    "sftp",
    "rsync",
    "ftp",
    "telnet",
    "sudo",
    "su",
    "doas",
    "docker",
    "kubectl",
    "terraform",
    "shred",
    "mkfs",
    "dd",
    "crontab",
    "at",
    "nohup",
    "setsid",
    "publish",
    "push",
    "deploy",
    "eval",
];
/// Options of harmless commands that run something else or write: they take the command out of the low tier.
const RUNS_MORE: &[&str] =
    &["--pre", "--exec", "-exec", "--ext-diff", "--output", "-o", "--upload-pack", "--textconv", "-c"];

/// The tier of running `tool` with `input`. `workspace` is the absolute path work happens in.
pub fn of(tool: &str, input: &Value, workspace: &str) -> Risk {
    if READING.contains(&tool) {
        return reading(input, workspace);
    }
    if let Some((_, key)) = WRITING.iter().find(|(name, _)| *name == tool) {
        return input.get(key).and_then(Value::as_str).map_or(Risk::High, |path| writing(path, workspace));
    }
    match tool {
        "Bash" => input.get("command").and_then(Value::as_str).map_or(Risk::High, command),
        "mcp__lanyard__send_photo" => Risk::Low,
        "Task" | "Agent" | "Skill" | "KillShell" | "TaskStop" => Risk::Medium,
        _ => Risk::High,
    }
}

fn reading(input: &Value, workspace: &str) -> Risk {
    let path = ["file_path", "path", "notebook_path"].iter().find_map(|key| input.get(key)?.as_str());
    match path {
        Some(path) if path.starts_with('/') && inside(path, workspace).is_none() => Risk::Medium,
        Some(path) if path.split('/').any(|part| part == "..") => Risk::Medium,
        _ => Risk::Low,
    }
}

/// Files that decide what runs later, unseen: hooks, CI, agent settings, shell start-up, package scripts' lock step.
fn runs_later(relative: &str) -> bool {
    let hidden = relative.split('/').any(|part| part.starts_with('.') && part != ".gitignore" && part != ".");
    let name = relative.rsplit('/').next().unwrap_or(relative);
    hidden || matches!(name, "CLAUDE.md" | "CLAUDE.local.md" | "Makefile" | "package.json" | "build.rs" | "conftest.py")
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
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    match path.strip_prefix('/') {
        None => Some(path),
        Some(_) => path.strip_prefix(workspace)?.strip_prefix('/'),
    }
}

fn command(line: &str) -> Risk {
    let words = || line.split(|c: char| c.is_whitespace() || "\"'`(){}$;|&<>=/".contains(c)).filter(|w| !w.is_empty());
    let removes = words().any(|w| w == "rm") && words().any(|w| w.starts_with('-') && w.contains(['r', 'R', 'f']));
    if removes || words().any(|word| GRAVE.contains(&word)) {
        return Risk::High;
    }
    if is_harmless(line) { Risk::Low } else { Risk::Medium }
}

/// True only for lines made of plain words, quotes and `&&`, `||`, `;`, `|` between harmless commands: no substitution,
/// redirection (but `2>&1`), globs of options, assignment or new line, so that reading the line is knowing what runs.
fn is_harmless(line: &str) -> bool {
    let line = line.replace("2>&1", " ").replace("&&", ";").replace("||", ";").replace('|', ";");
    if line.contains(['$', '`', '<', '>', '(', ')', '{', '}', '&', '\n', '\r', '\\', '!']) {
        return false;
    }
    let mut commands = line.split(';').map(str::trim).peekable();
    commands.peek().is_some_and(|first| !first.is_empty()) && commands.all(harmless_command)
}

fn harmless_command(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let Some(first) = words.first() else {
        return false;
    };
    let known = HARMLESS.iter().any(|(name, seconds)| {
        name == first && seconds.is_none_or(|list| words.get(1).is_some_and(|word| list.contains(word)))
    });
    known && !words.iter().any(|word| RUNS_MORE.iter().any(|o| word == o || word.starts_with(&format!("{o}="))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(tool: &str, input: Value, risk: Risk) {
        assert_eq!(of(tool, &input, "/workspace"), risk, "{tool} {input}");
    }

    fn bash(command: &str, risk: Risk) {
        check("Bash", json!({ "command": command }), risk);
    }

    #[test]
    fn looking_and_ordinary_edits_in_the_workspace_are_low() {
        check("Read", json!({"file_path": "/workspace/a.rs"}), Risk::Low);
        check("Grep", json!({"pattern": "x"}), Risk::Low);
        check("Edit", json!({"file_path": "/workspace/src/a.rs"}), Risk::Low);
        check("Write", json!({"file_path": "notes.md"}), Risk::Low);
        bash("npm test", Risk::Low);
        bash("cd billing && node --test 2>&1 | tail -20", Risk::Low);
        bash("git status; git diff --stat", Risk::Low);
        bash("lanyard-shot http://127.0.0.1:8080 page.png", Risk::Low);
    }

    #[test]
    fn a_file_outside_or_one_that_runs_later_is_not_low() {
        check("Read", json!({"file_path": "/etc/passwd"}), Risk::Medium);
        check("Read", json!({"file_path": "../../etc/passwd"}), Risk::Medium);
        for path in [
            "/etc/profile",
            "/workspace/../home/agent/.bashrc",
            "/workspace/.git/hooks/pre-commit",
            "/workspace/.github/workflows/ci.yml",
            "/workspace/.claude/settings.json",
            "/workspace/CLAUDE.md",
            "/workspace/package.json",
            "/workspace2/a.rs",
        ] {
            check("Edit", json!({ "file_path": path }), Risk::High);
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

    #[test]
    fn what_is_not_plainly_harmless_is_medium() {
        for line in [
            "npm install",
            "python3 x.py",
            "ls > out",
            "cat $(ls)",
            "ls `id`",
            "git diff --output=x",
            "rg --pre ./x y",
            "echo hi\npython3 x.py",
            "node -e 1",
            "X=1 ls",
            "ls &",
        ] {
            bash(line, Risk::Medium);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_gets_a_tier(line in "\\PC{0,200}") {
            bash_any(&line);
        }
    }

    fn bash_any(line: &str) {
        of("Bash", &json!({ "command": line }), "/workspace");
    }
}
