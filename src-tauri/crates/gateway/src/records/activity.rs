//! What happened, as lines for a person.

use crate::{
    stream::letters::named,
    wire::{
        ChannelWord,
        desk::{Activity, ActivityItem, ActivityKind},
    },
};
use domain::{
    Code, Problem,
    approval::{Subject, host_and_port},
    event::{Channel, Event, Outcome},
    shown::shown_line,
};
use serde::Deserialize;
use store::{
    Rows,
    activity::{self, Brought, Entry, Wanted, What},
    approvals, search,
};

/// Of a longer text the beginning and the end are told.
const TOLD: usize = 300;
const LIMIT: usize = 50;
const MOST: usize = 200;

/// What is asked.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wish {
    /// `next` of the page before.
    pub before: Option<String>,
    pub limit: Option<usize>,
    /// Kinds with commas between.
    pub kind: Option<String>,
    pub q: Option<String>,
}

impl Wish {
    /// What to look for, and how much of it; none: nothing can be found.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for a kind there is not, a cursor that is none of ours, and a limit out of bounds.
    pub fn read(&self) -> Result<Option<(Wanted, usize)>, Problem> {
        let bad = |why: String| Problem::with_detail(Code::BadRequest, why);
        let limit = self.limit.unwrap_or(LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(bad(format!("limit is 1 to {MOST}.")));
        }
        let before = self.before.as_ref().map(|id| id.parse().map_err(|_| bad(format!("before is no id: {id}."))));
        let kinds = self.kind.iter().flat_map(|kinds| kinds.split(',')).map(str::trim).filter(|kind| !kind.is_empty());
        let kinds: Vec<String> = kinds.map(str::to_owned).collect();
        if let Some(unknown) = kinds.iter().find(|kind| kind_named(kind).is_none()) {
            return Err(bad(format!("There is no kind {}.", shown_line(unknown, 60))));
        }
        let before = before.transpose()?;
        match self.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
            None => Ok(Some((Wanted { before, kinds, words: None }, limit))),
            // Without a word in it nothing is found.
            Some(q) => Ok(search::query(q).map(|words| (Wanted { before, kinds, words: Some(words) }, limit))),
        }
    }
}

fn kind_named(word: &str) -> Option<ActivityKind> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// # Errors
/// As the store's.
pub fn page(rows: &impl Rows, wanted: &Wanted, limit: usize) -> store::Result<Activity> {
    let (entries, next) = activity::page(rows, wanted, limit)?;
    let items = entries.into_iter().map(|entry| item(rows, entry)).collect::<store::Result<Vec<_>>>()?;
    Ok(Activity { items: items.into_iter().flatten().collect(), next: next.map(|id| id.to_string()) })
}

/// None for a kind that a newer Lanyard wrote.
fn item(rows: &impl Rows, entry: Entry) -> store::Result<Option<ActivityItem>> {
    let Some(kind) = kind_named(&entry.kind) else { return Ok(None) };
    let (session_id, session_number) = entry.session.map(|(id, number)| (id.0, number)).unzip();
    let told = match entry.what {
        What::Event(stored) => Told { seq: Some(stored.seq), ..event(rows, stored.event)? },
        What::Text { address, body, status, why } => text(kind, address, &body, status.as_deref(), why),
        What::Push { phone, about, shown, why } => push(kind, phone, &about, shown, why),
        What::Phone { name, browser, address, why } => {
            let verb = if kind == ActivityKind::Paired { "Paired" } else { "Revoked" };
            let detail = if kind == ActivityKind::Paired { Some(browser) } else { why };
            Told { who: Some(name.clone()), from: Some(address), ..Told::of(format!("{verb}: {name}"), detail) }
        }
        What::Reached(r) => {
            let (verb, detail) = match r.allowed {
                true => ("Reached", format!("{} in, {} out", bytes(r.bytes_in), bytes(r.bytes_out))),
                false => ("Blocked", r.why),
            };
            Told::of(format!("{verb} {}:{}", r.host, r.port), Some(detail))
        }
        What::Refused(1) => Told::of("A request to the texting door was not signed by Twilio".into(), None),
        What::Refused(count) => {
            Told::of(format!("{count} requests to the texting door were not signed by Twilio"), None)
        }
        What::Imported(Brought { sessions, events }) => {
            Told::of(format!("Imported {sessions} conversations of Claude Code"), Some(format!("{events} events")))
        }
    };
    Ok(Some(ActivityItem {
        id: entry.id.to_string(),
        at: entry.at.0,
        kind,
        title: shown_line(&told.title, TOLD),
        detail: told.detail.filter(|detail| !detail.is_empty()).map(|detail| shown_line(&detail, TOLD)),
        who: told.who.map(|who| shown_line(&who, TOLD)),
        channel: told.channel,
        from: told.from.map(|from| shown_line(&from, TOLD)),
        session_id,
        session_number,
        seq: told.seq,
    }))
}

