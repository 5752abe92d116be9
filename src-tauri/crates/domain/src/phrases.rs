//! Every sentence Lanyard itself says to a person by text. GSM-7 only, so that a short answer stays one segment.

mod house;
mod tasks;

pub use house::*;
pub use tasks::*;

use crate::{
    Code,
    agent::Question,
    approval::{self, Approval, ByText, Decision, Subject},
    risk::Risk,
    segments,
    shown::shown_line,
    usage::{Ceiling, MicroDollars, Span, Unit},
};

/// An approval as a text. `by_text` is what policy lets a text say to it. `linked`: a link follows on a line of its own, which
/// shows it in full, and can refuse it.
pub fn asks(approval: &Approval, by_text: ByText, linked: bool) -> String {
    let n = approval.number;
    let short = approval.subject.in_a_text();
    let (first, further) = match short.words.split_once('\n') {
        Some((first, further)) => (first, format!("\n{further}")),
        None => (short.words.as_str(), String::new()),
    };
    let what = match &approval.subject {
        Subject::Tool { .. } | Subject::Host { .. } | Subject::Spend { .. } | Subject::Push { .. } => {
            format!("#{n} may it {first}?{further}")
        }
        Subject::Question { .. } => format!("#{n} {first}{further}"),
        Subject::Plan { .. } => format!("#{n} Plan: {first}{further}"),
        Subject::Rerun { .. } => format!("#{n} Interrupted: \"{first}\". Run it again?"),
    };
    let how = match (&approval.subject, by_text) {
        (Subject::Question { questions, .. }, _) if questions.len() > 1 => {
            format!("Answer all {} with numbers or words, a ; between.", questions.len())
        }
        (Subject::Question { .. }, _) => "Answer with a number or your words.".to_owned(),
        (Subject::Host { .. }, ByText::Always) => format!("yes {n} (15 minutes), session {n}, always {n}, or no {n}"),
        (Subject::Host { .. }, ByText::Once) => format!("yes {n} (15 minutes), session {n}, or no {n}"),
        (_, ByText::Always) => format!("yes {n}, no {n}, or always {n}: {}", rules(&approval.subject)),
        (_, ByText::Once) => format!("yes {n} or no {n}"),
        (_, ByText::No) => {
            format!(
                "{} risk: allow it on a paired phone or at the desk (lanyard approve {n}). By text only no {n}.",
                capital(approval.risk)
            )
        }
    };
    let whole = match linked {
        true => "\nSee it whole, or refuse it:",
        false if short.whole => "",
        false => "\nAll of it is at the desk: lanyard approve",
    };
    format!("{what}\n{how}{whole}")
}

/// Of several questions one more was answered; this is the next, the first is 0.
pub fn next_question(number: u32, questions: &[Question], nth: usize) -> String {
    format!("#{number} {}\nAnswer with a number or your words.", approval::next_question(questions, nth))
}

/// A turn ended that nobody asked for by text, and no phone has shown it.
pub fn ended(session: u32, failed: bool) -> String {
    match failed {
        true => format!("Session {session} failed:"),
        false => format!("Session {session} is done:"),
    }
}

/// What "always" allows, as the agent writes its rules.
fn rules(subject: &Subject) -> String {
    if let Subject::Tool { tool, input, rules, .. } = subject
        && let [rule] = rules.as_slice()
        && (&rule.tool, rule.content.as_deref()) == (tool, input["command"].as_str())
        && rule.content.is_some()
    {
        return "this very command".to_owned();
    }
    let rules: Vec<String> = subject.always().iter().map(|rule| shown_line(&rule.as_flag(), 80)).collect();
    rules.join(", ")
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
        Decision::Allowed | Decision::AllowedSession | Decision::AllowedAlways { .. } => {
            format!("#{number} was allowed elsewhere.")
        }
        Decision::Answered { .. } => format!("#{number} was answered elsewhere."),
        Decision::Denied { .. } => format!("#{number} was refused elsewhere."),
    }
}

/// A ceiling is near.
pub fn near_a_ceiling(ceiling: Ceiling, spent: u64, limit: u64) -> String {
    let span = match ceiling.span {
        Span::Turn => "This turn",
        Span::Session => "This session",
        Span::Day => "Today",
        Span::Month => "This month",
    };
    format!("{span}: {} of {} are spent.", ceiling.unit.amount(spent), ceiling.unit.amount(limit))
}

/// The provider lets nothing through until then; the session waits.
pub fn parked(until: &str) -> String {
    format!("The model's limit is reached until {until}. I go on by myself then; halt stops that.")
}

/// In the place of a notice that asked.
pub fn closed(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed | Decision::AllowedSession | Decision::AllowedAlways { .. } => "Answered: allowed.",
        Decision::Denied { .. } => "Answered: refused.",
        Decision::Answered { .. } => "Answered.",
        Decision::Expired => "Nobody answered in time, so it was refused.",
        Decision::Withdrawn => "It is not asked any more.",
    }
}

pub fn which_approval(numbers: &[u32]) -> String {
    let list: Vec<String> = numbers.iter().map(|n| format!("#{n}")).collect();
    format!("Several are open: {}. Say which, as in yes {}.", list.join(", "), numbers[0])
}

