//! Twilio: texts and pictures out and in, the webhook's signature, receipts, and what doctor and set-up ask.
//!
//! The wire's shapes stop here. Every call has a deadline; none retries by itself, for a send that is tried again
//! without looking first may arrive twice.

mod compliance;
mod explain;
mod list;
mod media;
mod numbers;
mod send;
mod signature;
mod status;
mod transport;
mod webhook;

pub use compliance::{Campaign, CampaignStatus, TollFree, TollFreeStatus};
pub use explain::{Blame, Explanation, explain};
pub use list::{ListQuery, Listed, MediaRef, Page, Received};
pub use media::{Picture, PictureError};
pub use numbers::{AccountState, OwnNumber};
pub use send::{Outgoing, SendError, Sender, Sent};
pub use signature::{Called, Proof, SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER, Signer, verify};
pub use status::MessageStatus;
pub use transport::{CallError, Refusal};
pub use webhook::{InboundText, OptOut, Pairs, StatusReport, WebhookError, parse_form};

use crate::{Cause, SecretString};
use std::{sync::Arc, time::Duration};
use url::Url;

/// Where Twilio's REST interface is, unless a stand-in plays it.
pub const API: &str = "https://api.twilio.com";

/// The account as the settings and the keychain give it.
#[derive(Clone, Debug)]
pub struct TwilioAccount {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// [`API`], or a stand-in on loopback.
    pub api: Url,
    pub credentials: Credentials,
}

/// What proves to Twilio's REST interface who calls.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The account's auth token, which also signs webhooks.
    AuthToken(SecretString),
    /// An API key, `SK..`, which can be revoked alone: the better choice for REST.
    ApiKey { sid: String, secret: SecretString },
}

#[derive(Debug, thiserror::Error)]
pub enum BadAccount {
    #[error("a Twilio account id is AC and 32 hexadecimal digits")]
    Sid,
    #[error("Twilio's address must be https (http only on loopback)")]
    Address,
    #[error("the HTTP client could not be made")]
    Client(#[source] Cause),
}

impl BadAccount {
    pub fn code(&self) -> domain::Code {
        match self {
            BadAccount::Sid | BadAccount::Address => domain::Code::ConfigInvalid,
            BadAccount::Client(_) => domain::Code::Internal,
        }
    }
}

/// A Twilio account, ready to be called. Cheap to clone: the connections are shared.
#[derive(Clone, Debug)]
pub struct Twilio {
    api: Arc<transport::Api>,
}

impl Twilio {
    /// Checks the shapes and makes the client; says nothing to Twilio yet.
    pub fn new(account: TwilioAccount) -> Result<Self, BadAccount> {
        if !is_sid(&account.account_sid, "AC") {
            return Err(BadAccount::Sid);
        }
        let loopback = matches!(account.api.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if account.api.scheme() != "https" && !(loopback && account.api.scheme() == "http") {
            return Err(BadAccount::Address);
        }
        Ok(Self { api: Arc::new(transport::Api::new(account).map_err(BadAccount::Client)?) })
    }

    /// Another deadline than 15 s for each call (pictures have their own).
    pub fn with_deadline(self, deadline: Duration) -> Self {
        let mut api = transport::Api::clone(&self.api);
        api.deadline = deadline;
        Self { api: Arc::new(api) }
    }

    pub fn account_sid(&self) -> &str {
        &self.api.account_sid
    }
}

/// Whether `text` is one of Twilio's ids: two letters and 32 hexadecimal digits.
pub(crate) fn is_sid(text: &str, letters: &str) -> bool {
    text.strip_prefix(letters).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}
