//! The door on the local network: its switch, where it is reached now, and the certificate that makes phones trust it.

mod authority;
mod opening;

pub use opening::Nearby;

use crate::{config::Resolved, switch::Switch};
use domain::{Problem, phrases};
use serde::Serialize;
use store::{Store, facts};
use tokio::sync::watch;

/// What is known of the door, and its switch.
pub struct Lan {
    pub switch: Switch,
    state: watch::Sender<State>,
    /// For phones to install, since the door was first opened.
    certificate: watch::Sender<Option<Certificate>>,
}

/// How the door stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    Off,
    Opening,
    Open {
        /// `https://lanyard-desk.local:7443` first, then one for each address.
        urls: Vec<String>,
        /// When the certificate shown now runs out, in milliseconds since 1970; another takes its place a month before.
        expires: i64,
    },
    /// Nobody gets through it as things are.
    Refused {
        why: Problem,
    },
}

/// The CA's own certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub der: Vec<u8>,
    pub pem: String,
    /// SHA-256, 64 hex digits.
    pub fingerprint: String,
}

/// Where the public door hands the certificate out.
pub const CERTIFICATE_PATH: &str = "/lanyard-ca.crt";

impl Lan {
    /// As the config says, unless the owner has switched the door since.
    ///
    /// # Errors
    /// As the store's.
    pub async fn open(config: &Resolved, store: &Store) -> store::Result<Self> {
        Ok(Self {
            switch: Switch::open(store, facts::LAN, config.lan.enabled).await?,
            state: watch::Sender::new(State::Off),
            certificate: watch::Sender::new(None),
        })
    }

    pub fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Where phones on the same network find this computer, the name first; none while nobody can.
    pub fn urls(&self) -> Vec<String> {
        match &*self.state.borrow() {
            State::Open { urls, .. } => urls.clone(),
            State::Off | State::Opening | State::Refused { .. } => Vec::new(),
        }
    }

    /// Whether `origin` (`https://host:port`) is one of [`Lan::urls`].
    pub fn is_at(&self, origin: &str) -> bool {
        matches!(&*self.state.borrow(), State::Open { urls, .. } if urls.iter().any(|url| url.eq_ignore_ascii_case(origin)))
    }

    pub fn certificate(&self) -> Option<Certificate> {
        self.certificate.borrow().clone()
    }
}

impl State {
    /// One line for a person.
    pub fn in_words(&self) -> String {
        match self {
            State::Off => phrases::lan_off().to_owned(),
            State::Opening => phrases::lan_opening().to_owned(),
            State::Open { urls, .. } => phrases::lan_open(urls),
            State::Refused { why } => format!("{} {}", why.message, why.suggestion),
        }
    }
}
