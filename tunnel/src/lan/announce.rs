//! The announcement on the local network (mDNS, DNS-SD): `_lanyard._tcp` with name, version and the CA's fingerprint, so
//! that a phone that knows the CA finds the computer it trusts. Withdrawn at the end.

use super::{Reach, addresses::is_virtual};
use crate::error::Error;
use mdns_sd::{IfKind, IfPredicate, ServiceDaemon, ServiceInfo};
use std::time::Duration;

/// The service's type.
pub const SERVICE: &str = "_lanyard._tcp.local.";
/// How long a goodbye may take to leave.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) struct Announcement {
    daemon: ServiceDaemon,
    fullname: String,
}

/// What is announced.
pub(super) struct Card<'a> {
    pub(super) name: &'a str,
    /// `<label>.local`
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) version: &'a str,
    pub(super) fingerprint: &'a str,
}

impl Announcement {
    pub(super) fn begin(card: &Card<'_>, reach: Reach) -> Result<Self, Error> {
        let daemon = ServiceDaemon::new()?;
        match reach {
            Reach::Network => daemon.disable_interface(IfKind::Predicate(IfPredicate::new(|interface| {
                is_virtual(&interface.name) || interface.is_loopback()
            })))?,
            Reach::Loopback => {
                daemon.disable_interface(IfKind::All)?;
                daemon.enable_interface(IfKind::LoopbackV4)?;
            }
        }
        let facts = [("name", card.name), ("version", card.version), ("fp", card.fingerprint)];
        let host = format!("{}.", card.host);
        // The addresses are the daemon's to fill in, as interfaces come and go.
        let info = ServiceInfo::new(SERVICE, card.name, &host, "", card.port, &facts[..])?.enable_addr_auto();
        let fullname = info.get_fullname().to_owned();
        daemon.register(info)?;
        Ok(Self { daemon, fullname })
    }

    /// Tells the network that it is over, and ends the daemon's thread.
    pub(super) async fn withdraw(self) {
        if let Ok(done) = self.daemon.unregister(&self.fullname) {
            let _ = tokio::time::timeout(GOODBYE, done.recv_async()).await;
        }
        if let Ok(done) = self.daemon.shutdown() {
            let _ = tokio::time::timeout(GOODBYE, done.recv_async()).await;
        }
    }
}
