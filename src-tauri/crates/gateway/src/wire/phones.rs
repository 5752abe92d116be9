//! Pairing, tokens, and the phones as the owner sees them.

use super::ScopeWord;
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// `POST /api/pair`. Ten tries a minute for an address, thirty for everyone.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Pair {
    /// From the QR code's fragment (`#c=`).
    #[schema(max_length = 100)]
    pub code: String,
    /// What the owner will see: "Ada's phone". 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// The phone's own key (WebCrypto, `ECDSA` on `P-256`, not extractable). With it a refresh needs a signature, so that a
    /// stolen refresh token alone is worthless. A browser always sends one.
    #[ts(optional)]
    pub public_key: Option<PublicKey>,
}

/// As WebCrypto exports it: `jwk`, or `spki` in Base64.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[serde(untagged)]
pub enum PublicKey {
    Jwk(Jwk),
    Spki(String),
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Jwk {
    /// `EC`
    pub kty: String,
    /// `P-256`
    pub crv: String,
    pub x: String,
    pub y: String,
}

/// What a paired phone holds. Keep the refresh token with the key (IndexedDB), the access token in memory.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Tokens {
    /// For `Authorization: Bearer`; signed, names the phone and its scopes.
    pub access_token: String,
    /// Seconds the access token lives: 900.
    pub expires_in: u64,
    /// Works once; the answer brings the next. One that is used a second time revokes the phone.
    pub refresh_token: String,
    pub you: You,
    /// The gateway's time: sign with it, not with the phone's clock.
    pub now: i64,
}

/// `POST /api/token/refresh`. If no answer comes, send the very same request again: it gets the same answer.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
pub struct Refresh {
    #[schema(max_length = 200)]
    pub refresh_token: String,
    /// Milliseconds since 1970, at most 15 digits; at most five minutes from the gateway's clock (`CLOCK_WRONG` brings `details.now`).
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 0, maximum = 999_999_999_999_999i64)]
    #[ts(optional)]
    pub at: Option<i64>,
    /// ECDSA with SHA-256 over `lanyard-refresh\n<at>\n<refresh_token>` in UTF-8 by the phone's key: the 64 bytes WebCrypto's
    /// `sign` gives, in Base64. Required if the phone registered a key.
    #[schema(max_length = 200)]
    #[ts(optional)]
    pub signature: Option<String>,
}

/// A whole number, also as `1.0`: JSON knows no other difference.
pub(super) fn whole<'de, D: Deserializer<'de>, N: TryFrom<i64>>(from: D) -> Result<Option<N>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(from)? else { return Ok(None) };
    let as_whole = |n: f64| (n.fract() == 0.0 && n.abs() < 9e15).then_some(n as i64);
    let read = number.as_i64().or_else(|| number.as_f64().and_then(as_whole));
    let read = read.and_then(|n| N::try_from(n).ok());
    read.map(Some).ok_or_else(|| serde::de::Error::custom("it is no whole number that can be meant"))
}

/// Who the caller is.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct You {
    pub kind: WhoKind,
    /// The phone's or token's; none at the desk.
    pub id: Option<Uuid>,
    pub name: String,
    pub scopes: Vec<ScopeWord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WhoKind {
    /// A paired device.
    Phone,
    /// A named API token.
    Token,
    /// The local door.
    Owner,
}

/// `POST /api/ticket`: opens one WebSocket (`/ws?ticket=`), for clients that can set neither header nor subprotocol.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Ticket {
    pub ticket: String,
    /// Seconds: 30.
    pub expires_in: u64,
}

/// Local door, `POST /pairing`: what the QR code says.
#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct PairingShown {
    /// `https://<host>/pair#c=<code>`
    pub url: String,
    /// The same at further addresses.
    pub also: Vec<String>,
    pub code: String,
    pub expires_at: i64,
}

/// Local door, `GET /phones`.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Phones {
    /// The newest first; revoked ones too.
    pub phones: Vec<PhoneShown>,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct PhoneShown {
    pub id: Uuid,
    pub name: String,
    /// As its browser names itself.
    pub browser: String,
    /// Where it paired from.
    pub address: String,
    pub scopes: Vec<ScopeWord>,
    /// Whether it registered a key of its own.
    pub key: bool,
    pub paired_at: i64,
    pub seen_at: i64,
    pub revoked_at: Option<i64>,
    /// Why it was revoked: `owner`, `not me`, `reused`.
    pub revoked_why: Option<String>,
    /// Open WebSockets.
    pub connected: usize,
}

/// Local door, `PATCH /phones/{id}`: what is not named stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS, ToSchema)]
pub struct PhoneChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub scopes: Option<Vec<ScopeWord>>,
}

/// Local door, `POST /tokens`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
pub struct MakeApiToken {
    pub name: String,
    pub scopes: Vec<ScopeWord>,
}

/// The token itself is shown this once; only its hash is kept.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ApiTokenMade {
    pub token: String,
    #[serde(flatten)]
    #[ts(flatten)]
    pub made: ApiToken,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS, ToSchema)]
pub struct ApiToken {
    pub id: Uuid,
    pub name: String,
    pub scopes: Vec<ScopeWord>,
    pub made_at: i64,
    pub used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

/// Local door, `GET /tokens`.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ApiTokens {
    pub tokens: Vec<ApiToken>,
}
