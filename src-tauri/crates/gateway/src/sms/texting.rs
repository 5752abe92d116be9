//! The owner's Twilio account, ready for use: who signs, who may write, and from where words leave.

use crate::{
    config::{Resolved, TwilioSettings},
    secrets::Secrets,
};
use accounts::{
    keychain::Account,
    twilio::{CallError, Credentials, Sender, Signer, Twilio, TwilioAccount},
};
use domain::{Address, PhoneNumber, phone_number::Network};
use std::collections::HashSet;

#[derive(Clone)]
pub struct Texting {
    pub twilio: Twilio,
    pub signer: Signer,
    pub settings: TwilioSettings,
    allowed: HashSet<PhoneNumber>,
}

impl Texting {
    /// None without an account in the config, or while its auth token cannot be read (said in the log and by doctor).
    pub async fn open(config: &Resolved, secrets: &Secrets) -> Option<Self> {
        let settings = config.twilio.clone()?;
        let auth = match secrets.get(Account::Twilio).await {
            Ok(auth) => auth,
            Err(e) => {
                tracing::error!(error = ?e, "texting is off: Twilio's auth token could not be read");
                return None;
            }
        };
        let signer = Signer::new(&auth);
        let credentials = Credentials::AuthToken(auth);
        let account =
            TwilioAccount { account_sid: settings.account_sid.clone(), api: settings.base_url.clone(), credentials };
        let twilio = match Twilio::new(account) {
            Ok(twilio) => twilio,
            Err(e) => {
                tracing::error!(error = ?e, "texting is off");
                return None;
            }
        };
        let allowed = settings.allow.iter().cloned().collect();
        Some(Self { twilio, signer, settings, allowed })
    }

    /// Who a message to `to` comes from: on WhatsApp the same number under its WhatsApp name.
    pub fn sender_for(&self, to: &Address) -> Sender {
        match self.settings.from.parse::<Address>() {
            Ok(from) => Sender::Address(Address { network: to.network, number: from.number }),
            Err(_) => Sender::MessagingService(self.settings.from.clone()),
        }
    }

    /// Our own addresses, whose received messages are reconciled.
    pub async fn own_addresses(&self) -> Result<Vec<Address>, CallError> {
        if let Ok(from) = self.settings.from.parse::<Address>() {
            let on = |network| Address { network, number: from.number.clone() };
            return Ok(vec![on(Network::Sms), on(Network::Whatsapp)]);
        }
        let own = self.twilio.numbers().await?;
        Ok(own.into_iter().map(|n| Address { network: Network::Sms, number: n.phone_number }).collect())
    }

    /// Whether this address may text Lanyard. A number counts on every network.
    pub fn allows(&self, from: &Address) -> bool {
        self.allowed.contains(&from.number)
    }
}
