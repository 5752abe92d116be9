//! Durable facts about a session. Each gets a number from the store when it is written, and is never changed after.

use crate::{
    ApprovalId, ArtifactId, Code, PermissionMode, TurnId,
    approval::{Decision, Subject},
    risk::Risk,
    usage::{MicroDollars, Tokens},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Where words come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Sms,
    Phone,
    Desktop,
    Api,
    Cli,
}

impl Channel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Phone => "phone",
            Self::Desktop => "desktop",
            Self::Api => "api",
            Self::Cli => "cli",
        }
    }
}

/// Whether words said while the agent works wait for the turn's end or go into the running turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    #[default]
    Queue,
    Steer,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Completed,
    /// The owner stopped it.
    Halted,
    Failed,
    /// The program, the container or the machine went down in the middle of it.
    Interrupted,
}

/// One fact. The JSON form (`{"type": "said", ...}`) is what the store keeps and the API shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A person said something. `message` is its number in the inbox, by which a turn names what it answers.
    Said {
        message: i64,
        channel: Channel,
        text: String,
        pictures: Vec<ArtifactId>,
        when: When,
    },
    /// Work on what was said began. `messages` is empty for a turn that nobody asked for (a background job's end).
    TurnStarted {
        turn: TurnId,
        messages: Vec<i64>,
    },
    /// A message went into the running turn.
    Steered {
        turn: TurnId,
        message: i64,
    },
    ToolUsed {
        turn: Option<TurnId>,
        id: String,
        tool: String,
        input: Value,
        parent: Option<String>,
    },
    ToolFinished {
        id: String,
        ok: bool,
        text: String,
        detail: Option<Value>,
        pictures: Vec<ArtifactId>,
    },
    Asked {
        approval: ApprovalId,
        number: u32,
        subject: Subject,
        risk: Risk,
    },
    Resolved {
        approval: ApprovalId,
        decision: Decision,
        channel: Option<Channel>,
    },
    /// A finished block of the agent's words.
    Answered {
        turn: Option<TurnId>,
        message: String,
        text: String,
    },
    ArtifactMade {
        turn: Option<TurnId>,
        artifact: ArtifactId,
        media_type: String,
        caption: Option<String>,
    },
    TurnEnded {
        turn: TurnId,
        outcome: Outcome,
        tokens: Tokens,
        cost: MicroDollars,
        duration_ms: u64,
    },
    /// Something failed; `detail` is the agent's or engine's own prose.
    Failed {
        turn: Option<TurnId>,
        #[serde(deserialize_with = "code")]
        code: Code,
        detail: String,
    },
    /// Something a person should know that ends nothing (a retry, an agent started again).
    Noticed {
        text: String,
    },
    ModeChanged {
        mode: PermissionMode,
    },
    Closed,
}

fn code<'de, D: Deserializer<'de>>(d: D) -> Result<Code, D::Error> {
    let name = String::deserialize(d)?;
    Ok(Code::named(&name).unwrap_or(Code::Internal))
}

impl Event {
    /// The turn this fact belongs to, if it names one.
    pub fn turn(&self) -> Option<TurnId> {
        match self {
            Self::TurnStarted { turn, .. } | Self::Steered { turn, .. } | Self::TurnEnded { turn, .. } => Some(*turn),
            Self::ToolUsed { turn, .. }
            | Self::Answered { turn, .. }
            | Self::ArtifactMade { turn, .. }
            | Self::Failed { turn, .. } => *turn,
            Self::Said { .. }
            | Self::ToolFinished { .. }
            | Self::Asked { .. }
            | Self::Resolved { .. }
            | Self::Noticed { .. }
            | Self::ModeChanged { .. }
            | Self::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_event_of_an_unknown_code_is_still_read() {
        let old = r#"{"type":"failed","turn":null,"code":"GONE_IN_THIS_VERSION","detail":""}"#;
        let event: Event = serde_json::from_str(old).unwrap();
        assert_eq!(event, Event::Failed { turn: None, code: Code::Internal, detail: String::new() });
    }
}
