//! The one gate. An approval is a durable record that every channel answers; the first answer wins; an answer names
//! exactly what it allows by a hash of it; no answer in time means no.

use crate::{
    Code, SessionId, Timestamp, TurnId,
    agent::{AskAbout, Question, Rule},
    event::Channel,
    risk::{self, Risk},
    shown::{shown, shown_line},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// May this tool run with exactly this input?
    Tool { tool: String, input: Value, why: Option<String>, rules: Vec<Rule> },
    /// The agent wants to know something.
    Question { questions: Vec<Question>, input: Value },
    /// May it start on this plan?
    Plan { plan: String, input: Value },
    /// A turn was interrupted by a crash: run it again? `words` is what was asked in it, for the person to recognise.
    Rerun { turn: TurnId, words: String },
}

impl From<AskAbout> for Subject {
    fn from(about: AskAbout) -> Self {
        match about {
            AskAbout::Tool { tool, input, why, rules } => Self::Tool { tool, input, why, rules },
            AskAbout::Question { questions, input } => Self::Question { questions, input },
            AskAbout::Plan { plan, input } => Self::Plan { plan, input },
        }
    }
}

impl Subject {
    /// The tier that decides which channel may grant this. A question grants nothing by itself; a plan opens edits, so it
    /// is medium; a rerun does what the owner asked before.
    pub fn risk(&self, workspace: &str) -> Risk {
        match self {
            Self::Tool { tool, input, .. } => risk::of(tool, input, workspace),
            Self::Question { .. } | Self::Rerun { .. } => Risk::Low,
            Self::Plan { .. } => Risk::Medium,
        }
    }

    /// SHA-256, in hex, over the kind, the tool's name and the exact input: what an answer must name.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        match self {
            Self::Tool { tool, input, rules, .. } => {
                part(b"tool");
                part(tool.as_bytes());
                part(input.to_string().as_bytes());
                rules.iter().for_each(|rule| part(rule.as_flag().as_bytes()));
            }
            Self::Question { input, .. } => {
                part(b"question");
                part(input.to_string().as_bytes());
            }
            Self::Plan { plan, input } => {
                part(b"plan");
                part(plan.as_bytes());
                part(input.to_string().as_bytes());
            }
            Self::Rerun { turn, .. } => {
                part(b"rerun");
                part(turn.to_string().as_bytes());
            }
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Everything that would run or be answered, in full, safe to show.
    pub fn in_full(&self) -> String {
        match self {
            Self::Tool { tool, input, .. } => shown(&tool_words(tool, input)),
            Self::Question { questions, .. } => shown(&question_words(questions)),
            Self::Plan { plan, .. } => shown(plan),
            Self::Rerun { words, .. } => shown(words),
        }
    }

    /// What fits a text message: one line of at most `limit` characters.
    pub fn in_short(&self, limit: usize) -> String {
        match self {
            Self::Tool { tool, input, .. } => shown_line(&tool_words(tool, input), limit),
            Self::Question { questions, .. } => shown(&question_words(questions)),
            Self::Plan { plan, .. } => shown_line(plan, limit),
            Self::Rerun { words, .. } => shown_line(words, limit),
        }
    }
}

/// `run: npm test`, `edit src/a.js: "old" -> "new"`; tools without a form of their own show their whole input as JSON.
fn tool_words(tool: &str, input: &Value) -> String {
    let word = |key: &str| input.get(key).and_then(Value::as_str);
    match tool {
        "Bash" => format!("run: {}", word("command").unwrap_or_default()),
        "Edit" => format!(
            "edit {}: {} -> {}",
            word("file_path").unwrap_or_default(),
            quoted(word("old_string")),
            quoted(word("new_string"))
        ),
        "Write" => format!("write {}: {}", word("file_path").unwrap_or_default(), quoted(word("content"))),
        "Read" => format!("read {}", word("file_path").unwrap_or_default()),
        "WebFetch" => format!("fetch {}", word("url").unwrap_or_default()),
        _ => format!("{tool} {input}"),
    }
}

