//! Sandbox tokens: what an agent's process holds instead of a key. Each opens the egress door for one process only, is worth
//! nothing anywhere else, and is forgotten when its process ends. Only hashes are kept, and only in memory.

use domain::{SessionId, TurnId};
use rand::RngExt;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

#[derive(Clone, Default)]
pub struct Tokens(Arc<RwLock<HashMap<[u8; 32], Holder>>>);

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
    /// A new token of 256 random bits, held by nobody.
    pub fn mint(&self) -> (SecretString, TokenKey) {
        let token = format!("lanyard-sandbox-{}", random_name::<32>());
        let key = key(&token);
        self.table().insert(key, Holder::default());
        (SecretString::from(token), TokenKey(key))
    }

    /// Who holds `token`, if it is one of ours.
    pub fn holder(&self, token: &str) -> Option<Holder> {
        let table = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        table.get(&key(token)).copied()
    }

    /// From now on this token's process works for `holder`.
    pub fn assign(&self, token: TokenKey, holder: Holder) {
        if let Some(entry) = self.table().get_mut(&token.0) {
            *entry = holder;
        }
    }

    /// The process is gone: its token opens nothing any more.
    pub fn forget(&self, token: TokenKey) {
        self.table().remove(&token.0);
    }

    fn table(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<[u8; 32], Holder>> {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_token_opens_until_it_is_forgotten() {
        let tokens = Tokens::default();
        let (token, key) = tokens.mint();
        let session = Some(SessionId::new());
        assert_eq!(tokens.holder(token.expose_secret()), Some(Holder::default()));
        tokens.assign(key, Holder { session, turn: None });
        assert_eq!(tokens.holder(token.expose_secret()).unwrap().session, session);
        assert_eq!(tokens.holder("lanyard-sandbox-guess"), None);
        tokens.forget(key);
        assert_eq!(tokens.holder(token.expose_secret()), None);
    }
}
