//! An approval in words. They name exactly what it allows: every field of a tool's input stands in them, or the words say
//! that something is left out. What cannot be mistaken stands as it is, everything else in quotes with JSON's escapes, so
//! that no value can look like the words around it.

use super::{PushedRef, Subject, host_and_port};
use crate::{
    agent::Question,
    risk::{self, Target},
    shown::{shown, shown_line},
    usage::Span,
};
use serde_json::Value;

/// What a text message says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    pub words: String,
    /// Nothing is left out.
    pub whole: bool,
}

/// Characters of a tool's main words in a text, of a plan, and of an interrupted turn's words.
const MAIN: usize = 240;
const PLAN: usize = 300;
const AGAIN: usize = 120;
/// Characters of one further field in a text, and of all of them.
const FIELD: usize = 60;
const FIELDS: usize = 160;

impl Subject {
    /// Everything that would run or be answered, in full, over several lines, safe to show.
    pub fn in_full(&self) -> String {
        match self {
            Self::Tool { tool, input, target, .. } => shown(&Call::of(tool, input, target.as_ref()).in_full()),
            Self::Question { questions, input } => {
                shown(&(question_words(questions, true) + &fields_in_full(&rest_of(input, &["questions"]))))
            }
            Self::Plan { plan, input } => {
                shown(&(written(plan).to_owned() + &fields_in_full(&rest_of(input, PLAN_FIELDS))))
            }
            Self::Rerun { words, .. } => shown(words),
            Self::Host { host, port, doing } => {
                let doing =
                    doing.as_ref().map_or_else(String::new, |doing| format!("\nwhile it runs: {}", exact(doing)));
                shown(&format!("reach {}{doing}", host_and_port(host, *port)))
            }
            Self::Spend { .. } => self.in_a_text().words,
            Self::Push { host, repository, refs } => {
                let lines: Vec<String> = refs.iter().map(|one| format!("\n{}", pushed(one))).collect();
                shown(&format!("push to {repository} at {host}:{}", lines.concat()))
            }
        }
    }

    /// What fits a text message: `run: npm test`, and on a line of its own what else the input holds.
    pub fn in_a_text(&self) -> Short {
        match self {
            Self::Tool { tool, input, target, .. } => {
                let mut call = Call::of(tool, input, target.as_ref());
                call.rest.retain(|(name, value)| **value != Value::Bool(false) || !SWITCHES.contains(&(tool, name)));
                short(&call.line(), MAIN, &call.rest)
            }
            Self::Question { questions, input } => {
                let rest = fields_in_a_text(&rest_of(input, &["questions"]));
                let explained = questions.iter().flat_map(|q| &q.options).any(|o| !o.description.is_empty());
                Short { words: shown(&question_words(questions, false)) + &rest.words, whole: rest.whole && !explained }
            }
            Self::Plan { plan, input } => short(written(plan), PLAN, &rest_of(input, PLAN_FIELDS)),
            Self::Rerun { words, .. } => short(words, AGAIN, &[]),
            // The command only explains; a host that does not fit is not whole.
            Self::Host { host, port, doing } => {
                let doing = doing.as_ref().map_or_else(String::new, |doing| format!("\nfor: {}", cut(doing, AGAIN).0));
                let (host, whole) = cut(&host_and_port(host, *port), MAIN);
                Short { words: format!("reach {host}{doing}"), whole }
            }
            Self::Spend { ceiling, limit, spent, more, .. } => {
                let unit = ceiling.unit;
                let span = match ceiling.span {
                    Span::Turn => "this turn",
                    Span::Session => "this session",
                    Span::Day => "today",
                    Span::Month => "this month",
                };
                let (spent, limit, more) = (unit.amount(*spent), unit.amount(*limit), unit.amount(*more));
                Short { words: format!("spend {more} more for {span} ({spent} of {limit} are spent)"), whole: true }
            }
            Self::Push { host, repository, refs } => {
                let list: Vec<String> = refs.iter().map(pushed).collect();
                let (words, whole) = cut(&format!("push to {repository} at {host}: {}", list.join(", ")), MAIN);
                Short { words, whole }
            }
        }
    }
}

/// Git's own short form of an object id.
const ID: usize = 7;

