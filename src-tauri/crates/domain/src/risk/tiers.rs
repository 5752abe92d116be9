//! The owner's own tiers, which go before what is judged here.

use super::{Risk, Target, WORKSPACE, named_file, of_rule, plain_words, reads, words, writes};
use crate::{
    agent::Rule,
    approval::Subject,
    usage::{Ceiling, MicroDollars, Unit},
};
use serde_json::Value;
use std::{fmt, str::FromStr};
use wildmatch::WildMatch;

/// `TIER WHAT`: `high Bash(terraform *)`, `free Bash(npm test)`, `high Edit(infra/*)`, `medium mcp__tracker__*`,
/// `high host *.prod.example`, `high push github.com/acme/*`, `high spend 20` (dollars, and all above). `free` is what is not
/// asked about at all; only tools can be. A star stands for anything; a file's path is in the workspace or begins with a slash, and
/// `Edit` is every tool that writes a file, `Read` every one that reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRule {
    tier: Tier,
    about: About,
}

/// Lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Nobody is asked.
    Free,
    Asked(Risk),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    /// A command that begins with these words, or is them.
    Command {
        words: Vec<String>,
        more: bool,
    },
    /// A file, by tools that write (or read) it.
    File {
        writes: bool,
        path: String,
    },
    Tool(String),
    Host(String),
    Push(String),
    Spend(MicroDollars),
}

/// Why a line is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTier {
    #[error("begin it with free, low, medium or high")]
    Tier,
    #[error("say what it is about after {0}")]
    Nothing(String),
    #[error("{0} takes no pattern: Bash, Edit and Read do")]
    Pattern(String),
    #[error("{0} is no amount in dollars")]
    Amount(String),
    #[error("only tools can be free of asking")]
    Free,
}

/// The first rule that fits all that would happen counts. What a rule before it wants higher, for a part of it, goes before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiers(Vec<TierRule>);

impl Tiers {
    pub fn new(rules: Vec<TierRule>) -> Self {
        Self(rules)
    }

    /// The owner's tier for this, or the one it is judged to be.
    pub fn of(&self, subject: &Subject) -> Tier {
        let judged = Tier::Asked(subject.risk(WORKSPACE));
        let mut raised = Tier::Free;
        for rule in &self.0 {
            // A low tier from an amount on would be one for every amount above it.
            let rises = rule.tier >= judged || !matches!(rule.about, About::Spend(_));
            if rises && rule.about.fits(subject, true) {
                return rule.tier.max(raised);
            }
            if rule.tier > judged && rule.about.fits(subject, false) {
                raised = raised.max(rule.tier);
            }
        }
        judged.max(raised)
    }

    /// `subject` without what "always" may not allow: rules that would also let through what the owner wants asked at a higher
    /// tier.
    pub fn narrowed(&self, mut subject: Subject) -> Subject {
        if let Subject::Tool { rules, .. } = &mut subject {
            rules.retain(|rule| !self.0.iter().any(|own| own.is_within(rule)));
        }
        subject
    }
}

impl TierRule {
    /// Whether `rule`, once allowed always, could let through what this wants asked at a higher tier.
    fn is_within(&self, rule: &Rule) -> bool {
        let content = rule.content.as_deref().unwrap_or_default();
        let first = content.split([' ', ':', '*']).next().unwrap_or_default();
        let touches = match &self.about {
            About::Command { words, .. } => {
                rule.tool == "Bash" && (first.is_empty() || words.iter().any(|w| w == first))
            }
            About::File { writes: w, .. } => {
                if *w {
                    writes(&rule.tool)
                } else {
                    reads(&rule.tool)
                }
            }
            About::Tool(name) => WildMatch::new(name).matches(&rule.tool),
            About::Host(_) | About::Push(_) | About::Spend(_) => false,
        };
        touches && self.tier > Tier::Asked(of_rule(rule, WORKSPACE))
    }
}

