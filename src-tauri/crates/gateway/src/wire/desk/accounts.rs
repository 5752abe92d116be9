//! The owner's accounts outside, without their secrets: those never leave the gateway again.

use super::ProblemShown;
use domain::Code;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// In `GET /accounts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AccountShown {
    /// `anthropic`, `twilio`, `twilio-api`, `ngrok`, `github`, `deepgram`.
    pub account: String,
    /// What to call it: "Anthropic".
    pub label: &'static str,
    pub state: AccountState,
    /// Where the secret is: "the keychain".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source: Option<String>,
    /// What stands between Lanyard and the secret, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<ProblemShown>,
    /// What cannot be done without it.
    pub needed_for: &'static str,
    /// Whether `check` can ask the service about it.
    pub checkable: bool,
    /// Whether `sign-in` can fetch one.
    pub sign_in: bool,
}

/// The answer to `POST /accounts/github/sign-in`, a JSON line each: the code, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum SignInLine {
    Code(SignInCode),
    Done(AccountChecked),
    Refused(ProblemShown),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SignInCode {
    /// What the owner types.
    pub code: String,
    /// Where.
    pub url: String,
    /// Seconds until it is void.
    pub expires_in: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    Kept,
    Missing,
    /// The keychain wants its password.
    Locked,
    /// The keychain, or the rights of the secrets file, refuse.
    Denied,
    /// There is no keychain to look into.
    Absent,
    /// The keychain did not answer in time.
    Slow,
    /// It failed in another way; `problem` tells.
    Failed,
}

/// `PUT /accounts/{account}`.
#[derive(Deserialize, TS)]
pub struct KeepSecret {
    #[ts(type = "string")]
    pub secret: secrecy::SecretString,
    /// Whether to ask the service first; a secret that it refuses is not kept. Left out: yes.
    #[serde(default = "yes")]
    #[ts(optional, as = "Option<bool>")]
    pub check: bool,
}

fn yes() -> bool {
    true
}

/// The answer to `PUT /accounts/{account}` and to `POST /accounts/{account}/check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AccountChecked {
    #[serde(flatten)]
    pub account: AccountShown,
    pub checked: Checked,
}

/// What the service says of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Checked {
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "Code")]
    pub code: Option<Code>,
    /// A sentence, also where nothing was asked.
    pub says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub suggestion: Option<String>,
}
