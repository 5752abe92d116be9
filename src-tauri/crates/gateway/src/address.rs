//! The address by which people and Twilio reach this computer: the tunnel's while there is a tunnel, else the one in the
//! config.

mod number;
mod tunnelling;

pub use number::Number;
pub use tunnelling::run;

use crate::config::Resolved;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{Store, Tx, facts};
use tokio::sync::{Notify, watch};
use tunnel::TunnelStatus;

/// What is known of the address, and the switch of the tunnel.
pub struct Address {
    fixed: Option<String>,
    /// The tunnel's URL, kept while it reconnects and over a restart: what leaves meanwhile carries the right links.
    tunnelled: watch::Sender<Option<String>>,
    wanted: watch::Sender<bool>,
    status: watch::Sender<TunnelStatus>,
    number: watch::Sender<Number>,
    /// A browser that comes for the first time meets ngrok's own page before ours.
    page_in_the_way: AtomicBool,
    /// The tunnel came to be open: what Twilio could not bring meanwhile is to be looked for.
    opened: Notify,
    /// Try again now: the owner has done what was asked.
    again: Notify,
}

impl Address {
    /// As the config says, unless the owner has switched the tunnel since.
    ///
    /// # Errors
    /// As the store's.
    pub async fn open(config: &Resolved, store: &Store) -> store::Result<Self> {
        let (switched, last) =
            store.read(|r| Ok((facts::get(r, facts::TUNNEL)?, facts::get(r, facts::TUNNEL_URL)?))).await?;
        let wanted = switched.map_or(config.tunnel.enabled, |switched| switched == ON);
        Ok(Self {
            fixed: config.public_url.clone(),
            tunnelled: watch::Sender::new(last.filter(|_| wanted)),
            wanted: watch::Sender::new(wanted),
            status: watch::Sender::new(TunnelStatus::Off),
            number: watch::Sender::default(),
            page_in_the_way: AtomicBool::new(false),
            opened: Notify::new(),
            again: Notify::new(),
        })
    }

    /// `https://name`, without a slash at its end. None: nobody outside can reach this computer.
    pub fn url(&self) -> Option<String> {
        self.tunnelled.borrow().clone().or_else(|| self.fixed.clone())
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

    /// Waits until the tunnel opens next. For one waiter.
    pub async fn opens(&self) {
        self.opened.notified().await;
    }

    pub fn page_in_the_way(&self) -> bool {
        self.page_in_the_way.load(Ordering::Relaxed)
    }

    /// Switches the tunnel from now on. Switching on what is on tries again at once.
    pub fn switch(&self, on: bool) {
        self.wanted.send_replace(on);
        self.again.notify_one();
    }
}

const ON: &str = "on";
const OFF: &str = "off";

/// Writes down what the owner wants of the tunnel; [`Address::switch`] comes after the commit.
///
/// # Errors
/// As the store's.
pub fn keep_switch(tx: &Tx<'_>, on: bool) -> store::Result<()> {
    facts::set(tx, facts::TUNNEL, if on { ON } else { OFF })
}
