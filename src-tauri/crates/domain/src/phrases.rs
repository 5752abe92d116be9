//! Every sentence Lanyard itself says to a person by text. GSM-7 only, so that a short answer stays one segment.

use crate::{
    Code,
    approval::{Approval, Decision, Subject},
    risk::Risk,
    segments,
    usage::MicroDollars,
};

/// An approval as a text. `may_grant` is whether policy lets a text say yes; `link` shows it in full.
pub fn asks(approval: &Approval, may_grant: bool, link: Option<&str>) -> String {
    let n = approval.number;
    let what = match &approval.subject {
        Subject::Tool { .. } => format!("#{n} may it {}?", without_label(&approval.subject.in_short(240))),
        Subject::Question { .. } => format!("#{n} {}", approval.subject.in_short(600)),
        Subject::Plan { .. } => format!("#{n} Plan: {}", approval.subject.in_short(300)),
        Subject::Rerun { .. } => format!("#{n} Interrupted: \"{}\". Run it again?", approval.subject.in_short(120)),
    };
    let how = match (&approval.subject, may_grant) {
        (Subject::Question { .. }, _) => "Answer with a number or your words.".to_owned(),
        (_, true) => format!("yes {n} or no {n}"),
        (_, false) => {
            format!("{} risk: no {n} by text, yes only at the desk (lanyard approve {n}).", capital(approval.risk))
        }
    };
    let link = link.map(|l| format!("\n{l}")).unwrap_or_default();
    format!("{what}\n{how}{link}")
}

fn without_label(words: &str) -> String {
    words.strip_prefix("run: ").map_or_else(|| words.to_owned(), |command| format!("run: {command}"))
}

fn capital(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "Low",
        Risk::Medium => "Medium",
        Risk::High => "High",
    }
}

/// What another channel decided, told to the one that was asked too.
pub fn resolved_elsewhere(number: u32, decision: &Decision) -> String {
    match decision {
        Decision::Expired => format!("#{number} ran out unanswered, so it was refused."),
        Decision::Withdrawn => format!("#{number} is not asked any more."),
        Decision::Allowed | Decision::AllowedAlways { .. } => {
            format!("#{number} was allowed elsewhere.")
        }
        Decision::Answered { .. } => format!("#{number} was answered elsewhere."),
        Decision::Denied { .. } => format!("#{number} was refused elsewhere."),
    }
}

pub fn which_approval(numbers: &[u32]) -> String {
    let list: Vec<String> = numbers.iter().map(|n| format!("#{n}")).collect();
    format!("Several are open: {}. Say which, as in yes {}.", list.join(", "), numbers[0])
}

pub fn nothing_to_answer() -> &'static str {
    "Nothing is waiting for an answer."
}

/// An error as a text: the code's own words. `detail` is left to the window and the log.
pub fn failed(code: Code) -> &'static str {
    code.entry().sms
}

pub fn menu() -> &'static str {
    "Just write what you want done. Also: yes, no, status, halt, more, new, list, use 2, shot 3000, steer ... Whole words only. Set-up is at the desk."
}

pub fn new_session(number: u32) -> String {
    format!("New session ({number}). What shall it do?")
}

pub fn using(number: u32, title: &str) -> String {
    format!("Now in {number}: {title}")
}

pub fn no_such_number(number: u32) -> String {
    format!("There is no session {number}. Text list to see them.")
}

pub fn nothing_runs() -> &'static str {
    "Nothing is running."
}

pub fn halting() -> &'static str {
    "Stopping it."
}

pub fn halted() -> &'static str {
    "Stopped."
}

pub fn no_more() -> &'static str {
    "That was all of it."
}

pub fn no_sessions() -> &'static str {
    "No sessions yet. Just write what you want done."
}

/// One line of `list`.
pub fn listed(number: u32, current: bool, title: &str, state: &str) -> String {
    format!("{number}{} {title} ({state})", if current { "*" } else { "" })
}

/// The answer to `status`.
pub struct StatusWords<'a> {
    pub title: Option<&'a str>,
    pub doing: &'a str,
    pub waiting: usize,
    pub open: usize,
    pub today: MicroDollars,
}

pub fn status(s: &StatusWords<'_>) -> String {
    let mut out = match s.title {
        Some(title) => format!("{title}: {}.", s.doing),
        None => "No session yet.".to_owned(),
    };
    if s.waiting > 0 {
        out.push_str(&format!(" {} waiting.", s.waiting));
    }
    if s.open > 0 {
        out.push_str(&format!(" {} to answer.", s.open));
    }
    out.push_str(&format!(" Today {}.", s.today));
    out
}

/// A turn that nobody asked for.
pub fn unasked(answer: &str) -> String {
    format!("(by itself) {answer}")
}

/// A turn that ended without a word.
pub fn done_silently() -> &'static str {
    "Done."
}

/// The end of a text that is not the whole answer.
pub fn more_tail(link: Option<&str>) -> String {
    match link {
        Some(link) => format!(" ..\nmore, or {link}"),
        None => " ..\nmore".to_owned(),
    }
}

pub fn slow_down() -> &'static str {
    Code::TooManyRequests.entry().sms
}

pub fn picture_refused() -> &'static str {
    Code::PictureRefused.entry().sms
}

pub fn shot_caption(url: &str) -> String {
    format!("Page: {url}")
}

