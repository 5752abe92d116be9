//! Sandbox tokens: what an agent's process holds instead of a key. Each opens the egress door for one process in one sandbox, is
//! worth nothing anywhere else, and is forgotten when its process ends. Only hashes are kept, and only in memory.

use domain::{SandboxId, SessionId, TurnId};
use rand::RngExt;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

#[derive(Clone, Default)]
pub struct Tokens(Arc<RwLock<HashMap<[u8; 32], Entry>>>);

#[derive(Clone, Copy)]
struct Entry {
    sandbox: SandboxId,
    holder: Holder,
}

/// Whose process holds a token. A spare process belongs to no session yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
}

/// A token's name for those who may change what it stands for, without the token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenKey([u8; 32]);

fn key(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// `bytes` random bytes from the system, in URL-safe base64 without padding.
pub fn random_name<const BYTES: usize>() -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; BYTES]>())
}

impl Tokens {
    /// A new token of 256 random bits for a process in `sandbox`, held by nobody.
    pub fn mint(&self, sandbox: SandboxId) -> (SecretString, TokenKey) {
        let token = format!("lanyard-sandbox-{}", random_name::<32>());
        let key = key(&token);
        self.table().insert(key, Entry { sandbox, holder: Holder::default() });
        (SecretString::from(token), TokenKey(key))
    }

    /// Who holds `token`, if it is one of that sandbox's.
    pub fn holder(&self, sandbox: SandboxId, token: &str) -> Option<Holder> {
        let table = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        table.get(&key(token)).filter(|entry| entry.sandbox == sandbox).map(|entry| entry.holder)
    }

    /// From now on this token's process works for `holder`.
    pub fn assign(&self, token: TokenKey, holder: Holder) {
        if let Some(entry) = self.table().get_mut(&token.0) {
            entry.holder = holder;
        }
    }

    /// The process is gone: its token opens nothing any more.
    pub fn forget(&self, token: TokenKey) {
        self.table().remove(&token.0);
    }

    fn table(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<[u8; 32], Entry>> {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_token_opens_until_it_is_forgotten() {
        let (tokens, here) = (Tokens::default(), SandboxId::new());
        let (token, key) = tokens.mint(here);
        let session = Some(SessionId::new());
        assert_eq!(tokens.holder(here, token.expose_secret()), Some(Holder::default()));
        assert_eq!(tokens.holder(SandboxId::new(), token.expose_secret()), None, "another sandbox has it");
        tokens.assign(key, Holder { session, turn: None });
        assert_eq!(tokens.holder(here, token.expose_secret()).unwrap().session, session);
        assert_eq!(tokens.holder(here, "lanyard-sandbox-guess"), None);
        tokens.forget(key);
        assert_eq!(tokens.holder(here, token.expose_secret()), None);
    }
}