/// A line before it is made safe to show.
#[derive(Default)]
struct Told {
    title: String,
    detail: Option<String>,
    who: Option<String>,
    channel: Option<ChannelWord>,
    from: Option<String>,
    seq: Option<i64>,
}

impl Told {
    fn of(title: String, detail: Option<String>) -> Self {
        Self { title, detail, ..Self::default() }
    }
}

fn event(rows: &impl Rows, event: Event) -> store::Result<Told> {
    Ok(match event {
        Event::Said { channel, text, pictures, .. } => {
            let with = if pictures.is_empty() { "" } else { ", with pictures" };
            let told = Told::of(format!("You said, {}{with}", by(channel)), Some(text));
            Told { channel: Some(channel.into()), ..told }
        }
        Event::Answered { text, .. } => Told::of("The agent said".into(), Some(text)),
        Event::TurnEnded { outcome, cost, duration_ms, .. } => {
            let title = match outcome {
                Outcome::Completed => "A turn was done",
                Outcome::Halted => "You stopped a turn",
                Outcome::Failed => "A turn failed",
                Outcome::Interrupted => "A turn was cut off",
            };
            Told::of(title.into(), Some(format!("{cost}, {} s", duration_ms.div_ceil(1000))))
        }
        Event::Failed { code, detail, .. } => {
            let problem = Problem::from(code);
            Told::of(problem.message, Some(detail))
        }
        Event::Asked { subject, .. } => Told::of(asked(&subject), Some(subject.in_full())),
        Event::Resolved { approval, decision, channel } => {
            let subject = approvals::get(rows, approval)?.map(|a| a.subject);
            let title = match &subject {
                Some(subject) => format!("{}: {}", sentence(decision.as_str()), about(subject)),
                None => sentence(decision.as_str()),
            };
            let who = approvals::decided_by(rows, approval)?.map(named);
            let told = Told::of(title, subject.map(|subject| subject.in_full()));
            Told { who, channel: channel.map(Into::into), ..told }
        }
        Event::ModeChanged { mode } => Told::of(format!("The permission mode is {}", mode.as_str()), None),
        Event::Closed => Told::of("A session was closed".into(), None),
        Event::Noticed { text } => Told::of(text, None),
        Event::TurnStarted { .. }
        | Event::Steered { .. }
        | Event::ToolUsed { .. }
        | Event::ToolFinished { .. }
        | Event::ArtifactMade { .. } => Told::default(),
    })
}

fn by(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "by text",
        Channel::Phone => "on a phone",
        Channel::Desktop | Channel::Cli => "at the desk",
        Channel::Api => "by the API",
    }
}

fn asked(subject: &Subject) -> String {
    match subject {
        Subject::Tool { tool, .. } => format!("The agent asked to use {tool}"),
        Subject::Question { .. } => "The agent asked a question".into(),
        Subject::Plan { .. } => "The agent asked to start on its plan".into(),
        Subject::Rerun { .. } => "A turn was cut off: run it again?".into(),
        Subject::Host { host, port, .. } => format!("The sandbox asked to reach {}", host_and_port(host, *port)),
        Subject::Push { host, repository, .. } => format!("The agent asked to push to {repository} at {host}"),
        Subject::Spend { ceiling, .. } => format!("A spending limit is reached ({ceiling}): spend more?"),
    }
}

fn about(subject: &Subject) -> String {
    match subject {
        Subject::Tool { tool, .. } => tool.clone(),
        Subject::Question { .. } => "a question".into(),
        Subject::Plan { .. } => "a plan".into(),
        Subject::Rerun { .. } => "a turn again".into(),
        Subject::Host { host, port, .. } => host_and_port(host, *port),
        Subject::Push { repository, .. } => format!("a push to {repository}"),
        Subject::Spend { ceiling, more, .. } => format!("{} more", ceiling.unit.amount(*more)),
    }
}

