//! The owner's accounts outside: their secrets, and the two services Lanyard itself talks to.
//!
//! The sole user of `reqwest` and `keyring`. Secrets are [`secrecy::SecretString`] from the moment they are read and
//! are exposed only in the line that sends or stores them. No error here carries a URL, a message text, a whole phone
//! number or a token, so every one may be logged as it is.
//!
//! Absent and to stay so: the database, HTTP doors, retries of sends (the outbox owns their schedule).

pub mod anthropic;
pub mod forge;
mod http;
pub mod keychain;
pub mod packages;
pub mod push;
pub mod reach;
pub mod twilio;

pub use keychain::{Account, Keychain, KeychainError, Secret, Source};
pub use secrecy::{ExposeSecret, SecretString};
pub use twilio::{Twilio, TwilioAccount};

/// The cause of an error, for the log. URLs are taken out before an error becomes one of these.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