/// "Always" to something that suggests nothing to allow from now on.
pub fn only_once(number: u32) -> String {
    format!("There is nothing to allow always in #{number}. yes {number} allows it once.")
}

/// "Session" to something that is no host.
pub fn only_hosts(number: u32) -> String {
    format!("Only a host can be allowed for a session, and #{number} is none. yes {number} allows it once.")
}

/// "Always" where its rules would let more through than a text may grant.
pub fn always_at_the_desk(number: u32) -> String {
    format!(
        "Always is more than a text may allow for #{number}. Once: yes {number}. At the desk: lanyard approve {number} --always"
    )
}

pub fn nothing_to_answer() -> &'static str {
    "Nothing is waiting for an answer."
}

/// An error as a text: the code's own words. `detail` is left to the window and the log.
pub fn failed(code: Code) -> &'static str {
    code.entry().sms
}

pub fn menu() -> &'static str {
    "Just write what you want done. Also: yes, no, always, status, halt, more, new, list, use 2, shot 3000, steer ..., task acme/shop ..., tasks, lock (lost phone)."
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
    pub today: Today<'a>,
}

/// What was used today.
pub enum Today<'a> {
    Spent(MicroDollars),
    /// Tokens of all kinds, and how far the subscription's windows are used: name and percent.
    Windows(u64, &'a [(String, f64)]),
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
    match s.today {
        Today::Spent(money) => out.push_str(&format!(" Today {money}.")),
        Today::Windows(tokens, windows) => {
            out.push_str(&format!(" Today {}.", Unit::Tokens.amount(tokens)));
            windows.iter().for_each(|(name, percent)| out.push_str(&format!(" {percent:.0} % of {name} used.")));
        }
    }
    out
}

/// A conversation that could not be resumed.
pub fn forgotten() -> &'static str {
    "The agent could not take this conversation up again. It starts afresh and has forgotten what came before."
}

/// A tool gave `n` pictures that are none.
pub fn no_picture(n: usize) -> String {
    match n {
        1 => "A tool gave a picture that is no PNG, JPEG, GIF or WebP; it was dropped.".to_owned(),
        n => format!("A tool gave {n} pictures that are no PNG, JPEG, GIF or WebP; they were dropped."),
    }
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

/// The session holds as many messages as it may; this one stays in the inbox until it has room.
pub fn full() -> &'static str {
    "Too many messages wait already. This one is kept until there is room. Text halt to stop the turn."
}

/// Agents caused as many texts as they may within an hour.
pub fn hushed() -> &'static str {
    "Many questions or pictures this hour: further ones are not texted for a while. All are kept: text status to count them, see them at the desk."
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
        let subject = Subject::Tool {
            tool: "Bash".into(),
            input: json!({ "command": command }),
            why: None,
            rules: vec![],
            target: None,
        };
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
        assert_eq!(asks(&bash("npm test"), ByText::Once, false), "#1 may it run: npm test?\nyes 1 or no 1");
        assert_eq!(
            asks(&bash("git push"), ByText::No, true),
            "#1 may it run: git push?\nHigh risk: allow it on a paired phone or at the desk (lanyard approve 1). By text only no 1.\n\
             See it whole, or refuse it:"
        );
        let long = asks(&bash(&"x".repeat(500)), ByText::Once, false);
        assert!(long.ends_with("yes 1 or no 1\nAll of it is at the desk: lanyard approve"), "{long}");
    }

    #[test]
    fn what_always_would_allow_stands_beside_the_word() {
        let mut asked = bash("npm test");
        let Subject::Tool { rules, .. } = &mut asked.subject else { return };
        rules.push(crate::agent::Rule { tool: "Bash".into(), content: Some("npm test".into()) });
        let words = asks(&asked, ByText::Always, false);
        assert_eq!(words, "#1 may it run: npm test?\nyes 1, no 1, or always 1: this very command");
        let Subject::Tool { rules, .. } = &mut asked.subject else { return };
        rules[0].content = Some("npm *".into());
        let words = asks(&asked, ByText::Always, false);
        assert_eq!(words, "#1 may it run: npm test?\nyes 1, no 1, or always 1: Bash(npm *)");
    }

    #[test]
    fn a_plan_that_a_text_may_not_grant_says_where_it_is_granted() {
        let subject = Subject::Plan { plan: "1. Write it".into(), input: json!({ "plan": "1. Write it" }) };
        let plan = Approval { risk: Risk::Medium, subject, ..bash("") };
        assert_eq!(
            asks(&plan, ByText::No, false),
            "#1 Plan: 1. Write it\nMedium risk: allow it on a paired phone or at the desk (lanyard approve 1). By text only no 1."
        );
    }

    #[test]
    fn our_own_words_fit_one_segment_of_the_cheap_alphabet() {
        for words in [
            menu(),
            nothing_to_answer(),
            nothing_runs(),
            halting(),
            no_more(),
            no_sessions(),
            slow_down(),
            full(),
            hushed(),
            forgotten(),
        ] {
            let count = segments::count(words);
            assert_eq!((count.segments, count.alphabet), (1, segments::Alphabet::Gsm7), "{words}");
        }
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
