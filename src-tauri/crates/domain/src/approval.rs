//! The one gate. An approval is a durable record that every channel answers; the first answer wins; an answer names
//! exactly what it allows by a hash of it; no answer in time means no.

mod answers;
mod grants;
mod words;

pub use answers::{read_answers, read_first_answers};
pub use grants::{ByText, GrantPolicy, check_answer, check_lock_screen, check_pin};
pub use words::Short;
pub(crate) use words::next_question;

use crate::{
    SessionId, Timestamp, TurnId,
    agent::{AskAbout, Question, Rule},
    risk::{self, Risk, Target, WORKSPACE},
    shown::shown,
    usage::Ceiling,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// May this tool run with exactly this input? `target` is where the file it names really is; none where it names none
    /// or nobody looked.
    Tool {
        tool: String,
        input: Value,
        why: Option<String>,
        rules: Vec<Rule>,
        #[serde(default)]
        target: Option<Target>,
    },
    /// The agent wants to know something.
    Question { questions: Vec<Question>, input: Value },
    /// May it start on this plan?
    Plan { plan: String, input: Value },
    /// A turn was interrupted by a crash: run it again? `words` is what was asked in it, for the person to recognise.
    Rerun { turn: TurnId, words: String },
    /// May programs in the sandbox reach this host? Lower case, ASCII, no trailing dot. `doing` is the command that the agent
    /// ran when it was asked for, if that is known: an explanation, not what is allowed.
    Host { host: String, port: u16, doing: Option<String> },
    /// A ceiling is reached: may `more` be spent above it? Amounts as the ceiling's unit counts. `scope` names what the ceiling
    /// is of: a turn's or session's id, the start of a day or month.
    Spend { ceiling: Ceiling, scope: String, limit: u64, spent: u64, more: u64 },
    /// May these refs of a repository be changed? `repository` is its path at the host, without `.git`.
    Push { host: String, repository: String, refs: Vec<PushedRef> },
}

/// A ref that a push would change: object ids in hexadecimal, all zeros where it is not or will not be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRef {
    /// `refs/heads/main`.
    pub name: String,
    pub old: String,
    pub new: String,
}

impl From<AskAbout> for Subject {
    fn from(about: AskAbout) -> Self {
        match about {
            AskAbout::Tool { tool, input, why, rules } => Self::Tool { tool, input, why, rules, target: None },
            AskAbout::Question { questions, input } => Self::Question { questions, input },
            AskAbout::Plan { plan, input } => Self::Plan { plan, input },
        }
    }
}

impl Subject {
    /// The tier that decides which channel may grant this. A question grants nothing by itself; a plan opens edits, so it
    /// is medium; a rerun does what the owner asked before; what is sent to a host or spent cannot be taken back; others build on a
    /// protected branch.
    pub fn risk(&self, workspace: &str) -> Risk {
        match self {
            Self::Tool { tool, input, target, .. } => risk::of(tool, input, target.as_ref(), workspace),
            Self::Question { .. } | Self::Rerun { .. } => Risk::Low,
            Self::Plan { .. } | Self::Host { .. } | Self::Spend { .. } => Risk::Medium,
            Self::Push { .. } => Risk::High,
        }
    }

