//! From bytes to events: the whole of what is understood of Claude Code's output, without IO.

use super::{
    ask::ask,
    fault::from_stderr,
    lines::{Line, Lines},
    mcp, say,
    turn::Turn,
    wire::{ControlRequest, ControlResponse, Head, System},
};
use bytes::Bytes;
use domain::agent::{AgentEvent, Notice, TurnEnd, TurnOutcome};
use domain::usage::Tokens;
use serde::Deserialize;

/// Bytes of one line. A picture the agent reads comes as one line of base64 (up to about 7 MB for the API's 5 MB).
pub const LINE_CAP: usize = 16 * 1024 * 1024;
/// Bytes one turn may print.
pub const TURN_CAP: usize = 10 * 1000 * 1000;
/// Bytes of stderr that are kept for [`AgentEvent::Exited`].
const STDERR_TAIL: usize = 4 * 1024;
/// Bytes of one line of stderr.
const STDERR_LINE: usize = 4 * 1024;

/// How one process is listened to.
#[derive(Clone, Debug)]
pub struct Options {
    /// The id it was started with, if that is known.
    pub agent_session: Option<String>,
    /// Whether it has Lanyard's tools.
    pub tools: bool,
    pub line_cap: usize,
    pub turn_cap: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { agent_session: None, tools: true, line_cap: LINE_CAP, turn_cap: TURN_CAP }
    }
}

/// What comes of some bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Event(AgentEvent),
    /// A line to write back; the agent waits for it.
    Reply(String),
    /// `initialize` was answered. `pid` is the process's own inside its sandbox.
    Ready {
        pid: Option<u32>,
    },
}

/// Listens to one process.
pub struct Reader {
    stdout: Lines,
    stderr: Lines,
    tail: Vec<u8>,
    turn: Turn,
    /// Nothing but stderr so far.
    silent: bool,
}

impl Reader {
    pub fn new(options: &Options) -> Self {
        Self {
            stdout: Lines::new(options.line_cap),
            stderr: Lines::new(STDERR_LINE),
            tail: Vec::new(),
            turn: Turn::new(options.turn_cap, options.agent_session.clone().unwrap_or_default()),
            silent: true,
        }
    }

    /// The agent's own id of the conversation, as last heard.
    pub fn agent_session(&self) -> &str {
        self.turn.agent_session()
    }

    pub fn stdout(&mut self, chunk: Bytes) -> Vec<Heard> {
        let lines = self.stdout.push(chunk);
        lines.into_iter().flat_map(|line| self.line(line)).collect()
    }

    pub fn stderr(&mut self, chunk: Bytes) -> Vec<Heard> {
        self.tail.extend_from_slice(&chunk);
        self.tail.drain(..self.tail.len().saturating_sub(STDERR_TAIL));
        let lines = self.stderr.push(chunk);
        lines.into_iter().flat_map(|line| self.said(line)).collect()
    }

    /// Both streams are at their end; `status` is the process's.
    pub fn finish(&mut self, status: Option<i64>) -> Vec<Heard> {
        let (out, err) = (self.stdout.finish(), self.stderr.finish());
        let mut heard: Vec<Heard> = out.into_iter().flat_map(|line| self.line(line)).collect();
        heard.extend(err.into_iter().flat_map(|line| self.said(line)));
        let stderr = String::from_utf8_lossy(&self.tail).into_owned();
        heard.extend(self.never_began(&stderr).map(Heard::Event));
        heard.push(Heard::Event(AgentEvent::Exited { status, stderr }));
        heard
    }

    /// A fault that no frame tells of.
    fn never_began(&self, stderr: &str) -> Option<AgentEvent> {
        let fault = from_stderr(stderr).filter(|_| self.silent)?;
        Some(AgentEvent::TurnEnded(TurnEnd {
            outcome: TurnOutcome::Failed(fault),
            text: stderr.trim().to_owned(),
            unasked: false,
            agent_session: self.agent_session().to_owned(),
            tokens: Tokens::default(),
            process_cost: None,
            duration_ms: 0,
            model_turns: 0,
            denials: Vec::new(),
        }))
    }

