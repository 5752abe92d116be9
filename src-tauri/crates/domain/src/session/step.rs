//! What a session hears, and what it answers: one [`Step`] of writes and acts to each [`Input`].

use super::Said;
use crate::{
    Code, PermissionMode, TurnId,
    agent::{AgentCommand, AgentEvent, GatewayCall},
    approval::{Decision, Subject},
    event::{Event, Outcome},
    usage::Tokens,
};
use uuid::Uuid;

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Take up what waits, if nothing runs.
    GoOn,
    /// Somebody said something; it is in the inbox already.
    Said(Said),
    /// The process is up and takes prompts; the agent's own id of the conversation. Another than the one that was to be
    /// resumed means that the agent has forgotten it.
    Started {
        agent_session: String,
    },
    StartFailed {
        code: Code,
        detail: String,
    },
    Agent(AgentEvent),
    /// The process ended because its sandbox had no more memory, in place of [`AgentEvent::Exited`].
    OutOfMemory {
        stderr: String,
    },
    /// The owner decided what the agent asked as `request`.
    Decided {
        request: String,
        subject: Subject,
        decision: Decision,
    },
    /// The owner wants an interrupted turn's words said again.
    Again(Vec<Said>),
    Halt,
    SetMode(PermissionMode),
    Close,
    /// Another session needs the place: a process without work ends, as it would after a while.
    MakeRoom,
    /// What its process was started with holds no more: it ends as soon as it has no turn, and the next one is started with what holds.
    Anew,
    /// The sandbox was frozen where it stands, by the owner.
    Paused,
    /// It goes on.
    Resumed,
    /// Time passed.
    Tick,
}

/// What must be on disk before anything is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    Append(Event),
    /// The turn's row, and its messages marked as taken.
    BeginTurn {
        turn: TurnId,
        messages: Vec<i64>,
    },
    /// The turn's row closed and, if there are words for the owner, the answer put in the outbox of whoever asked.
    EndTurn {
        turn: TurnId,
        outcome: Outcome,
        tokens: Tokens,
        duration_ms: u64,
        reply: Option<Reply>,
    },
    /// An approval's row, its event, and the text that tells the owner.
    Ask {
        request: String,
        subject: Subject,
        turn: Option<TurnId>,
    },
    /// What the agent asked and a rule of the owner's lets it do unasked. No step writes it: it takes the place of [`Write::Ask`] where
    /// the owner's rules are known.
    Unasked {
        subject: Subject,
    },
    /// The agent does not want an answer any more.
    Withdraw {
        request: String,
    },
    /// The agent's own id of the conversation, for resuming.
    AgentSession(String),
    /// A message that was handed to the agent and that no turn of its took in: it belongs to no turn again.
    GiveBack {
        message: i64,
    },
    /// A message that the owner took back before a turn took it.
    Drop {
        message: i64,
    },
    /// Words to the owner outside a turn's end.
    Tell(String),
}

/// What the owner is told at a turn's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The agent's answer, Markdown.
    Answer {
        text: String,
        unasked: bool,
    },
    /// It failed; the code has the words.
    Failure(Code),
    Halted,
}

/// What to do, after the writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Ensure the sandbox and start the process, resuming the conversation if it has one.
    Start {
        resume: Option<String>,
    },
    /// Say this to the agent under the name `id`, by which [`AgentEvent::Took`] tells that a turn took it in; its pictures
    /// are read from the store.
    Say {
        id: Uuid,
        said: Said,
    },
    Command(AgentCommand),
    /// Lossy: partial words for those who watch.
    Partial {
        message: String,
        block: u32,
        offset: usize,
        text: String,
        thinking: bool,
    },
    /// The agent wants a file sent as a picture; answer its call.
    SendPhoto {
        turn: Option<TurnId>,
        call: GatewayCall,
    },
    /// End the process with all it started.
    End,
}

/// What one input leads to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    pub writes: Vec<Write>,
    pub acts: Vec<Act>,
}

impl Step {
    pub(super) fn write(&mut self, write: Write) -> &mut Self {
        self.writes.push(write);
        self
    }

    pub(super) fn append(&mut self, event: Event) -> &mut Self {
        self.write(Write::Append(event))
    }

    pub(super) fn act(&mut self, act: Act) -> &mut Self {
        self.acts.push(act);
        self
    }
}
