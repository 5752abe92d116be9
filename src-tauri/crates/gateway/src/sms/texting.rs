//! The owner's Twilio account, ready for use: who signs, who may write, and from where words leave.

use crate::{address, config::TwilioSettings, gateway::App, secrets::Secrets};
use accounts::{
    keychain::Account,
    twilio::{CallError, Credentials, Sender, Signer, Twilio, TwilioAccount},
};
use domain::{Address, PhoneNumber, Problem, phone_number::Network};
use std::{collections::HashSet, sync::Arc};
use tokio::sync::watch;

pub struct Texting {
    pub twilio: Twilio,
    pub signer: Signer,
    pub settings: TwilioSettings,
    allowed: HashSet<PhoneNumber>,
}

/// How texting stands; a changed account or number makes it anew, without a restart.
#[derive(Clone)]
pub enum Stands {
    /// No account, or no number of it, is in the config.
    NotSetUp,
    /// It is set up and cannot be used: its token is missing or cannot be read.
    Shut {
        settings: Box<TwilioSettings>,
        why: Problem,
    },
    Open(Arc<Texting>),
}

impl Stands {
    pub fn open(&self) -> Option<Arc<Texting>> {
        match self {
            Stands::Open(texting) => Some(texting.clone()),
            Stands::NotSetUp | Stands::Shut { .. } => None,
        }
    }

    pub fn settings(&self) -> Option<&TwilioSettings> {
        match self {
            Stands::NotSetUp => None,
            Stands::Shut { settings, .. } => Some(settings),
            Stands::Open(texting) => Some(&texting.settings),
        }
    }
}

/// Texting as it is now, for all who use it.
pub struct Texts(watch::Sender<Stands>);

impl Texts {
    pub async fn open(settings: Option<TwilioSettings>, secrets: &Secrets) -> Self {
        Self(watch::Sender::new(Texting::open(settings, secrets).await))
    }

    /// None while no text can come or go.
    pub fn now(&self) -> Option<Arc<Texting>> {
        self.0.borrow().open()
    }

    pub fn stands(&self) -> Stands {
        self.0.borrow().clone()
    }

    pub fn changes(&self) -> watch::Receiver<Stands> {
        self.0.subscribe()
    }
}

/// The account, its number, who may text or its token is another: from now on it is used as it is now.
pub async fn open_anew(app: &App, settings: Option<TwilioSettings>) {
    let stands = Texting::open(settings, &app.secrets).await;
    let open = stands.open().is_some();
    let number = |stands: &Stands| stands.settings().map(|s| (s.account_sid.clone(), s.from.clone()));
    let now = number(&stands);
    if number(&app.texting.0.send_replace(stands)) != now {
        app.address.number_changed();
    }
    tracing::info!(open, "texting was opened anew");
    if let Some(url) = app.address.tunnelled().filter(|_| open) {
        let app = app.clone();
        app.tasks.clone().spawn(async move { address::lead(&app, &url).await });
    }
}

impl Texting {
    /// Opens it where it is set up; why it cannot be is in the log too.
    pub async fn open(settings: Option<TwilioSettings>, secrets: &Secrets) -> Stands {
        let Some(settings) = settings else { return Stands::NotSetUp };
        let auth = match secrets.get(Account::Twilio).await {
            Ok(auth) => auth,
            Err(e) => {
                tracing::error!(error = ?e, "texting is off: Twilio's auth token could not be read");
                return Stands::Shut { settings: Box::new(settings), why: e.problem(Account::Twilio) };
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
                return Stands::Shut { settings: Box::new(settings), why: Problem::with_detail(e.code(), e) };
            }
        };
        let allowed = settings.allow.iter().cloned().collect();
        Stands::Open(Arc::new(Self { twilio, signer, settings, allowed }))
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