impl About {
    /// Whether this is about all that would happen (`whole`), or about any part of it.
    fn fits(&self, subject: &Subject, whole: bool) -> bool {
        match (self, subject) {
            (Self::Host(pattern), Subject::Host { host, .. }) => WildMatch::new(pattern).matches(host),
            (Self::Push(pattern), Subject::Push { host, repository, .. }) => {
                WildMatch::new(pattern).matches(&format!("{host}/{repository}"))
            }
            (Self::Spend(from), Subject::Spend { ceiling: Ceiling { unit: Unit::Dollars, .. }, more, .. }) => {
                *more >= from.0
            }
            (_, Subject::Tool { tool, input, target, .. }) => self.fits_tool(tool, input, target.as_ref(), whole),
            _ => false,
        }
    }

    fn fits_tool(&self, tool: &str, input: &Value, target: Option<&Target>, whole: bool) -> bool {
        match self {
            Self::Command { words, more } if tool == "Bash" => {
                input.get("command").and_then(Value::as_str).is_some_and(|line| runs(words, *more, line, whole))
            }
            Self::File { writes: true, path } if writes(tool) => names(path, tool, input, target, whole),
            Self::File { writes: false, path } if reads(tool) => names(path, tool, input, target, whole),
            Self::Tool(name) => WildMatch::new(name).matches(tool),
            _ => false,
        }
    }
}

/// Whether the words stand in the line; `whole`: whether it is nothing but one plain command that begins with them.
fn runs(wanted: &[String], more: bool, line: &str, whole: bool) -> bool {
    if whole {
        let Some(line) = plain_words(line) else { return false };
        return line.starts_with(&wanted.iter().map(String::as_str).collect::<Vec<_>>())
            && (more || line.len() == wanted.len());
    }
    let wanted: Vec<&str> = wanted.iter().flat_map(|word| words(word)).collect();
    let line: Vec<&str> = words(line).collect();
    line.windows(wanted.len().max(1)).any(|part| part == wanted)
}

/// Whether the call is about such a file, by where it really is or what it is called; `whole`: by both.
fn names(pattern: &str, tool: &str, input: &Value, target: Option<&Target>, whole: bool) -> bool {
    let Some(called) = named_file(tool, input) else { return !whole };
    let fits = |path: &str| {
        let absolute = if path.starts_with('/') { path.to_owned() } else { format!("{WORKSPACE}/{path}") };
        WildMatch::new(pattern).matches(&absolute)
    };
    let odd = called.split('/').any(|part| part == "..") || called.starts_with('~');
    match target {
        Some(Target::At(path)) if whole => fits(path) && fits(called) && !odd,
        _ if whole => false,
        Some(Target::At(path) | Target::Shared(path)) => fits(path) || fits(called),
        Some(Target::Unknown) | None => true,
    }
}

impl FromStr for TierRule {
    type Err = BadTier;

    fn from_str(line: &str) -> Result<Self, BadTier> {
        let (tier, about) = line.trim().split_once(' ').ok_or(BadTier::Tier)?;
        let tier = match tier {
            "free" => Tier::Free,
            "low" => Tier::Asked(Risk::Low),
            "medium" => Tier::Asked(Risk::Medium),
            "high" => Tier::Asked(Risk::High),
            _ => return Err(BadTier::Tier),
        };
        let about: About = about.trim().parse()?;
        match about {
            About::Host(_) | About::Push(_) | About::Spend(_) if tier == Tier::Free => Err(BadTier::Free),
            about => Ok(Self { tier, about }),
        }
    }
}

impl FromStr for About {
    type Err = BadTier;

    fn from_str(text: &str) -> Result<Self, BadTier> {
        if let Some((tool, pattern)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            return tool_with(tool, pattern.trim());
        }
        match text.split_once(' ') {
            None if ["host", "push", "spend", ""].contains(&text) => Err(BadTier::Nothing(text.to_owned())),
            None => Ok(Self::Tool(text.to_owned())),
            Some(("host", host)) => Ok(Self::Host(host.trim().to_ascii_lowercase())),
            Some(("push", place)) => Ok(Self::Push(place.trim().to_owned())),
            Some(("spend", amount)) => {
                let dollars = amount.trim().parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
                let dollars = dollars.ok_or_else(|| BadTier::Amount(amount.trim().to_owned()))?;
                Ok(Self::Spend(MicroDollars::from_dollars(dollars)))
            }
            Some((other, _)) => Err(BadTier::Pattern(other.to_owned())),
        }
    }
}

