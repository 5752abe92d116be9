//! The companion API's words: every REST body and every WebSocket frame, in one place. The OpenAPI description and the
//! page's TypeScript (`ui/src/lib/api/wire.ts`) are made from these types, and a test proves both fresh.
//!
//! Fields are `snake_case`; a frame's `type` and its `requestId` are `camelCase`. Times are milliseconds since 1970 (UTC),
//! ids are UUIDs, event numbers (`seq`) grow and are never reused.

mod approvals;
mod chat;
pub mod desk;
mod errors;
mod facts;
mod frames;
mod house;
mod letters;
mod links;
mod phones;
mod push;
mod sessions;
mod tasks;
mod typescript;
mod words;

pub use approvals::{
    ApprovalKind, ApprovalShown, ApprovalState, Approvals, Decide, DecideWord, Question, QuestionOption,
};
pub use chat::{Answer, Ask, Image, Said, Say, Start, Started};
pub use errors::{ErrorBody, ErrorData, ErrorDetails, ErrorFrame};
pub use facts::{
    Accepted, ArtifactFact, Complete, ModeFact, Notice, PartialWords, Resolved, SaidFact, SessionFact, Status, Steered,
    StreamData, TextFact, ToolFinished, ToolUse, ToolUsed, TurnFact,
};
pub use frames::{
    CLIENT_TYPES, CaughtUp, ClientFrame, Frame, FromClient, FromServer, InSession, Nothing, Permission, Pong, Presence,
    Welcome,
};
pub use house::{Claude, ClaudeTest, Health, HouseStatus, Info, Limits, SessionCount};
pub use letters::{LettersFact, Sent, SentState, SentTo};
pub use links::{LinkAnswer, LinkApproval, LinkArtifact, LinkSession, LinkShown};
pub use phones::{
    ApiToken, ApiTokenMade, ApiTokens, Jwk, MakeApiToken, Pair, PairingShown, PhoneChange, PhoneShown, Phones,
    PublicKey, Refresh, Ticket, Tokens, WhoKind, You,
};
pub use push::{PushApproval, PushEndpoint, PushKey, PushKeys, PushKind, PushNotice, PushShown, PushSubscription};
pub use sessions::{ArtifactShown, Artifacts, Events, SearchHit, SearchHits, SessionChange, SessionPage, SessionShown};
pub use tasks::{
    Branches, MakeSchedule, MakeTask, Repositories, RepositoryShown, RetryTask, ScheduleShown, Schedules, TaskOutcome,
    TaskPage, TaskRequest, TaskShown, TaskStep,
};
pub use typescript::typescript;
pub use words::{
    ChannelWord, ChecksWord, ErrorKind, ModeWord, OutcomeWord, PriorityWord, RiskWord, ScopeWord, SessionState,
    TaskStateWord, TokenCounts, WhenWord,
};
