//! How much could go wrong if a tool runs with a given input. Three tiers, decided from the call alone, the same on every
//! channel. A tier says what a channel may grant, never whether something runs: the owner does that.
//!
//! The judgement errs upwards: what is not understood is at least medium.

use crate::agent::Rule;
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
/// A command that only looks, or runs what the project itself calls its tests.
struct Harmless {
    name: &'static str,
    /// The second word must be one of these; empty: anything goes.
    second: &'static [&'static str],
    /// The options it may have. Any other makes it medium: options are how harmless programs run or write something else.
    options: &'static [&'static str],
}

const fn looks(name: &'static str, options: &'static [&'static str]) -> Harmless {
    Harmless { name, second: &[], options }
}

const fn does(name: &'static str, second: &'static [&'static str], options: &'static [&'static str]) -> Harmless {
    Harmless { name, second, options }
}

const GIT: &[&str] = &[
    "--stat",
    "--short",
    "-s",
    "--oneline",
    "--name-only",
    "--name-status",
    "--cached",
    "--staged",
    "--no-color",
    "-b",
    "--porcelain",
    "-p",
    "-n",
    "--numstat",
    "--shortstat",
    "--all",
];
const CARGO: &[&str] =
    &["--workspace", "--all", "--all-targets", "--release", "-q", "-v", "--no-fail-fast", "--lib", "--check", "-p"];

const HARMLESS: &[Harmless] = &[
    looks("ls", &["-l", "-a", "-la", "-al", "-R", "-1", "-h", "-lh", "-lah", "-A", "-t", "-lt"]),
    looks("pwd", &[]),
    looks("cd", &[]),
    looks("cat", &["-n"]),
    looks("head", &["-n", "-c"]),
    looks("tail", &["-n", "-c"]),
    looks("wc", &["-l", "-w", "-c"]),
    looks("rg", &["-n", "-i", "-l", "-c", "-w", "-F", "-A", "-B", "-C", "-t"]),
    looks("grep", &["-n", "-i", "-r", "-rn", "-rni", "-l", "-c", "-w", "-E", "-F", "-A", "-B", "-C"]),
    looks("stat", &[]),
    looks("file", &[]),
    looks("du", &["-s", "-h", "-sh"]),
    looks("tree", &["-a", "-d", "-L"]),
    looks("date", &[]),
    looks("which", &[]),
    looks("echo", &[]),
    looks("true", &[]),
    looks("lanyard-shot", &[]),
    does("git", &["status", "diff", "log", "show", "blame", "rev-parse", "ls-files", "shortlog"], GIT),
    does("npm", &["test", "t", "ls"], &[]),
    does("pnpm", &["test"], &[]),
    does("yarn", &["test"], &[]),
    does("cargo", &["test", "check", "clippy", "fmt", "nextest", "build"], CARGO),
    does("go", &["test", "vet", "build"], &["-v", "-race"]),
    does("node", &["--test"], &["--test"]),
    looks("pytest", &["-q", "-v", "-x"]),
    does("make", &["test", "check"], &[]),
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

fn command(line: &str, workspace: &str) -> Risk {
    let words = || line.split(|c: char| c.is_whitespace() || "\"'`(){}$;|&<>=/".contains(c)).filter(|w| !w.is_empty());
    let removes = words().any(|w| w == "rm") && words().any(|w| w.starts_with('-') && w.contains(['r', 'R', 'f']));
    if removes || words().any(|word| GRAVE.contains(&word)) {
        return Risk::High;
    }
    if is_harmless(line, workspace) { Risk::Low } else { Risk::Medium }
}

/// True only for lines whose every word can be read without knowing a shell: plain words and `&&`, `||`, `;`, `|`, `2>&1`
/// between harmless commands. Quotes, globs, substitutions, redirections, assignments and new lines are not read.
fn is_harmless(line: &str, workspace: &str) -> bool {
    let line = line.replace("2>&1", " ").replace("&&", ";").replace("||", ";").replace('|', ";");
    if !line.chars().all(|c| c.is_ascii_alphanumeric() || " ;._-/:,@+=%".contains(c)) {
        return false;
    }
    let commands: Vec<Vec<&str>> = line.split(';').map(|c| c.split_whitespace().collect()).collect();
    // git obeys the configuration of the folder it runs in, and a planted one may run anything.
    let elsewhere = commands.iter().any(|words| words.first() == Some(&"cd"));
    commands.iter().all(|words| harmless_command(words, workspace) && !(elsewhere && words.first() == Some(&"git")))
}

fn harmless_command(words: &[&str], workspace: &str) -> bool {
    let Some(known) = words.first().and_then(|first| HARMLESS.iter().find(|h| h.name == *first)) else { return false };
    let second = known.second.is_empty() || words.get(1).is_some_and(|word| known.second.contains(word));
    second && words[1..].iter().all(|word| harmless_word(known, word, workspace)) && harmless_picture(words, workspace)
}

fn harmless_word(command: &Harmless, word: &str, workspace: &str) -> bool {
    if let Some(option) = word.strip_prefix('-') {
        let number = !option.is_empty() && option.bytes().all(|b| b.is_ascii_digit());
        return number || command.options.contains(&word);
    }
    let address = command.name == "lanyard-shot" && word.contains("://");
    !word.contains('=') && (address || inside(word, workspace).is_some())
}

/// `lanyard-shot` writes its second word: a new picture in the workspace, nothing else.
fn harmless_picture(words: &[&str], workspace: &str) -> bool {
    match words {
        ["lanyard-shot", _, file, ..] => {
            file.ends_with(".png") && inside(file, workspace).is_some_and(|relative| !runs_later(relative))
        }
        ["lanyard-shot", ..] => false,
        _ => true,
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
            // Options that run or write something else, however they are written.
            "git log -1 \"--output=.claude/settings.json\" --format=%B",
            "git log --output=x",
            "rg \"--pre=./x\" y",
            "rg --hostname-bin=./x y",
            "tree -Jo CLAUDE.md",
            "tree -o CLAUDE.md",
            "go test -exec=./x",
            "go vet -vettool=./x",
            "cargo test --config build.rustc-wrapper=x",
            "cargo clippy --fix",
            "npm test --prefix=/tmp/x",
            "make test SHELL=./x",
            "make test -f x.mk",
            "pytest --basetemp=/workspace",
            "node --test --import=./x",
            "lanyard-shot http://x src/main.rs",
            "file -C",
            "tail -f x",
            // What only a shell can read.
            "rg y *",
            "cat ~/secret",
            "cat /etc/passwd",
            "cat /proc/self/environ",
            "cat a\u{a0}b",
            "cd /tmp && npm test",
            "cd sub; git status",
            "cat ../x",
            "date -s 1",
        ] {
            bash(line, Risk::Medium);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_gets_a_tier(line in "\\PC{0,200}") {
            of("Bash", &json!({ "command": line }), None, "/workspace");
        }

        #[test]
        fn an_option_that_is_not_listed_is_never_low(
            command in 0..HARMLESS.len(), option in "--?[a-z][a-z-]{0,12}(=[a-z./]{1,9})?"
        ) {
            let known = &HARMLESS[command];
            let line = format!("{} {} {option}", known.name, known.second.first().unwrap_or(&"x"));
            if !known.options.contains(&option.as_str()) {
                proptest::prop_assert_ne!(of("Bash", &json!({ "command": line }), None, "/workspace"), Risk::Low);
            }
        }
    }
}