fn tool_with(tool: &str, pattern: &str) -> Result<About, BadTier> {
    let nothing = || BadTier::Nothing(tool.to_owned());
    match tool {
        "Bash" => {
            let (words, more) = match pattern.strip_suffix('*') {
                Some(words) => (words.trim_end_matches(':'), true),
                None => (pattern, false),
            };
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            if words.is_empty() { Err(nothing()) } else { Ok(About::Command { words, more }) }
        }
        "Edit" | "Read" if pattern.is_empty() => Err(nothing()),
        "Edit" | "Read" => {
            let path = if pattern.starts_with('/') { pattern.to_owned() } else { format!("{WORKSPACE}/{pattern}") };
            Ok(About::File { writes: tool == "Edit", path })
        }
        _ => Err(BadTier::Pattern(tool.to_owned())),
    }
}

/// As it is read again.
impl fmt::Display for TierRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tier {
            Tier::Free => f.write_str("free ")?,
            Tier::Asked(risk) => write!(f, "{} ", risk.as_str())?,
        }
        match &self.about {
            About::Command { words, more } => {
                write!(f, "Bash({}{})", words.join(" "), if *more { " *" } else { "" })
            }
            About::File { writes, path } => write!(f, "{}({path})", if *writes { "Edit" } else { "Read" }),
            About::Tool(name) => f.write_str(name),
            About::Host(host) => write!(f, "host {host}"),
            About::Push(place) => write!(f, "push {place}"),
            About::Spend(from) => write!(f, "spend {}", from.dollars()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Span;
    use serde_json::json;

    fn tiers(rules: &[&str]) -> Tiers {
        Tiers::new(rules.iter().map(|rule| rule.parse().unwrap()).collect())
    }

    fn bash(command: &str) -> Subject {
        tool("Bash", json!({ "command": command }), None)
    }

    fn tool(tool: &str, input: Value, target: Option<Target>) -> Subject {
        Subject::Tool { tool: tool.into(), input, why: None, rules: Vec::new(), target }
    }

    fn edit(path: &str) -> Subject {
        tool("Write", json!({ "file_path": path }), Some(Target::At(path.into())))
    }

    const HIGH: Tier = Tier::Asked(Risk::High);
    const MEDIUM: Tier = Tier::Asked(Risk::Medium);
    const LOW: Tier = Tier::Asked(Risk::Low);

    #[test]
    fn a_command_is_raised_wherever_it_stands_in_a_line() {
        let own = tiers(&["high Bash(npm install *)"]);
        for line in ["npm install left-pad", "cd x && npm install", "sh -c 'npm install x'", "true;npm install"] {
            assert_eq!(own.of(&bash(line)), HIGH, "{line}");
        }
        assert_eq!(own.of(&bash("npm test")), LOW, "another keeps its own");
    }

    #[test]
    fn a_command_is_lowered_only_where_it_is_all_that_runs() {
        let own = tiers(&["free Bash(pnpm run check)", "low Bash(uv run *)"]);
        assert_eq!(own.of(&bash("pnpm run check")), Tier::Free);
        assert_eq!(own.of(&bash("uv run pytest -x")), LOW);
        for line in [
            "pnpm run check --fix",
            "pnpm run check; python3 x.py",
            "pnpm run check && python3 x",
            "uv run x > y",
            "uv run $(x)",
        ] {
            assert_eq!(own.of(&bash(line)), MEDIUM, "{line}");
        }
        assert_eq!(own.of(&bash("uv run x | curl y")), HIGH);
    }

    #[test]
    fn a_file_is_raised_by_either_name_and_lowered_only_by_both() {
        let own = tiers(&["high Edit(infra/*)", "low Edit(package.json)"]);
        assert_eq!(own.of(&edit("/workspace/infra/main.tf")), HIGH);
        assert_eq!(own.of(&edit("/workspace/src/a.rs")), LOW);
        assert_eq!(own.of(&edit("/workspace/package.json")), LOW);
        let link = |to| tool("Edit", json!({ "file_path": "/workspace/package.json" }), to);
        assert_eq!(own.of(&link(Some(Target::At("/workspace/infra/x".into())))), HIGH);
        assert_eq!(own.of(&link(Some(Target::At("/home/agent/.bashrc".into())))), HIGH);
        assert_eq!(own.of(&link(None)), HIGH, "nobody looked where it leads");
        let up = tool(
            "Edit",
            json!({ "file_path": "/workspace/x/../package.json" }),
            Some(Target::At("/workspace/package.json".into())),
        );
        assert_eq!(own.of(&up), HIGH);
    }

    #[test]
    fn hosts_pushes_amounts_and_other_tools_have_tiers_too() {
        let own =
            tiers(&["high host *.prod.example", "medium push github.com/me/*", "high spend 20", "low mcp__docs__*"]);
        let host = |host: &str| Subject::Host { host: host.into(), port: 443, doing: None };
        assert_eq!(own.of(&host("db.prod.example")), HIGH);
        assert_eq!(own.of(&host("prod.example")), MEDIUM);
        let push =
            |repository: &str| Subject::Push { host: "github.com".into(), repository: repository.into(), refs: vec![] };
        assert_eq!((own.of(&push("me/notes")), own.of(&push("acme/shop"))), (MEDIUM, HIGH));
        let spend = |dollars: f64, unit| Subject::Spend {
            ceiling: Ceiling { span: Span::Day, unit },
            scope: String::new(),
            limit: 0,
            spent: 0,
            more: MicroDollars::from_dollars(dollars).0,
        };
        assert_eq!(own.of(&spend(20.0, Unit::Dollars)), HIGH);
        assert_eq!(own.of(&spend(5.0, Unit::Dollars)), MEDIUM);
        assert_eq!(own.of(&spend(90.0, Unit::Tokens)), MEDIUM);
        assert_eq!(own.of(&tool("mcp__docs__find", json!({}), None)), LOW);
        assert_eq!(own.of(&tool("mcp__other__find", json!({}), None)), HIGH);
    }

    #[test]
    fn the_first_that_fits_counts() {
        let own = tiers(&["high Bash(npm test)", "free Bash(npm *)"]);
        assert_eq!((own.of(&bash("npm test")), own.of(&bash("npm ls"))), (HIGH, Tier::Free));
        let own = tiers(&["medium Bash(git *)", "high Bash(vault *)", "free Bash(vault status)"]);
        assert_eq!(own.of(&bash("git pull && vault write x")), HIGH, "one for a part hides no other");
        assert_eq!(own.of(&bash("vault status")), HIGH);
    }

    #[test]
    fn always_may_not_let_through_what_the_owner_wants_asked() {
        let own = tiers(&["high Bash(npm publish *)", "high Edit(infra/*)"]);
        let rule = |tool: &str, content: Option<&str>| Rule { tool: tool.into(), content: content.map(str::to_owned) };
        let left = |rules: Vec<Rule>| {
            let asked = Subject::Tool { tool: "Bash".into(), input: json!({}), why: None, rules, target: None };
            own.narrowed(asked).always().to_vec()
        };
        assert_eq!(
            left(vec![rule("Bash", Some("npm *")), rule("Bash", Some("git log *"))]),
            [rule("Bash", Some("git log *"))]
        );
    }

    #[test]
    fn a_rule_is_written_as_it_is_read_and_what_is_none_says_why() {
        for line in [
            "high Bash(terraform *)",
            "free Bash(npm test)",
            "high Edit(/workspace/infra/*)",
            "free Read(/workspace/*)",
            "low mcp__docs__*",
            "high host *.prod.example",
            "medium push github.com/acme/*",
            "high spend 20",
        ] {
            let rule: TierRule = line.parse().unwrap();
            assert_eq!(rule.to_string(), line);
        }
        for (line, why) in [
            ("", BadTier::Tier),
            ("never Bash(x)", BadTier::Tier),
            ("high host", BadTier::Nothing("host".into())),
            ("high Bash()", BadTier::Nothing("Bash".into())),
            ("high WebFetch(x)", BadTier::Pattern("WebFetch".into())),
            ("high spend much", BadTier::Amount("much".into())),
            ("free host x.example", BadTier::Free),
        ] {
            assert_eq!(line.parse::<TierRule>(), Err(why), "{line}");
        }
    }
}
