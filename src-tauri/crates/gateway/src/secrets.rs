//! The owner's secrets, read once from where they are kept and again after a change; held in memory only.

pub mod accounts;
pub mod device;
pub mod signers;

use crate::config::Resolved;
use ::accounts::keychain::{Account, Kept, Keychain, KeychainError, Secret};
use secrecy::SecretString;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::Mutex;

#[derive(Clone)]
pub struct Secrets {
    keychain: Keychain,
    read: Arc<RwLock<HashMap<Account, SecretString>>>,
    /// One asker at a time for each: a keychain may show its owner a prompt. Who wants another secret does not wait for it.
    asking: Arc<HashMap<Account, Mutex<()>>>,
}

impl Secrets {
    pub fn open(config: &Resolved) -> Self {
        let file = &config.written.secrets.file;
        let file = (!file.is_empty()).then(|| PathBuf::from(file));
        Self::of(Keychain::open(file))
    }

    /// In this file alone.
    #[cfg(test)]
    pub fn kept_in(file: PathBuf) -> Self {
        Self::of(Keychain::with_environment(|_| None, Some(file)))
    }

    fn of(keychain: Keychain) -> Self {
        let asking = Account::ALL.iter().map(|account| (*account, Mutex::default())).collect();
        Self { keychain, read: Arc::default(), asking: Arc::new(asking) }
    }

    /// The account's secret. A missing one is looked for again each time, so that adding it needs no restart.
    pub async fn get(&self, account: Account) -> Result<SecretString, KeychainError> {
        if let Some(secret) = self.known(account) {
            return Ok(secret);
        }
        let _asking = self.asking[&account].lock().await;
        if let Some(secret) = self.known(account) {
            return Ok(secret);
        }
        let secret = self.keychain.get(account).await?.value;
        Ok(self.know(account, secret))
    }

    /// The account's secret; where none is kept yet, a new one that is kept from now on. If it cannot be kept (no keychain and
    /// no file, or a locked one), it lasts as long as this process.
    pub async fn get_or_make(&self, account: Account, make: impl FnOnce() -> SecretString) -> SecretString {
        let _asking = self.asking[&account].lock().await;
        if let Some(secret) = self.known(account) {
            return secret;
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
        self.know(account, secret)
    }

    /// Keeps a secret that must outlive this process. It is used from now on, unless an environment variable comes first.
    ///
    /// # Errors
    /// When it cannot be kept; after `Silent` it may be all the same.
    pub async fn keep(&self, account: Account, secret: &SecretString) -> Result<Kept, KeychainError> {
        let _asking = self.asking[&account].lock().await;
        let kept = self.keychain.set(account, secret.clone()).await.inspect_err(|e| self.doubt(account, e))?;
        if kept.shadowed_by.is_none() {
            self.know(account, secret.clone());
        }
        Ok(kept)
    }

    /// Forgets it here and where it is kept.
    ///
    /// # Errors
    /// When it cannot be taken away: it is used as before, but after `Silent`, when it may be away all the same.
    pub async fn remove(&self, account: Account) -> Result<(), KeychainError> {
        let _asking = self.asking[&account].lock().await;
        self.keychain.delete(account).await.inspect_err(|e| self.doubt(account, e))?;
        self.unknow(account);
        Ok(())
    }

    /// A keychain that did not answer in time may still do what it was asked, as after its owner's password: the next use looks
    /// what is there.
    fn doubt(&self, account: Account, e: &KeychainError) {
        if matches!(e, KeychainError::Silent { .. }) {
            self.unknow(account);
        }
    }

    fn unknow(&self, account: Account) {
        self.read.write().unwrap_or_else(PoisonError::into_inner).remove(&account);
    }

    /// All that this process has read or made so far.
    pub fn in_use(&self) -> Vec<SecretString> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        let one = |(account, secret): (&Account, &SecretString)| match account {
            Account::Hosts => signers::values(secret),
            _ => vec![secret.clone()],
        };
        read.iter().flat_map(one).collect()
    }

    fn known(&self, account: Account) -> Option<SecretString> {
        self.read.read().unwrap_or_else(PoisonError::into_inner).get(&account).cloned()
    }

    fn know(&self, account: Account, secret: SecretString) -> SecretString {
        self.read.write().unwrap_or_else(PoisonError::into_inner).insert(account, secret.clone());
        secret
    }

    /// From where it is kept, not from memory: says where that is.
    pub async fn look(&self, account: Account) -> Result<Secret, KeychainError> {
        self.keychain.get(account).await
    }

    /// What was read is forgotten: the next use reads it anew. What Lanyard may have made and kept nowhere stays.
    pub async fn forget(&self, account: Account) {
        if matches!(account, Account::Links | Account::Push | Account::Audit) {
            return;
        }
        // Not between an asker's reading and its remembering.
        let _asking = self.asking[&account].lock().await;
        self.unknow(account);
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
        Secrets::kept_in(file.to_owned())
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
        first.forget(Account::Links).await;
        assert_eq!(made(&first, "two").await, "one");
        assert_eq!(made(&secrets(&file), "three").await, "one", "another run reads it");
    }

    #[tokio::test]
    async fn a_keychain_that_thinks_about_one_secret_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = secrets(&folder.path().join("secrets.toml"));
        made(&secrets, "one").await;
        let _prompt = secrets.asking[&Account::Lan].lock().await;
        let _and_one_for_what_is_known = secrets.asking[&Account::Links].lock().await;
        let known = tokio::time::timeout(std::time::Duration::from_secs(5), secrets.get(Account::Links)).await;
        assert_eq!(known.unwrap().unwrap().expose_secret(), "one");
        let other = tokio::time::timeout(std::time::Duration::from_secs(5), secrets.get(Account::Anthropic)).await;
        assert!(matches!(other, Ok(Err(KeychainError::Missing { .. }))), "{other:?}");
    }

    #[tokio::test]
    async fn a_secret_whose_change_was_not_answered_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = secrets(&folder.path().join("secrets.toml"));
        secrets.know(Account::Anthropic, SecretString::from("before"));
        secrets.doubt(Account::Anthropic, &KeychainError::Denied("x".into()));
        assert!(secrets.known(Account::Anthropic).is_some(), "nothing was changed");
        secrets.doubt(Account::Anthropic, &KeychainError::Silent { after: std::time::Duration::from_secs(20) });
        assert!(secrets.known(Account::Anthropic).is_none());
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.toml");
        fs::write(&file, "links = \"kept\"\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let open = secrets(&file);
        assert_eq!(made(&open, "for now").await, "for now");
        open.forget(Account::Links).await;
        assert_eq!(made(&open, "other").await, "for now", "as long as this process");
        assert_eq!(fs::read_to_string(&file).unwrap(), "links = \"kept\"\n");
    }
}