fn quoted(text: Option<&str>) -> String {
    format!("\"{}\"", text.unwrap_or_default().trim_end())
}

fn question_words(questions: &[Question]) -> String {
    let mut out = String::new();
    for q in questions {
        out.push_str(&q.question);
        for (n, option) in q.options.iter().enumerate() {
            out.push_str(&format!("\n{}) {}", n + 1, option.label));
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// What became of an approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    Allowed,
    /// And the rules that were made, which hold in this session from now on.
    AllowedAlways {
        rules: Vec<Rule>,
    },
    /// A question's answers, in the order of its questions.
    Answered {
        answers: Vec<String>,
    },
    /// `message` is what the agent reads.
    Denied {
        message: Option<String>,
    },
    /// Nobody answered in time. Means no.
    Expired,
    /// The agent no longer asks.
    Withdrawn,
}

impl Decision {
    pub fn grants(&self) -> bool {
        matches!(self, Self::Allowed | Self::AllowedAlways { .. } | Self::Answered { .. })
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::AllowedAlways { .. } => "allowed_always",
            Self::Answered { .. } => "answered",
            Self::Denied { .. } => "denied",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The record that every channel reads and answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    pub id: crate::ApprovalId,
    /// What a person types to name it; not used again for a day.
    pub number: u32,
    pub session: SessionId,
    pub turn: Option<TurnId>,
    /// The agent's id of the question; none for those that Lanyard asks itself.
    pub request: Option<String>,
    pub subject: Subject,
    pub hash: String,
    pub risk: Risk,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
    /// None while it is open.
    pub decision: Option<Decision>,
}

/// What the owner's policy lets each channel grant. Refusing is always allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantPolicy {
    /// The highest tier a text message may grant; none means texts grant nothing.
    pub sms: Option<Risk>,
}

/// May `answer`, naming `hash`, close `approval` from `channel`? Says why not.
pub fn check_answer(
    approval: &Approval,
    hash: &str,
    answer: &Decision,
    channel: Channel,
    policy: GrantPolicy,
    now: Timestamp,
) -> Result<(), Code> {
    if approval.decision.is_some() || now >= approval.expires_at {
        return Err(Code::ApprovalGone);
    }
    if approval.hash != hash {
        return Err(Code::ApprovalChanged);
    }
    // Answering a question runs nothing.
    let grants = answer.grants() && !matches!(approval.subject, Subject::Question { .. });
    if grants && channel == Channel::Sms && policy.sms.is_none_or(|highest| approval.risk > highest) {
        return Err(Code::GrantRefused);
    }
    match (&approval.subject, answer) {
        (Subject::Question { questions, .. }, Decision::Answered { answers }) if answers.len() == questions.len() => {
            Ok(())
        }
        (Subject::Question { .. }, Decision::Denied { .. }) => Ok(()),
        (Subject::Question { .. }, _) => Err(Code::BadRequest),
        (Subject::Tool { .. } | Subject::Plan { .. } | Subject::Rerun { .. }, Decision::Answered { .. }) => {
            Err(Code::BadRequest)
        }
        (Subject::Plan { .. } | Subject::Rerun { .. }, Decision::AllowedAlways { .. }) => Err(Code::BadRequest),
        _ => Ok(()),
    }
}

/// A person's words as the answers to questions: numbers pick options (`2`, or `1 3` where several may be), labels match
/// without regard to case, anything else is a free answer. With several questions, one line or one `;` part for each.
pub fn read_answers(questions: &[Question], words: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = match questions.len() {
        0 => return None,
        1 => vec![words.trim()],
        _ => words.split([';', '\n']).map(str::trim).filter(|p| !p.is_empty()).collect(),
    };
    let whole = parts.len() == questions.len() && parts.iter().all(|p| !p.is_empty());
    whole.then(|| questions.iter().zip(parts).map(|(q, part)| read_answer(q, part)).collect())
}

fn read_answer(question: &Question, words: &str) -> String {
    let by_number = |word: &str| {
        let n: usize = word.parse().ok()?;
        question.options.get(n.checked_sub(1)?).map(|o| o.label.clone())
    };
    let picks: Option<Vec<String>> =
        words.split([' ', ',']).filter(|w| !w.is_empty()).map(|w| by_number(w.trim_end_matches(['.', ')']))).collect();
    match picks {
        Some(labels) if labels.len() == 1 || (question.several && !labels.is_empty()) => labels.join(", "),
        _ => question
            .options
            .iter()
            .find(|o| o.label.eq_ignore_ascii_case(words))
            .map_or_else(|| words.to_owned(), |o| o.label.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::QuestionOption;
    use serde_json::json;

    fn tool(command: &str) -> Subject {
        Subject::Tool { tool: "Bash".into(), input: json!({ "command": command }), why: None, rules: vec![] }
    }

    fn open(subject: Subject) -> Approval {
        Approval {
            id: crate::ApprovalId::new(),
            number: 1,
            session: SessionId::new(),
            turn: None,
            request: None,
            hash: subject.hash(),
            risk: subject.risk("/workspace"),
            subject,
            asked_at: Timestamp(0),
            expires_at: Timestamp(1000),
            decision: None,
        }
    }

    const LOW: GrantPolicy = GrantPolicy { sms: Some(Risk::Low) };

    fn check(a: &Approval, d: Decision, c: Channel, now: i64) -> Result<(), Code> {
        check_answer(a, &a.hash, &d, c, LOW, Timestamp(now))
    }

    #[test]
    fn a_text_may_refuse_anything_but_grants_only_what_policy_lets_it() {
        let risky = open(tool("git push"));
        assert_eq!(check(&risky, Decision::Allowed, Channel::Sms, 1), Err(Code::GrantRefused));
        assert_eq!(check(&risky, Decision::Denied { message: None }, Channel::Sms, 1), Ok(()));
        assert_eq!(check(&risky, Decision::Allowed, Channel::Cli, 1), Ok(()));
        assert_eq!(check(&open(tool("npm test")), Decision::Allowed, Channel::Sms, 1), Ok(()));
        let nothing = GrantPolicy { sms: None };
        let low = open(tool("npm test"));
        let answer = check_answer(&low, &low.hash, &Decision::Allowed, Channel::Sms, nothing, Timestamp(1));
        assert_eq!(answer, Err(Code::GrantRefused));
    }

    #[test]
    fn an_answer_after_the_deadline_or_to_another_input_is_refused() {
        let a = open(tool("npm test"));
        assert_eq!(check(&a, Decision::Allowed, Channel::Cli, 1000), Err(Code::ApprovalGone));
        let other = tool("npm test ").hash();
        assert_eq!(
            check_answer(&a, &other, &Decision::Allowed, Channel::Cli, LOW, Timestamp(1)),
            Err(Code::ApprovalChanged)
        );
        let mut done = open(tool("npm test"));
        done.decision = Some(Decision::Denied { message: None });
        assert_eq!(check(&done, Decision::Allowed, Channel::Cli, 1), Err(Code::ApprovalGone));
    }

    #[test]
    fn what_is_shown_cannot_hide_characters() {
        assert_eq!(tool("echo \u{202E}x").in_short(100), "run: echo <U+202E>x");
    }

    #[test]
    fn answers_are_read_by_number_label_or_as_written() {
        let option = |l: &str| QuestionOption { label: l.into(), description: String::new() };
        let q = Question {
            question: "Which?".into(),
            header: None,
            several: true,
            options: vec![option("Red"), option("Blue")],
        };
        let one = std::slice::from_ref(&q);
        assert_eq!(read_answers(one, "2"), Some(vec!["Blue".into()]));
        assert_eq!(read_answers(one, "1, 2"), Some(vec!["Red, Blue".into()]));
        assert_eq!(read_answers(one, "blue"), Some(vec!["Blue".into()]));
        assert_eq!(read_answers(one, "neither, green"), Some(vec!["neither, green".into()]));
        assert_eq!(read_answers(&[q.clone(), q.clone()], "1; green"), Some(vec!["Red".into(), "green".into()]));
        assert_eq!(read_answers(&[q.clone(), q], "1"), None);
    }
}
