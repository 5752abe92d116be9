//! The address by which people and Twilio reach this computer: the tunnel's while there is a tunnel, else the one in the
//! config.

mod number;
mod tunnelling;

pub use number::{Led, Number, lead, lead_now, proof};
pub use tunnelling::Tunnelled;

use crate::{
    config::{Resolved, TunnelSettings},
    switch::Switch,
};
use secrecy::SecretString;
use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};
use store::{Store, facts};
use tokio::sync::{Notify, watch};
use tunnel::TunnelStatus;

/// What is known of the address, and the switch of the tunnel.
pub struct Address {
    fixed: Option<String>,
    /// The tunnel's URL, kept while it reconnects and over a restart: what leaves meanwhile carries the right links.
    tunnelled: watch::Sender<Option<String>>,
    pub switch: Switch,
    /// The one of the owner's domains it is to have; None takes what the account has.
    domain: RwLock<Option<String>>,
    status: watch::Sender<TunnelStatus>,
    number: watch::Sender<Number>,
    /// A browser that comes for the first time meets ngrok's own page before ours.
    page_in_the_way: AtomicBool,
    /// The tunnel came to be open: what Twilio could not bring meanwhile is to be looked for.
    opened: Notify,
}

impl Address {
    /// As the config says, unless the owner has switched the tunnel since.
    ///
    /// # Errors
    /// As the store's.
    pub async fn open(config: &Resolved, store: &Store) -> store::Result<Self> {
        let switch = Switch::open(store, facts::TUNNEL, config.tunnel.enabled).await?;
        let last = store.read(|r| facts::get(r, facts::TUNNEL_URL)).await?;
        Ok(Self {
            fixed: config.public_url.clone(),
            tunnelled: watch::Sender::new(last.filter(|_| switch.is_on())),
            switch,
            domain: RwLock::new(config.tunnel.domain.clone()),
            status: watch::Sender::new(TunnelStatus::Off),
            number: watch::Sender::default(),
            page_in_the_way: AtomicBool::new(false),
            opened: Notify::new(),
        })
    }

    /// `https://name`, without a slash at its end. None: nobody outside can reach this computer.
    pub fn url(&self) -> Option<String> {
        self.tunnelled.borrow().clone().or_else(|| self.fixed.clone())
    }

    /// The tunnel's own URL, while there is one.
    pub fn tunnelled(&self) -> Option<String> {
        self.tunnelled.borrow().clone()
    }

    /// The tunnel has this domain from now on; an open one is opened anew.
    pub fn take_domain(&self, domain: Option<String>) {
        *self.domain.write().unwrap_or_else(PoisonError::into_inner) = domain;
        self.switch.open_anew();
    }

    /// How ngrok is reached with this token.
    pub fn way_to_ngrok(&self, settings: &TunnelSettings, token: SecretString) -> tunnel::Config {
        tunnel::Config {
            domain: self.domain(),
            edge: settings.edge.clone(),
            roots: settings.roots.clone(),
            ..tunnel::Config::new(token)
        }
    }

    fn domain(&self) -> Option<String> {
        self.domain.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host (with its port, if it names one) of [`Address::url`].
    pub fn host(&self) -> Option<String> {
        self.url()?.split_once("://").map(|(_, host)| host.to_owned())
    }

    pub fn status(&self) -> watch::Receiver<TunnelStatus> {
        self.status.subscribe()
    }

    /// What became of Twilio's number since the address last changed.
    pub fn number(&self) -> Number {
        self.number.borrow().clone()
    }

    /// Another number: what was found out about the one before is nothing now.
    pub fn number_changed(&self) {
        self.number.send_replace(Number::Untouched);
    }

    /// Waits until the tunnel opens next. For one waiter.
    pub async fn opens(&self) {
        self.opened.notified().await;
    }

    pub fn page_in_the_way(&self) -> bool {
        self.page_in_the_way.load(Ordering::Relaxed)
    }

    /// From now on the tunnel leads here from `url` (None: from nowhere); what was found out before is nothing now. Gives
    /// whether it did already.
    fn leads_from(&self, url: Option<&str>) -> bool {
        let known = self.tunnelled.send_replace(url.map(str::to_owned)).as_deref() == url;
        self.number.send_replace(Number::Untouched);
        if !known {
            self.page_in_the_way.store(false, Ordering::Relaxed);
        }
        known
    }

    /// Whether `url` is still the tunnel's: what was found out about another is nothing now.
    fn is_tunnelled(&self, url: &str) -> bool {
        self.tunnelled.borrow().as_deref() == Some(url)
    }
}
