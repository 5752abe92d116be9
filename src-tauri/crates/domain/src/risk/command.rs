//! What a shell command could do, read from its words alone.

use super::{Risk, inside, runs_later};

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

/// The tier of a shell command.
pub fn command(line: &str, workspace: &str) -> Risk {
    let removes =
        words(line).any(|w| w == "rm") && words(line).any(|w| w.starts_with('-') && w.contains(['r', 'R', 'f']));
    if removes || words(line).any(|word| GRAVE.contains(&word)) {
        return Risk::High;
    }
    if is_harmless(line, workspace) { Risk::Low } else { Risk::Medium }
}

/// Every word that could be a command or an argument of one, whatever quotes or joins them.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || "\"'`(){}$;|&<>=/".contains(c)).filter(|word| !word.is_empty())
}

/// The words of a line that is one command and can be read without knowing a shell.
pub fn plain_words(line: &str) -> Option<Vec<&str>> {
    is_plain(line).then(|| line.split_whitespace().collect())
}

fn is_plain(line: &str) -> bool {
    line.chars().all(|c| c.is_ascii_alphanumeric() || " ._-/:,@+=%".contains(c))
}

/// True only for lines whose every word can be read without knowing a shell: plain words and `&&`, `||`, `;`, `|`, `2>&1`
/// between harmless commands. Quotes, globs, substitutions, redirections, assignments and new lines are not read.
fn is_harmless(line: &str, workspace: &str) -> bool {
    let line = line.replace("2>&1", " ").replace("&&", ";").replace("||", ";").replace('|', ";");
    if !line.split(';').all(is_plain) {
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

    fn bash(line: &str, risk: Risk) {
        assert_eq!(command(line, "/workspace"), risk, "{line}");
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
            command(&line, "/workspace");
        }

        #[test]
        fn an_option_that_is_not_listed_is_never_low(
            chosen in 0..HARMLESS.len(), option in "--?[a-z][a-z-]{0,12}(=[a-z./]{1,9})?"
        ) {
            let known = &HARMLESS[chosen];
            let line = format!("{} {} {option}", known.name, known.second.first().unwrap_or(&"x"));
            if !known.options.contains(&option.as_str()) {
                proptest::prop_assert_ne!(command(&line, "/workspace"), Risk::Low);
            }
        }
    }
}