/// `allowed_always` as `Allowed always`.
fn sentence(word: &str) -> String {
    let words = word.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn text(kind: ActivityKind, address: String, body: &str, status: Option<&str>, why: Option<String>) -> Told {
    let title = match (kind, status) {
        (ActivityKind::TextFailed, _) => "A text did not arrive",
        (ActivityKind::TextWaiting, _) => "A text waits to leave",
        (_, Some("delivered" | "read")) => "A text arrived",
        _ => "A text was sent",
    };
    let detail = why.map_or_else(|| body.to_owned(), |why| format!("{why} | {body}"));
    Told { who: Some(named(address)), channel: Some(ChannelWord::Sms), ..Told::of(title.into(), Some(detail)) }
}

fn push(kind: ActivityKind, phone: String, about: &str, shown: bool, why: Option<String>) -> Told {
    let what = match about.split_once(':').map(|(kind, _)| kind) {
        Some("approval") => "A question",
        Some("task") => "A task's end",
        _ => "A turn's end",
    };
    let went = match (kind, shown) {
        (_, true) => "was shown on",
        (ActivityKind::PushFailed, _) => "was not pushed to",
        (ActivityKind::PushWaiting, _) => "waits to be pushed to",
        _ => "was pushed to",
    };
    Told {
        who: Some(phone.clone()),
        channel: Some(ChannelWord::Phone),
        ..Told::of(format!("{what} {went} {phone}"), why)
    }
}

fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", count / 1_000),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        ApprovalId, SessionId, Timestamp,
        approval::{Approval, Decision},
        risk::Risk,
    };
    use store::{Store, events, sessions};

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let bad = |wish: Wish| wish.read().unwrap_err().code;
        assert_eq!(bad(Wish { kind: Some("said,flown".into()), ..Wish::default() }), Code::BadRequest);
        assert_eq!(bad(Wish { before: Some("x".into()), ..Wish::default() }), Code::BadRequest);
        assert_eq!(bad(Wish { limit: Some(0), ..Wish::default() }), Code::BadRequest);
        let (wanted, limit) = Wish { kind: Some("said, asked".into()), ..Wish::default() }.read().unwrap().unwrap();
        assert_eq!((wanted.kinds, limit), (vec!["said".to_owned(), "asked".to_owned()], 50));
        assert!(Wish { q: Some("?!".into()), ..Wish::default() }.read().unwrap().is_none());
    }

    #[tokio::test]
    async fn an_answer_says_who_gave_it_and_nothing_invisible_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let (session, id, now) = (SessionId::new(), ApprovalId::new(), Timestamp(1));
        let subject = Subject::Tool {
            tool: "Bash".into(),
            input: serde_json::json!({ "command": "ls \u{202E}x" }),
            why: None,
            rules: vec![],
            target: None,
        };
        let write = move |tx: &store::Tx<'_>| {
            sessions::create(tx, session, "claude", "", Default::default(), now)?;
            let approval = Approval {
                id,
                number: 1,
                session,
                turn: None,
                request: None,
                hash: subject.hash(),
                subject: subject.clone(),
                risk: Risk::Low,
                asked_at: now,
                expires_at: now,
                decision: None,
            };
            approvals::open(tx, &approval)?;
            events::append(tx, session, &Event::Asked { approval: id, number: 1, subject, risk: Risk::Low }, now)?;
            let (channel, decision) = (Some(Channel::Sms), Decision::Denied { message: None });
            approvals::decide(tx, id, &decision, channel, Some("+15551230001"), now)?;
            events::append(tx, session, &Event::Resolved { approval: id, decision, channel }, now)
        };
        store.write(write).await.unwrap();
        let told = store.read(|r| page(r, &Wanted::default(), 10)).await.unwrap();
        let [denied, asked] = &told.items[..] else { panic!("{told:?}") };
        assert_eq!((denied.title.as_str(), denied.who.as_deref()), ("Denied: Bash", Some("..0001")));
        assert_eq!((denied.channel, denied.session_number), (Some(ChannelWord::Sms), Some(1)));
        assert_eq!((asked.title.as_str(), asked.seq), ("The agent asked to use Bash", Some(1)));
        assert!(asked.detail.as_deref().unwrap().contains("<U+202E>"), "{asked:?}");
    }
}