    fn said(&mut self, line: Line) -> Vec<Heard> {
        match line {
            Line::Whole(bytes) => {
                let words = String::from_utf8_lossy(&bytes).trim().to_owned();
                let notice = (!words.is_empty()).then_some(AgentEvent::Notice(Notice::Said(words)));
                events(notice.into_iter().collect(), &mut self.turn, bytes.len())
            }
            Line::TooLong(bytes) => vec![garbage(bytes)],
        }
    }

    fn line(&mut self, line: Line) -> Vec<Heard> {
        self.silent = false;
        let bytes = match line {
            Line::Whole(bytes) => bytes,
            Line::TooLong(bytes) => return vec![garbage(bytes)],
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&bytes);
        match serde_json::from_str::<Head>(&text) {
            Ok(head) => self.frame(&head, &text).unwrap_or_else(|| vec![unknown(&head)]),
            Err(_) => vec![garbage(bytes.len())],
        }
    }

    /// `None`: a line this version does not know.
    fn frame(&mut self, head: &Head, text: &str) -> Option<Vec<Heard>> {
        match head.kind.as_deref()? {
            "control_request" => Some(asked(read(text)?)),
            "control_cancel_request" => {
                let request = read::<ControlRequest>(text)?.request_id;
                Some(vec![Heard::Event(AgentEvent::Withdrawn { request })])
            }
            "control_response" => Some(answered(read(text)?)),
            "control_response_ack" | "keep_alive" => Some(Vec::new()),
            kind => {
                let found = self.turn.frame(kind, head.subtype.as_deref().unwrap_or_default(), text)?;
                Some(events(found, &mut self.turn, text.len()))
            }
        }
    }
}

pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok()
}

fn events(found: Vec<AgentEvent>, turn: &mut Turn, bytes: usize) -> Vec<Heard> {
    turn.capped(found, bytes).into_iter().map(Heard::Event).collect()
}

fn garbage(bytes: usize) -> Heard {
    Heard::Event(AgentEvent::Notice(Notice::Garbage { bytes }))
}

/// Type and subtype, cut short: they come from outside.
fn unknown(head: &Head) -> Heard {
    let kind = head.kind.iter().chain(&head.subtype).map(String::as_str).collect::<Vec<_>>().join("/");
    Heard::Event(AgentEvent::Unknown { kind: kind.chars().take(80).collect() })
}

/// Every request is answered, here or by a person.
fn asked(frame: ControlRequest) -> Vec<Heard> {
    let ControlRequest { request_id: id, request } = frame;
    let refuse = |why: &str| vec![Heard::Reply(say::refusal(&id, why).to_string())];
    match request.subtype.as_str() {
        "can_use_tool" => match ask(id.clone(), request) {
            Some(ask) => vec![Heard::Event(AgentEvent::Asked(ask))],
            None => refuse("the request names no tool"),
        },
        "mcp_message" if request.server_name.as_deref() == Some(mcp::SERVER) => {
            match mcp::hear(&id, &request.message.unwrap_or_default()) {
                mcp::Heard::Answer(answer) => vec![Heard::Reply(say::mcp_answer(&id, answer).to_string())],
                mcp::Heard::Call(call) => vec![Heard::Event(AgentEvent::Called(call))],
            }
        }
        "mcp_message" => refuse("there is no such server"),
        _ => refuse("this request is not supported"),
    }
}

/// Only `initialize` has an answer that matters; another that failed is told.
fn answered(frame: ControlResponse) -> Vec<Heard> {
    let response = frame.response;
    let to = response.request_id.rsplit_once('-').map_or("", |(subtype, _)| subtype);
    match (to, response.error) {
        (_, Some(why)) => vec![Heard::Event(AgentEvent::Notice(Notice::Said(format!("{to}: {why}"))))],
        ("initialize", None) => vec![Heard::Ready { pid: response.response.and_then(|r| r.pid) }],
        (_, None) => Vec::new(),
    }
}

/// `System` is read twice where it matters; it is small.
pub(super) fn system(text: &str) -> System {
    read(text).unwrap_or_default()
}
