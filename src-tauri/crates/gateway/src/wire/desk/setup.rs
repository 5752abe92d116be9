//! Setting up: the steps, the tunnel, and Twilio from an account to a text that was answered.

use super::ProblemShown;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One step of setting up, as things really stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SetupStep {
    pub id: StepId,
    pub state: StepState,
    pub says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub suggestion: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepId {
    /// The engine answers.
    Docker,
    /// The sandbox image is built.
    Image,
    /// An Anthropic key or token is kept.
    Key,
    /// There is a public address.
    Tunnel,
    /// A Twilio account and a number.
    Texting,
    /// Somebody may text it.
    Allow,
    /// A phone is paired.
    Phone,
}

impl StepId {
    /// In the order in which they are done.
    pub const ALL: [StepId; 7] =
        [StepId::Docker, StepId::Image, StepId::Key, StepId::Tunnel, StepId::Texting, StepId::Allow, StepId::Phone];

    /// As it stands in a path and in the database.
    pub fn name(self) -> &'static str {
        match self {
            StepId::Docker => "docker",
            StepId::Image => "image",
            StepId::Key => "key",
            StepId::Tunnel => "tunnel",
            StepId::Texting => "texting",
            StepId::Allow => "allow",
            StepId::Phone => "phone",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Todo,
    /// Under way, or being looked at.
    Doing,
    Done,
    /// The owner does not want it; only what is not done can be.
    Skipped,
    Broken,
}

/// `POST /setup/{id}/skip`; the answer is the step.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
pub struct Skip {
    pub skip: bool,
}

/// `POST /tunnel/setup`: checked with ngrok, kept, switched on.
#[derive(Default, Deserialize, TS)]
pub struct TunnelSetup {
    /// None: the one that is kept.
    #[ts(optional, type = "string")]
    pub token: Option<SecretString>,
    /// One of the account's. Empty: the account's own. None: as it is.
    #[ts(optional)]
    pub domain: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TunnelSetupShown {
    /// Whether it is open already; else `GET /tunnel` tells.
    pub open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub url: Option<String>,
    pub says: String,
    pub restart_needed: bool,
}

/// `POST /twilio/account`.
#[derive(Deserialize, TS)]
pub struct TwilioAccountWish {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// None: the one that is kept.
    #[ts(optional, type = "string")]
    pub auth_token: Option<SecretString>,
}

/// As Twilio describes it; checked and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TwilioAccountShown {
    pub friendly_name: String,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// `Trial` (texts verified numbers only) or `Full`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What that means for texting, where it means something.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub says: Option<String>,
}

/// In `GET /twilio/numbers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TwilioNumber {
    pub number: String,
    /// `PN` and 32 hexadecimal digits.
    pub sid: String,
    /// Its name at Twilio.
    pub label: String,
    pub sms: bool,
    pub mms: bool,
    pub kind: NumberKind,
    pub registration: Registration,
    /// Where texts to it are posted now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub webhook: Option<String>,
    /// Whether it is the one in the config.
    pub ours: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// Ten digits, in the US and Canada: carriers want it registered.
    Local,
    TollFree,
    /// Elsewhere, where Twilio says nothing of its kind.
    Other,
}

/// Whether carriers let texts from the number through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Registration {
    pub state: RegistrationState,
    pub says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub suggestion: Option<String>,
    /// Where to do it, in Twilio's console.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationState {
    /// Registered, or verified.
    Done,
    /// Sent in; carriers or Twilio look at it.
    Pending,
    /// Refused, with the reason in `says`.
    Refused,
    /// Wanted, and not begun.
    Missing,
    /// Not wanted for this kind of number.
    NotNeeded,
    /// Twilio did not say.
    Unknown,
}

/// `POST /twilio/number`.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct TwilioNumberWish {
    pub number: String,
}

/// `POST /twilio/allow`: who may text Lanyard, all of them.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct TwilioAllow {
    pub numbers: Vec<String>,
}

/// What stands in the config now; the answer to `POST /twilio/number` and `POST /twilio/allow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TwilioSaved {
    pub account_sid: String,
    pub number: String,
    pub allow: Vec<String>,
    pub restart_needed: bool,
}

/// `POST /twilio/webhook`: the number leads here, and that is proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct WebhookShown {
    /// Twilio posts texts to this address now.
    pub set: bool,
    /// A rightly signed request was taken.
    pub accepted: bool,
    /// A wrongly signed one was refused.
    pub refused: bool,
    pub says: String,
    /// What went wrong at the first step that is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<ProblemShown>,
}

/// `POST /twilio/hello`: a first text to one of the allowed numbers.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct HelloAsk {
    pub to: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct HelloSent {
    pub id: String,
}

/// `GET /twilio/hello`: what became of the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct HelloShown {
    pub state: HelloState,
    pub says: String,
    /// Twilio's own number of what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub suggestion: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HelloState {
    /// None was asked for.
    None,
    /// In our outbox, or at Twilio.
    Sent,
    Delivered,
    Failed,
    /// The number wrote back.
    Answered,
}
