//! Where what is said to a person went, and whether it arrived.

use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SentTo {
    /// A text.
    Sms,
    /// A notice on a phone.
    Push,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SentState {
    /// It did not leave yet.
    Waiting,
    /// It left; nothing says yet that it arrived.
    Sent,
    /// The phone has it.
    Delivered,
    /// The phone showed it.
    Shown,
    Failed,
}

/// One way by which a person was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct Sent {
    pub to: SentTo,
    /// The number's end (`..0001`), or the phone's name.
    pub name: String,
    pub state: SentState,
    /// Why it failed or still waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub why: Option<String>,
    /// When it came to this state, as far as that is known; else when it was written.
    pub at: i64,
}

/// Where what event `seq` says went, as it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct LettersFact {
    pub session_id: Uuid,
    /// The event's number: that of a `streamComplete` or a `permissionRequest`.
    pub seq: i64,
    pub sent: Vec<Sent>,
}
