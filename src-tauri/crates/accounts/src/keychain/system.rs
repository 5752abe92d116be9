//! The operating system's keychain: Keychain Services on macOS, Credential Manager on Windows, the Secret Service
//! (gnome-keyring, KWallet) elsewhere, the last in pure Rust over D-Bus.

use super::{Account, KeychainError, PATIENCE};
use keyring::Entry;
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Mutex, oneshot};

/// Under which name the entries stand in the system's own keychain program.
const SERVICE: &str = "Lanyard";

/// One call at a time: a keychain that waits for a person is asked once, not once per caller.
#[derive(Clone, Debug)]
pub(super) struct System {
    turn: Arc<Mutex<()>>,
    pub patience: Duration,
}

impl Default for System {
    fn default() -> Self {
        Self { turn: Arc::default(), patience: PATIENCE }
    }
}

impl System {
    pub async fn get(&self, account: Account) -> Result<SecretString, KeychainError> {
        self.ask(account, |entry| entry.get_password().map(SecretString::from)).await
    }

    pub async fn set(&self, account: Account, value: SecretString) -> Result<(), KeychainError> {
        self.ask(account, move |entry| entry.set_password(value.expose_secret())).await
    }

    pub async fn delete(&self, account: Account) -> Result<(), KeychainError> {
        match self.ask(account, Entry::delete_credential).await {
            Err(KeychainError::Missing { .. }) => Ok(()),
            other => other,
        }
    }

    /// Runs `question` on a thread of its own, which is left to its fate when it does not answer in time: a blocked
    /// thread of the runtime's pool would keep the program from stopping.
    async fn ask<T: Send + 'static>(
        &self,
        account: Account,
        question: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let answer = async {
            let turn = self.turn.clone().lock_owned().await;
            let (tell, told) = oneshot::channel();
            let runtime = tokio::runtime::Handle::current();
            std::thread::Builder::new()
                .name("keychain".to_owned())
                .spawn(move || {
                    let _inside = runtime.enter();
                    let _ = tell.send(entry(account).and_then(|entry| question(&entry).map_err(|e| read(e, account))));
                    drop(turn);
                })
                .map_err(|e| KeychainError::Failed(Box::new(e)))?;
            told.await.unwrap_or_else(|ended| Err(KeychainError::Failed(Box::new(ended))))
        };
        let after = self.patience;
        tokio::time::timeout(after, answer).await.map_err(|_| KeychainError::Silent { after })?
    }
}

fn entry(account: Account) -> Result<Entry, KeychainError> {
    Entry::new(SERVICE, account.name()).map_err(|e| match (e, Entry::store_status()) {
        (keyring::Error::NoDefaultStore, Err(why)) => classify(why),
        (other, _) => read(other, account),
    })
}

fn read(error: keyring::Error, account: Account) -> KeychainError {
    match error {
        keyring::Error::NoEntry => KeychainError::Missing { account },
        other => classify(&other),
    }
}

/// Sorts an error by what the owner can do about it. The stores hand their errors over as trait objects of crates that
/// are built on one system only, so they are told apart by name; an unknown one is reported as it is.
fn classify(error: &keyring::Error) -> KeychainError {
    // `Debug` of the other kinds shows the secret's bytes.
    let full = match error {
        keyring::Error::PlatformFailure(_) | keyring::Error::NoStorageAccess(_) => format!("{error:?}"),
        other => other.to_string(),
    };
    let cause = || full.clone().into();
    let says = |names: &[&str]| names.iter().any(|name| full.contains(name));
    match error {
        keyring::Error::PlatformFailure(_) if says(&["ServiceUnknown", "Unavailable", "NameHasNoOwner", "Spawn"]) => {
            KeychainError::NoService(cause())
        }
        keyring::Error::PlatformFailure(_) if says(&["Connection(", "InputOutput", "Address("]) => {
            KeychainError::NoBus(cause())
        }
        keyring::Error::PlatformFailure(_) | keyring::Error::NoStorageAccess(_) if says(&["Denied"]) => {
            KeychainError::Denied(cause())
        }
        keyring::Error::NoStorageAccess(_) => KeychainError::Locked(cause()),
        _ => KeychainError::Failed(cause()),
    }
}