pub fn rerun_done(yes: bool) -> &'static str {
    if yes { "Running it again." } else { "Left as it was." }
}

pub fn tunnel_off() -> &'static str {
    "The tunnel is off."
}

/// `next` is how long until the next attempt, none while one is under way.
pub fn tunnel_connecting(attempt: u32, next: Option<std::time::Duration>) -> String {
    match (attempt, next) {
        (0 | 1, _) => "The tunnel is connecting.".to_owned(),
        (attempt, None) => format!("The tunnel is connecting, attempt {attempt}."),
        (attempt, Some(next)) => format!("The tunnel is down, attempt {attempt} {}.", in_seconds(next)),
    }
}

pub fn tunnel_open(url: &str) -> String {
    format!("The tunnel is open: {url}")
}

/// `next` is how long until it is tried again, none where that needs the owner.
pub fn tunnel_refused(sentence: &str, suggestion: &str, next: Option<std::time::Duration>) -> String {
    match next {
        Some(next) => format!("{sentence} {suggestion} Next attempt {}.", in_seconds(next)),
        None => format!("{sentence} {suggestion}"),
    }
}

fn in_seconds(span: std::time::Duration) -> String {
    match span.as_secs_f64().ceil() {
        seconds if seconds <= 1.0 => "in a second".to_owned(),
        seconds => format!("in {seconds} s"),
    }
}

/// An agent's answer (Markdown) as the text of an SMS: marks that only a renderer reads are taken off, code and links stay.
pub fn for_sms(markdown: &str) -> String {
    use pulldown_cmark::{Event, Parser, Tag, TagEnd};
    let mut out = String::new();
    let mut link: Vec<String> = Vec::new();
    let mut items: Vec<Option<u64>> = Vec::new();
    let fresh_line = |out: &mut String| {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    };
    for event in Parser::new(markdown) {
        match event {
            Event::Text(t) | Event::Code(t) | Event::Html(t) | Event::InlineHtml(t) => out.push_str(&t),
            Event::SoftBreak | Event::HardBreak => out.push('\n'),
            Event::Rule => fresh_line(&mut out),
            Event::Start(Tag::List(first)) => {
                fresh_line(&mut out);
                items.push(first);
            }
            Event::End(TagEnd::List(_)) => drop(items.pop()),
            Event::Start(Tag::Item) => {
                fresh_line(&mut out);
                match items.last_mut() {
                    Some(Some(n)) => {
                        out.push_str(&format!("{n}. "));
                        *n += 1;
                    }
                    _ => out.push_str("- "),
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => link.push(dest_url.into_string()),
            Event::End(TagEnd::Link) => {
                if let Some(url) = link.pop().filter(|url| !out.ends_with(url.as_str())) {
                    out.push_str(&format!(" ({url})"));
                }
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Item) => {
                fresh_line(&mut out)
            }
            _ => {}
        }
    }
    segments::plain(out.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApprovalId, SessionId, Timestamp};
    use serde_json::json;

    fn bash(command: &str) -> Approval {
        let subject =
            Subject::Tool { tool: "Bash".into(), input: json!({ "command": command }), why: None, rules: vec![] };
        Approval {
            id: ApprovalId::new(),
            number: 1,
            session: SessionId::new(),
            turn: None,
            request: None,
            hash: subject.hash(),
            risk: subject.risk("/workspace"),
            subject,
            asked_at: Timestamp(0),
            expires_at: Timestamp(1),
            decision: None,
        }
    }

    #[test]
    fn an_approval_says_what_runs_and_how_to_answer() {
        assert_eq!(asks(&bash("npm test"), true, None), "#1 may it run: npm test?\nyes 1 or no 1");
        assert_eq!(
            asks(&bash("git push"), false, Some("https://x.test/p/1")),
            "#1 may it run: git push?\nHigh risk: no 1 by text, yes only at the desk (lanyard approve 1).\nhttps://x.test/p/1"
        );
    }

    #[test]
    fn our_own_words_fit_one_segment_of_the_cheap_alphabet() {
        for words in [menu(), nothing_to_answer(), nothing_runs(), halting(), no_more(), no_sessions(), slow_down()] {
            let count = segments::count(words);
            assert_eq!((count.segments, count.alphabet), (1, segments::Alphabet::Gsm7), "{words}");
        }
    }

    #[test]
    fn the_tunnel_says_what_it_does_and_when_it_tries_again() {
        use std::time::Duration;
        assert_eq!(tunnel_connecting(1, None), "The tunnel is connecting.");
        assert_eq!(
            tunnel_connecting(4, Some(Duration::from_millis(800))),
            "The tunnel is down, attempt 4 in a second."
        );
        assert_eq!(tunnel_refused("No.", "Do it.", Some(Duration::from_secs(30))), "No. Do it. Next attempt in 30 s.");
        assert_eq!(tunnel_refused("No.", "Do it.", None), "No. Do it.");
    }

    #[test]
    fn markdown_loses_its_marks_and_keeps_its_words() {
        let answer = "## Done\n\nI **fixed** `sum()` in [a.js](src/a.js):\n\n1. one\n2. two\n   - inner\n\n```js\nlet x = 1;\n```\nSee <https://x.test>.";
        assert_eq!(
            for_sms(answer),
            "Done\nI fixed sum() in a.js (src/a.js):\n1. one\n2. two\n- inner\nlet x = 1;\nSee https://x.test."
        );
    }
}
