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

    /// The account's secret; where none is kept yet, a new one that is kept from now on. If it cannot be kept (no keychain and
    /// no file, or a locked one), it lasts as long as this process.
    pub async fn get_or_make(&self, account: Account, make: impl FnOnce() -> SecretString) -> SecretString {
        let mut read = self.read.lock().await;
        if let Some(secret) = read.get(&account) {
            return secret.clone();
        }
        let secret = match self.keychain.get(account).await {
            Ok(kept) => kept.value,
            Err(e) => {
                let made = make();
                let kept = match e {
                    KeychainError::Missing { .. } => self.keychain.set(account, made.clone()).await.map(drop),
                    // What is kept there is not replaced.
                    e => Err(e),
                };
                if let Err(e) = kept {
                    tracing::warn!(%account, error = ?e, "a secret could not be kept and lasts until Lanyard stops; set {}", account.variable());
                }
                made
            }
        };
        read.insert(account, secret.clone());
        secret
    }

    /// Keeps a secret that Lanyard made itself and that must outlive this process.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn keep(&self, account: Account, secret: &SecretString) -> Result<(), KeychainError> {
        self.keychain.set(account, secret.clone()).await?;
        self.read.lock().await.insert(account, secret.clone());
        Ok(())
    }

    /// From where it is kept, not from memory: says where that is.
    pub async fn look(&self, account: Account) -> Result<Secret, KeychainError> {
        self.keychain.get(account).await
    }

    /// What was read is forgotten: the next use reads it anew. What Lanyard made itself stays, wherever it is kept.
    pub async fn forget(&self) {
        self.read.lock().await.retain(|account, _| matches!(account, Account::Links | Account::Push));
    }

    pub fn keychain(&self) -> &Keychain {
        &self.keychain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    fn secrets(file: &Path) -> Secrets {
        Secrets { keychain: Keychain::with_environment(|_| None, Some(file.to_owned())), read: Arc::default() }
    }

    async fn made(secrets: &Secrets, new: &str) -> String {
        secrets.get_or_make(Account::Links, || SecretString::from(new)).await.expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_secret_of_our_own_is_made_once_and_kept_beside_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.toml");
        let first = secrets(&file);
        assert_eq!(made(&first, "one").await, "one");
        first.forget().await;
        assert_eq!(made(&first, "two").await, "one");
        assert_eq!(made(&secrets(&file), "three").await, "one", "another run reads it");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.toml");
        fs::write(&file, "links = \"kept\"\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let open = secrets(&file);
        assert_eq!(made(&open, "for now").await, "for now");
        open.forget().await;
        assert_eq!(made(&open, "other").await, "for now", "as long as this process");
        assert_eq!(fs::read_to_string(&file).unwrap(), "links = \"kept\"\n");
    }
}
