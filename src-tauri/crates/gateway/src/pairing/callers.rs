//! Who is known: paired phones and API tokens, held in memory so that a request costs no look into the store. Every change
//! goes to the store first, then here, then rings those who hold a socket open.

use super::{Connected, Offers, Signer, Tickets, access, hash, presence::Presence};
use domain::{
    ApiTokenId, Code, PhoneId, Timestamp,
    event::Channel,
    pairing::{Scope, Scopes},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::Store;
use tokio::sync::watch;
use uuid::Uuid;

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub who: Who,
    pub name: Arc<str>,
    pub scopes: Scopes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    Phone(PhoneId),
    Token(ApiTokenId),
    /// The local door: the person at the desk.
    Owner,
}

impl Caller {
    pub fn owner() -> Self {
        Self { who: Who::Owner, name: "the desk".into(), scopes: Scopes::ALL }
    }

    /// # Errors
    /// `SCOPE_MISSING`.
    pub fn needs(&self, scope: Scope) -> Result<(), Code> {
        if self.scopes.has(scope) { Ok(()) } else { Err(Code::ScopeMissing) }
    }

    pub fn channel(&self) -> Channel {
        match self.who {
            Who::Phone(_) => Channel::Phone,
            Who::Token(_) => Channel::Api,
            Who::Owner => Channel::Desktop,
        }
    }

    /// None for the owner, whom nothing limits.
    pub fn id(&self) -> Option<Uuid> {
        match self.who {
            Who::Phone(id) => Some(id.0),
            Who::Token(id) => Some(id.0),
            Who::Owner => None,
        }
    }

    /// A client's own id, made distinct from every other client's: the idempotency key in the inbox.
    pub fn key(&self, client_id: &str) -> String {
        match self.id() {
            Some(id) => format!("{id}:{client_id}"),
            None => client_id.to_owned(),
        }
    }
}

#[derive(Clone)]
struct Known {
    name: Arc<str>,
    scopes: Scopes,
}

#[derive(Default)]
struct Table {
    phones: HashMap<PhoneId, Known>,
    tokens: HashMap<String, (ApiTokenId, Known)>,
    /// When a token's use was last written down.
    used: HashMap<ApiTokenId, Timestamp>,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Callers(Arc<Inner>);

struct Inner {
    signer: Signer,
    table: Mutex<Table>,
    reading: tokio::sync::Mutex<()>,
    changed: watch::Sender<u64>,
    offers: Offers,
    tickets: Tickets,
    presence: Presence,
}

impl Callers {
    pub async fn open(store: &Store) -> store::Result<Self> {
        let inner = Inner {
            signer: Signer::default(),
            table: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(0),
            offers: Offers::default(),
            tickets: Tickets::default(),
            presence: Presence::default(),
        };
        let callers = Self(Arc::new(inner));
        callers.read_again(store).await?;
        Ok(callers)
    }

    /// Takes over what the store says now, and rings.
    pub async fn read_again(&self, store: &Store) -> store::Result<()> {
        // One after the other: what was read before a change must not replace what was read after it.
        let _reading = self.0.reading.lock().await;
        let (phones, tokens) = store.read(|r| Ok((store::phones::all(r)?, store::api_tokens::all(r)?))).await?;
        let mut table = self.table();
        table.phones = phones
            .into_iter()
            .filter(|p| p.revoked.is_none())
            .map(|p| (p.id, Known { name: p.name.into(), scopes: p.scopes }))
            .collect();
        table.tokens = tokens
            .into_iter()
            .filter(|t| t.revoked_at.is_none())
            .map(|t| (t.hash, (t.id, Known { name: t.name.into(), scopes: t.scopes })))
            .collect();
        drop(table);
        self.0.changed.send_modify(|n| *n += 1);
        Ok(())
    }

    /// Who holds `token`: an access token of a paired phone, or an API token.
    ///
    /// # Errors
    /// `NOT_PAIRED`, `TOKEN_EXPIRED`, `PHONE_REVOKED`.
    pub fn of_token(&self, token: &str, now: Timestamp) -> Result<Caller, Code> {
        if !token.starts_with(access::PREFIX) {
            let hash = hash(token);
            let (id, known) = self.table().tokens.get(&hash).cloned().ok_or(Code::NotPaired)?;
            return Ok(Caller { who: Who::Token(id), name: known.name, scopes: known.scopes });
        }
        let (phone, granted) = self.0.signer.check(token, now)?;
        let known = self.table().phones.get(&phone).cloned().ok_or(Code::PhoneRevoked)?;
        Ok(Caller { who: Who::Phone(phone), name: known.name, scopes: known.scopes.both(granted) })
    }

    /// The same caller as things stand now: name and scopes may have changed, or it may be gone.
    pub fn again(&self, caller: &Caller) -> Option<Caller> {
        let table = self.table();
        let known = match caller.who {
            Who::Owner => return Some(caller.clone()),
            Who::Phone(id) => table.phones.get(&id)?,
            Who::Token(id) => table.tokens.values().find(|(token, _)| *token == id).map(|(_, known)| known)?,
        };
        Some(Caller { who: caller.who, name: known.name.clone(), scopes: known.scopes })
    }

    /// Rings when any phone or token was paired, changed or revoked.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    pub fn signer(&self) -> &Signer {
        &self.0.signer
    }

    pub fn offers(&self) -> &Offers {
        &self.0.offers
    }

    pub fn tickets(&self) -> &Tickets {
        &self.0.tickets
    }

    /// Counts an open socket for as long as the answer lives.
    pub fn connect(&self, caller: &Caller) -> Connected {
        self.0.presence.connect(caller)
    }

    /// Whether some page is in front of a person's eyes, by what pages said: then what is to be told waits.
    pub fn anyone_looks(&self) -> bool {
        *self.looked_at().borrow()
    }

    /// Whether such a page is another than the desk's, whose window knows better itself whether it is in front.
    pub fn anyone_looks_elsewhere(&self) -> bool {
        self.0.presence.looked_at_elsewhere()
    }

    /// Whether anyone looks, ringing when that changes, or whether they do so elsewhere than at the desk.
    pub fn looked_at(&self) -> watch::Receiver<bool> {
        self.0.presence.looked_at()
    }

    /// Whether a person had a page before their eyes that was heard of a while after `at`: it showed what came about then.
    pub fn seen_since(&self, at: Timestamp) -> bool {
        self.0.presence.seen_since(at)
    }

    /// True about once a minute for a token: its use is then worth a write.
    pub fn note_use(&self, token: ApiTokenId, now: Timestamp) -> bool {
        let mut table = self.table();
        let fresh = table.used.get(&token).is_none_or(|last| now.since(*last).as_secs() >= 60);
        if fresh {
            table.used.insert(token, now);
        }
        fresh
    }

    /// Open sockets of a phone.
    pub fn connected(&self, phone: PhoneId) -> usize {
        self.0.presence.connected(phone)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
