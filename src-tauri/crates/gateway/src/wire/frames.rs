//! The WebSocket's frames. Every frame is `{type, requestId?, seq?, data}`; durable ones carry `seq`, the client's cursor.
//!
//! The order on a connection: `welcome` (the whole picture), stored events after the client's cursor, `caughtUp`, then live.
//! A client keeps the highest `seq` it has dealt with and connects with `/ws?after=<seq>`.

use super::{
    Answer, ApprovalShown, Ask, Complete, Decide, ErrorFrame, LettersFact, Resolved, Say, SessionShown, Start, Started,
    Status, StreamData, TaskShown, ToolUse, house::HouseStatus, phones::You,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// A frame from the gateway.
///
/// - `welcome`: first on every connection.
/// - `streamData`: words, sorted by `data.kind`: `partial` (no `seq`, lossy), `said`, `text` (a finished block), `artifact`.
/// - `streamToolUse`: `data.kind` `used`, later `finished` under the same `data.id`.
/// - `permissionRequest`, `permissionResolved`: the agent asks whether it may; it was answered, expired or was withdrawn.
/// - `streamComplete`: a turn is over.
/// - `status`: how something stands, sorted by `data.kind`.
/// - `taskUpdate`: a task stands otherwise than before.
/// - `caughtUp`: all that was stored when the connection began has been sent.
/// - `askResponse`, `streamStarted`, `pong`, `status` of kind `accepted`: answers to this client's frames, by `requestId`.
/// - `error`: see [`ErrorFrame`].
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Frame {
    /// That of the client's frame which this one answers.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub request_id: Option<String>,
    /// The event's number, on durable frames only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seq: Option<i64>,
    #[serde(flatten)]
    pub body: FromServer,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub enum FromServer {
    Welcome(Box<Welcome>),
    AskResponse(Answer),
    StreamStarted(Started),
    StreamData(StreamData),
    StreamToolUse(ToolUse),
    PermissionRequest(Box<ApprovalShown>),
    PermissionResolved(Resolved),
    StreamComplete(Complete),
    TaskUpdate(Box<TaskShown>),
    Status(Status),
    CaughtUp(CaughtUp),
    Error(ErrorFrame),
    Pong(Pong),
}

/// The whole picture: who you are, how everything stands, what waits for an answer.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Welcome {
    /// 1. A client that does not know it reloads itself.
    pub protocol: u32,
    /// Lanyard's.
    pub version: String,
    /// The gateway's time.
    pub now: i64,
    pub you: You,
    pub status: HouseStatus,
    /// Those last used, at most 50; `GET /api/sessions` pages through all.
    pub sessions: Vec<SessionShown>,
    /// The newest, at most 30; `GET /api/tasks` pages through all.
    pub tasks: Vec<TaskShown>,
    /// All that are open.
    pub approvals: Vec<ApprovalShown>,
    /// Where the newest answers and questions went: those a client already has may stand otherwise since.
    pub letters: Vec<LettersFact>,
    /// The newest event's number. A client whose own cursor is higher starts anew: the history was replaced.
    pub last_event: i64,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct CaughtUp {
    pub last_event: i64,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Pong {
    /// The gateway's time.
    pub now: i64,
}

/// A frame from a client.
///
/// - `ask` (scope `chat`): answered by `askResponse`.
/// - `streamStart` (`chat`): answered by `streamStarted`.
/// - `streamSend`, `streamClose`, `interrupt` (`chat`), `permission` (`approve`), `presence`: answered by `status` of kind
///   `accepted`.
/// - `ping`: answered by `pong`. Any frame counts as a sign of life; a client silent for 60 s is dropped.
/// - `presence`: whether the page is in front of a person's eyes; decides whether a push is sent.
///
/// A frame that cannot be taken is answered by `error`; three in a row that cannot be read close the connection (1008). A
/// frame over `frame_bytes` of `GET /api/info` (1 MB) is one of those; one over 8 MB is not read to its end: the connection
/// is gone without a word.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct ClientFrame {
    /// Comes back on the frame that answers this one. At most 100 characters.
    #[serde(default, rename = "requestId")]
    #[ts(optional)]
    pub request_id: Option<String>,
    #[serde(flatten)]
    pub body: FromClient,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub enum FromClient {
    Ask(Ask),
    StreamStart(Start),
    StreamSend(InSession<Say>),
    StreamClose(InSession<Nothing>),
    Interrupt(InSession<Nothing>),
    Permission(Permission),
    Ping(Nothing),
    Presence(Presence),
}

/// Every `type` a client may send.
pub const CLIENT_TYPES: &[&str] =
    &["ask", "streamStart", "streamSend", "streamClose", "interrupt", "permission", "ping", "presence"];

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct InSession<T> {
    pub session_id: Uuid,
    #[serde(flatten)]
    #[ts(flatten)]
    pub rest: T,
}

/// No fields: `{}`.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS, ToSchema)]
pub struct Nothing {}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Permission {
    /// The approval's.
    pub id: Uuid,
    #[serde(flatten)]
    #[ts(flatten)]
    pub decide: Decide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, TS, ToSchema)]
pub struct Presence {
    pub visible: bool,
}

impl Frame {
    /// A frame that answers nothing and is no event.
    pub fn live(body: FromServer) -> Self {
        Self { request_id: None, seq: None, body }
    }

    /// The answer to a client's frame.
    pub fn answer(request_id: Option<String>, body: FromServer) -> Self {
        Self { request_id, seq: None, body }
    }

    /// A durable fact.
    pub fn event(seq: i64, body: FromServer) -> Self {
        Self { request_id: None, seq: Some(seq), body }
    }
}
