//! The owner's secrets, read once from where they are kept and again after a change; held in memory only.

use crate::config::Resolved;
use accounts::keychain::{Account, Keychain, KeychainError, Secret};
use secrecy::SecretString;
use std::{collections::HashMap, path::PathBuf, sync::Arc};
use tokio::sync::Mutex;

#[derive(Clone)]
pub struct Secrets {
    keychain: Keychain,
    read: Arc<Mutex<HashMap<Account, SecretString>>>,
}

impl Secrets {
    pub fn open(config: &Resolved) -> Self {
        let file = &config.written.secrets.file;
        let file = (!file.is_empty()).then(|| PathBuf::from(file));
        Self { keychain: Keychain::open(file), read: Arc::default() }
    }

    /// The account's secret. A missing one is looked for again each time, so that adding it needs no restart.
    pub async fn get(&self, account: Account) -> Result<SecretString, KeychainError> {
        let mut read = self.read.lock().await;
        if let Some(secret) = read.get(&account) {
            return Ok(secret.clone());
        }
        let secret = self.keychain.get(account).await?.value;
        read.insert(account, secret.clone());
        Ok(secret)
    }

    /// From where it is kept, not from memory: says where that is.
    pub async fn look(&self, account: Account) -> Result<Secret, KeychainError> {
        self.keychain.get(account).await
    }

    /// What was read is forgotten: the next use reads it anew.
    pub async fn forget(&self) {
        self.read.lock().await.clear();
    }

    pub fn keychain(&self) -> &Keychain {
        &self.keychain
    }
}