    /// SHA-256, in hex, over the kind, the tool's name, the exact input and where it leads: what an answer must name.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        match self {
            Self::Tool { tool, input, rules, target, .. } => {
                part(b"tool");
                part(tool.as_bytes());
                part(input.to_string().as_bytes());
                part(serde_json::to_string(target).unwrap_or_default().as_bytes());
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
            Self::Host { host, port, .. } => {
                part(b"host");
                part(host.as_bytes());
                part(&port.to_be_bytes());
            }
            Self::Spend { ceiling, scope, limit, more, .. } => {
                part(b"spend");
                part(ceiling.to_string().as_bytes());
                part(scope.as_bytes());
                part(&limit.to_be_bytes());
                part(&more.to_be_bytes());
            }
            Self::Push { host, repository, refs } => {
                part(b"push");
                part(host.as_bytes());
                part(repository.as_bytes());
                for PushedRef { name, old, new } in refs {
                    [name, old, new].into_iter().for_each(|text| part(text.as_bytes()));
                }
            }
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Where the file that a tool names really is, if that is not what it is called.
    pub fn really(&self) -> Option<&str> {
        match self {
            Self::Tool { tool, input, target: Some(Target::At(path) | Target::Shared(path)), .. } => {
                Some(path.as_str()).filter(|path| risk::named_file(tool, input) != Some(path))
            }
            _ => None,
        }
    }

    /// What "always" may allow: the rules the agent suggests, as they were shown.
    pub fn always(&self) -> &[Rule] {
        match self {
            Self::Tool { rules, .. } => rules,
            Self::Question { .. }
            | Self::Plan { .. }
            | Self::Rerun { .. }
            | Self::Host { .. }
            | Self::Spend { .. }
            | Self::Push { .. } => &[],
        }
    }

    /// What "always" would allow, as it is shown; nothing where there is no always.
    pub fn always_shown(&self) -> Vec<String> {
        match self {
            Self::Host { host, port, .. } => vec![host_and_port(host, *port)],
            _ => self.always().iter().map(|rule| shown(&rule.as_flag())).collect(),
        }
    }

    /// The highest tier of what "always" would let through; none where there is no always.
    fn widest(&self) -> Option<Risk> {
        match self {
            Self::Host { .. } => Some(Risk::High),
            _ => self.always().iter().map(|rule| risk::of_rule(rule, WORKSPACE)).max(),
        }
    }
}

/// `example.com`, and with its port where that is not HTTPS's.
pub fn host_and_port(host: &str, port: u16) -> String {
    match (port, host.contains(':')) {
        (443, _) => host.to_owned(),
        (_, false) => format!("{host}:{port}"),
        (_, true) => format!("[{host}]:{port}"),
    }
}

/// What became of an approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    Allowed,
    /// Of a host: as long as the session lasts.
    AllowedSession,
    /// And the rules that were made, which hold in this session from now on. A host's rule is what was asked; it holds in every
    /// session until it is taken back.
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
        match self {
            Self::Allowed | Self::AllowedSession | Self::AllowedAlways { .. } | Self::Answered { .. } => true,
            Self::Denied { .. } | Self::Expired | Self::Withdrawn => false,
        }
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::AllowedSession => "allowed_session",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, event::Channel};
    use serde_json::json;

    fn tool(command: &str) -> Subject {
        Subject::Tool {
            tool: "Bash".into(),
            input: json!({ "command": command }),
            why: None,
            rules: vec![],
            target: None,
        }
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

    const LOW: GrantPolicy = GrantPolicy { sms: Some(Risk::Low), lock_screen: Some(Risk::Low), pin: None };

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
        let nothing = GrantPolicy { sms: None, lock_screen: None, pin: None };
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
    fn a_lock_screen_may_refuse_anything_but_grants_only_once_what_it_shows_whole_within_its_tier() {
        let check = |subject, answer| check_lock_screen(&open(subject), &answer, LOW);
        assert_eq!(check(tool("npm test"), Decision::Allowed), Ok(()));
        assert_eq!(check(tool("git push"), Decision::Allowed), Err(Code::GrantRefused));
        assert_eq!(check(tool("git push"), Decision::Denied { message: None }), Ok(()));
        assert_eq!(check(tool("npm test"), Decision::AllowedAlways { rules: vec![] }), Err(Code::GrantRefused));
        assert_eq!(check(tool(&format!("ls {}", "x".repeat(2000))), Decision::Allowed), Err(Code::GrantRefused));
        let nothing = GrantPolicy { lock_screen: None, ..LOW };
        assert_eq!(check_lock_screen(&open(tool("npm test")), &Decision::Allowed, nothing), Err(Code::GrantRefused));
    }

    #[test]
    fn always_by_text_needs_that_all_its_rules_let_through_is_within_the_tier() {
        let rule = |content: &str| Rule { tool: "Bash".into(), content: Some(content.into()) };
        let asked = |rules: Vec<Rule>| {
            let input = json!({ "command": "npm test" });
            open(Subject::Tool { tool: "Bash".into(), input, why: None, rules, target: None })
        };
        let always = |a: &Approval| Decision::AllowedAlways { rules: a.subject.always().to_vec() };
        let exact = asked(vec![rule("npm test")]);
        assert_eq!(check(&exact, always(&exact), Channel::Sms, 1), Ok(()));
        let wide = asked(vec![rule("npm test *")]);
        assert_eq!(check(&wide, always(&wide), Channel::Sms, 1), Err(Code::GrantRefused));
        assert_eq!(check(&wide, Decision::Allowed, Channel::Sms, 1), Ok(()));
        assert_eq!(check(&wide, always(&wide), Channel::Cli, 1), Ok(()));
        let other = Decision::AllowedAlways { rules: vec![rule("curl *")] };
        assert_eq!(check(&wide, other, Channel::Cli, 1), Err(Code::BadRequest), "nobody was shown that rule");
        let none = asked(vec![]);
        assert_eq!(check(&none, always(&none), Channel::Cli, 1), Err(Code::BadRequest));
    }
}