fn pushed(one: &PushedRef) -> String {
    let name = one.name.strip_prefix("refs/heads/").unwrap_or(&one.name);
    let none = |id: &str| id.bytes().all(|byte| byte == b'0');
    let short = |id: &str| id.chars().take(ID).collect::<String>();
    match (none(&one.old), none(&one.new)) {
        (_, true) => format!("delete {name} ({})", short(&one.old)),
        (true, false) => format!("new {name} at {}", short(&one.new)),
        (false, false) => format!("{name} from {} to {}", short(&one.old), short(&one.new)),
    }
}

/// The plan itself, and the file in the sandbox that Claude Code keeps it in.
const PLAN_FIELDS: &[&str] = &["plan", "planFilePath"];

fn written(plan: &str) -> &str {
    if plan.trim().is_empty() { "(it wrote none down)" } else { plan }
}

/// Fields that Claude Code always sends and that, when false, ask for nothing: a text need not say so.
const SWITCHES: &[(&str, &str)] = &[("Edit", "replace_all"), ("Bash", "run_in_background")];

type Field<'v> = (&'v str, &'v Value);

/// A tool call in parts: what it does, on what, and the fields of its input that those two do not hold.
struct Call<'v> {
    verb: &'v str,
    object: Option<String>,
    /// Shown before the rest, in this order, without their names where a text is short.
    main: Vec<Field<'v>>,
    rest: Vec<Field<'v>>,
}

/// Tools with words of their own: verb, the field that is its object, the fields that say what is done to it.
const FORMS: &[(&str, &str, &str, &[&str])] = &[
    ("Bash", "run", "command", &[]),
    ("Edit", "edit", "file_path", &["old_string", "new_string"]),
    ("Write", "write", "file_path", &["content"]),
    ("NotebookEdit", "edit", "notebook_path", &["new_source"]),
    ("Read", "read", "file_path", &[]),
    ("WebFetch", "fetch", "url", &[]),
];

impl<'v> Call<'v> {
    fn of(tool: &'v str, input: &'v Value, target: Option<&Target>) -> Self {
        let form = FORMS.iter().find(|(name, ..)| *name == tool);
        let object = form.and_then(|(_, _, key, _)| input.get(key)?.as_str());
        let (Some((_, verb, key, main)), Some(object)) = (form, object) else {
            return Self { verb: tool, object: None, main: Vec::new(), rest: rest_of(input, &[]) };
        };
        let said: Vec<&str> = std::iter::once(*key).chain(main.iter().copied()).collect();
        let object = match risk::named_file(tool, input) {
            Some(path) => format!("{}{}", exact_path(path), leads(path, target)),
            None => exact(object),
        };
        let main = main.iter().filter_map(|key| Some((*key, input.get(key)?))).collect();
        Self { verb, object: Some(object), main, rest: rest_of(input, &said) }
    }

    /// `edit src/a.js: "old" -> "new"`.
    fn line(&self) -> String {
        let Some(object) = &self.object else { return self.verb.to_owned() };
        let main: Vec<String> = self.main.iter().map(|(_, value)| value.to_string()).collect();
        match (self.verb, main.is_empty()) {
            ("run", _) => format!("run: {object}"),
            (verb, true) => format!("{verb} {object}"),
            (verb, false) => format!("{verb} {object}: {}", main.join(" -> ")),
        }
    }

    fn in_full(&self) -> String {
        let head = match &self.object {
            Some(object) if self.verb == "run" => format!("run: {object}"),
            Some(object) => format!("{} {object}", self.verb),
            None => self.verb.to_owned(),
        };
        head + &fields_in_full(&self.main) + &fields_in_full(&self.rest)
    }
}

/// The fields of an input that are not among `said`; the agent's own description of it comes last.
fn rest_of<'v>(input: &'v Value, said: &[&str]) -> Vec<Field<'v>> {
    let fields = input.as_object().into_iter().flatten();
    let mut rest: Vec<Field<'v>> =
        fields.map(|(name, value)| (name.as_str(), value)).filter(|(name, _)| !said.contains(name)).collect();
    if !input.is_object() && !input.is_null() {
        rest.push(("input", input));
    }
    rest.sort_by_key(|(name, _)| *name == "description");
    rest
}

