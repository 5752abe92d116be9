//! Pushes: where a browser takes them, and what one says.

use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// `GET /api/push`
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct PushKey {
    /// For `pushManager.subscribe({applicationServerKey})`.
    pub public_key: String,
}

/// `POST /api/push`: what `PushSubscription.toJSON()` gives.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct PushSubscription {
    /// `https` only.
    #[schema(max_length = 1000)]
    pub endpoint: String,
    pub keys: PushKeys,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct PushKeys {
    /// The browser's public key, in Base64.
    #[schema(max_length = 200)]
    pub p256dh: String,
    /// 16 bytes, in Base64.
    #[schema(max_length = 200)]
    pub auth: String,
}

/// `DELETE /api/push`
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct PushEndpoint {
    #[schema(max_length = 1000)]
    pub endpoint: String,
}

/// `POST /api/push/shown`: the service worker showed it. Without this a text goes after a while.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct PushShown {
    #[serde(deserialize_with = "whole")]
    pub letter: i64,
}

fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    super::phones::whole(from)?.ok_or_else(|| serde::de::Error::custom("it is no whole number"))
}

/// What a push says, as JSON under its encryption.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct PushNotice {
    pub kind: PushKind,
    pub title: String,
    /// All that would run where `approval.allow` is true; else a short line.
    pub body: String,
    /// A notice with the same tag takes this one's place.
    pub tag: String,
    /// Goes back with `POST /api/push/shown`, and with an answer from the notice.
    pub letter: i64,
    /// The session's number.
    pub session: u32,
    pub session_id: Uuid,
    /// The task that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub task: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub approval: Option<PushApproval>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PushKind {
    /// Something waits for an answer.
    Approval,
    /// What asked under the same tag is asked no more: close it, and show this in its place without a sound.
    Closed,
    /// A turn or a task ended.
    Done,
    /// A turn or a task failed.
    Failed,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct PushApproval {
    pub id: Uuid,
    pub number: u32,
    pub input_hash: String,
    /// Whether it may be allowed from the lock screen. It may always be denied.
    pub allow: bool,
}