/// Where a file's name leads, where that is not what it says.
fn leads(path: &str, target: Option<&Target>) -> String {
    match target {
        Some(Target::At(at)) if at == path => String::new(),
        Some(Target::At(at)) => format!(" (a link: really {})", exact_path(at)),
        Some(Target::Shared(at)) => format!(" (really {}, a file with other names too)", exact_path(at)),
        Some(Target::Unknown) => " (where it leads could not be seen)".to_owned(),
        None => String::new(),
    }
}

/// A line that can stand as it is does; any other is quoted.
fn exact(text: &str) -> String {
    let plain = !text.is_empty() && text.trim() == text && !text.starts_with('"') && !text.contains(char::is_control);
    if plain { text.to_owned() } else { quoted(text) }
}

/// A path of usual characters stands as it is; any other is quoted.
fn exact_path(path: &str) -> String {
    let usual = !path.is_empty() && path.chars().all(|c| c.is_alphanumeric() || "/._-+@~".contains(c));
    if usual { path.to_owned() } else { quoted(path) }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// One field below another. Text of several lines and nested values stand as they are behind a bar.
fn fields_in_full(fields: &[Field<'_>]) -> String {
    let barred = |text: &str| text.split('\n').map(|line| format!("\n  | {line}")).collect::<String>();
    let field = |(name, value): &Field<'_>| match value {
        Value::String(text) if text.contains('\n') => format!("\n  {}:{}", exact_path(name), barred(text)),
        Value::Array(_) | Value::Object(_) => format!("\n  {}:{}", exact_path(name), barred(&format!("{value:#}"))),
        value => format!("\n  {}: {value}", exact_path(name)),
    };
    fields.iter().map(field).collect()
}

/// `with replace_all true, timeout 5000 and 3 more fields`, on a line of its own.
fn fields_in_a_text(fields: &[Field<'_>]) -> Short {
    let mut words = String::new();
    let mut whole = true;
    for (n, (name, value)) in fields.iter().enumerate() {
        let (field, all) = cut(&format!("{} {value}", exact_path(name)), FIELD);
        if words.len() + field.len() > FIELDS {
            let left = fields.len() - n;
            words.push_str(&format!("{}{left} more field{}", if n == 0 { "\nwith " } else { " and " }, plural(left)));
            return Short { words, whole: false };
        }
        words.push_str(if n == 0 { "\nwith " } else { ", " });
        words.push_str(&field);
        whole &= all;
    }
    Short { words, whole }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn short(main: &str, limit: usize, rest: &[Field<'_>]) -> Short {
    let (main, all) = cut(main, limit);
    let rest = fields_in_a_text(rest);
    Short { words: main + &rest.words, whole: all && rest.whole }
}

/// On one line of at most `limit` characters, and whether that is all of it.
fn cut(text: &str, limit: usize) -> (String, bool) {
    let all = !text.contains('\n') && shown(text).chars().count() <= limit;
    (shown_line(text, limit), all)
}

/// Each question with its numbered options; several questions are numbered too.
fn question_words(questions: &[Question], explained: bool) -> String {
    (0..questions.len()).map(|nth| one_question(questions, nth, explained)).collect::<Vec<_>>().join("\n")
}

/// One of several questions as a text asks it, the first is 0.
pub(crate) fn next_question(questions: &[Question], nth: usize) -> String {
    shown(&one_question(questions, nth, false))
}

fn one_question(questions: &[Question], nth: usize, explained: bool) -> String {
    let Some(q) = questions.get(nth) else { return String::new() };
    let mut out = if questions.len() > 1 { format!("{}/{} ", nth + 1, questions.len()) } else { String::new() };
    out.push_str(&q.question);
    if q.several {
        out.push_str(" (several may be picked)");
    }
    for (n, option) in q.options.iter().enumerate() {
        out.push_str(&format!("\n{}) {}", n + 1, option.label));
        if explained && !option.description.is_empty() {
            out.push_str(&format!(": {}", option.description));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn tool(tool: &str, input: Value) -> Subject {
        Subject::Tool { tool: tool.into(), input, why: None, rules: vec![], target: None }
    }

    fn text(name: &str, input: Value, words: &str, whole: bool) {
        assert_eq!(tool(name, input).in_a_text(), Short { words: words.into(), whole });
    }

    #[test]
    fn a_text_names_every_field_of_what_it_allows() {
        text("Bash", json!({"command": "npm test"}), "run: npm test", true);
        text(
            "Bash",
            json!({"command": "npm test", "description": "Run \"it\"", "run_in_background": true}),
            "run: npm test\nwith run_in_background true, description \"Run \\\"it\\\"\"",
            true,
        );
        text(
            "Edit",
            json!({"file_path": "/workspace/a.js", "old_string": "say \"x\"", "new_string": "y", "replace_all": true}),
            "edit /workspace/a.js: \"say \\\"x\\\"\" -> \"y\"\nwith replace_all true",
            true,
        );
        let edit = json!({"file_path": "/workspace/a", "old_string": "x", "new_string": "y", "replace_all": false});
        text("Edit", edit, "edit /workspace/a: \"x\" -> \"y\"", true);
        text("Other", json!({"replace_all": false}), "Other\nwith replace_all false", true);
        text("Other", json!({"a": [1, {"b": null}]}), "Other\nwith a [1,{\"b\":null}]", true);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_never_silent() {
        let many = json!({"command": "x", "a": "1".repeat(50), "b": "2".repeat(50), "c": "3".repeat(50), "d": 4});
        let said = tool("Bash", many).in_a_text();
        assert!(said.words.ends_with(" and 2 more fields") && !said.whole, "{said:?}");
        let long = tool("Bash", json!({"command": format!("echo {}", "a".repeat(400))})).in_a_text();
        assert!(long.words.contains("more]") && !long.whole, "{long:?}");
    }

    #[test]
    fn a_new_line_in_a_command_cannot_pass_for_a_pipe_nor_a_value_for_the_words_around_it() {
        text("Bash", json!({"command": "echo a\nid"}), "run: \"echo a\\nid\"", true);
        text("Bash", json!({"command": "\"x\""}), "run: \"\\\"x\\\"\"", true);
        let path = json!({"file_path": "/workspace/a: \"b\"", "content": ""});
        text("Write", path, "write \"/workspace/a: \\\"b\\\"\": \"\"", true);
        text("Bash", json!({"command": "echo \u{202E}x"}), "run: echo <U+202E>x", true);
    }

    #[test]
    fn a_link_is_shown_with_where_it_leads() {
        let input = json!({"file_path": "/workspace/notes.md", "content": "x"});
        let to =
            |target| Subject::Tool { tool: "Write".into(), input: input.clone(), why: None, rules: vec![], target };
        let linked = to(Some(Target::At("/home/agent/.bashrc".into())));
        let words = "write /workspace/notes.md (a link: really /home/agent/.bashrc)";
        assert!(linked.in_a_text().words.starts_with(words) && linked.in_full().starts_with(words));
        let same = to(Some(Target::At("/workspace/notes.md".into())));
        assert_eq!(same.in_a_text().words, "write /workspace/notes.md: \"x\"");
        assert_ne!(linked.hash(), same.hash(), "an answer names where it leads");
    }

    #[test]
    fn in_full_each_field_has_lines_of_its_own() {
        let input = json!({"file_path": "/workspace/a", "old_string": "a\nb", "new_string": "c", "replace_all": false});
        assert_eq!(
            tool("Edit", input).in_full(),
            "edit /workspace/a\n  old_string:\n  | a\n  | b\n  new_string: \"c\"\n  replace_all: false"
        );
        let plan = Subject::Plan { plan: "1. go".into(), input: json!({"plan": "1. go", "allowedPrompts": [1]}) };
        assert_eq!(plan.in_full(), "1. go\n  allowedPrompts:\n  | [\n  |   1\n  | ]");
        assert_eq!(plan.in_a_text().words, "1. go\nwith allowedPrompts [1]");
    }

    proptest! {
        #[test]
        fn whatever_the_input_every_field_is_named_or_counted(
            names in prop::collection::btree_set("[a-z_]{1,12}", 0..8), value in "\\PC{0,80}"
        ) {
            let input: serde_json::Map<String, Value> =
                names.iter().map(|name| (name.clone(), Value::from(value.as_str()))).collect();
            let subject = tool("Some", Value::Object(input));
            let short = subject.in_a_text();
            let full = subject.in_full();
            for name in &names {
                let named = format!("\n  {name}:");
                prop_assert!(full.contains(&named));
                prop_assert!(!short.whole || short.words.contains(name.as_str()));
            }
            prop_assert!(short.whole || short.words.contains("more"));
        }
    }
}
