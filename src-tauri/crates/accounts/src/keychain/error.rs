//! What can stand between Lanyard and a secret, and what the owner does about it.

use super::Account;
use crate::Cause;
use domain::{Code, Problem};
use std::{path::PathBuf, time::Duration};

#[derive(Debug, thiserror::Error)]
pub enum KeychainError {
    #[error("no secret is kept for {account}")]
    Missing { account: Account },
    #[error("the keychain is locked")]
    Locked(#[source] Cause),
    /// Linux without a desktop session.
    #[error("there is no session bus, so no keychain")]
    NoBus(#[source] Cause),
    /// A session bus on which nothing offers the Secret Service.
    #[error("no keychain program runs in this session")]
    NoService(#[source] Cause),
    #[error("the keychain denied access")]
    Denied(#[source] Cause),
    #[error("the keychain did not answer in {} s; it may be asking for its password", after.as_secs())]
    Silent { after: Duration },
    #[error("the keychain failed")]
    Failed(#[source] Cause),
    #[error("the secrets file {} can be read by others (mode {mode:03o})", path.display())]
    FileExposed { path: PathBuf, mode: u32 },
    /// The parser's own words are left out: they quote the line.
    #[error("the secrets file {} is not understood at line {line}", path.display())]
    FileBroken { path: PathBuf, line: usize },
    #[error("the secrets file {} cannot be used", path.display())]
    FileUnusable {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
}

impl KeychainError {
    pub fn code(&self) -> Code {
        match self {
            KeychainError::Missing { account: Account::Anthropic } => Code::NoKey,
            KeychainError::Missing { account: Account::Twilio | Account::TwilioApi } => Code::TwilioMissing,
            _ => Code::KeychainUnavailable,
        }
    }

    /// There is simply nothing there, as opposed to something that refuses.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NoBus(_) | Self::NoService(_))
    }

    /// As a person reads it who wants the secret of `account`, with the way forward that fits this case.
    pub fn problem(&self, account: Account) -> Problem {
        let plain = match self {
            KeychainError::Missing { .. } => Problem::from(self.code()),
            other => Problem::with_detail(self.code(), format!("{}.", sentence_case(&other.to_string()))),
        };
        plain.suggest(self.suggestion(account))
    }

    fn suggestion(&self, account: Account) -> String {
        // One that Lanyard makes is nobody's to type: it is made, and kept in the file, where that is named.
        const FILE: &str = "a file of mode 0600 in the settings ([secrets] file)";
        let instead = match account.is_own() {
            true => format!("name {FILE}"),
            false => format!("set the environment variable {} or name {FILE}", account.variable()),
        };
        match self {
            KeychainError::Missing { account } if account.is_own() => "Lanyard makes it at its next start.".to_owned(),
            KeychainError::Missing { account } => {
                format!("lanyard config set-key {account}, or set {} for a server.", account.variable())
            }
            KeychainError::Locked(_) | KeychainError::Silent { .. } => {
                format!("Unlock the keychain (sign in at the desktop, or answer its window), or {instead}.")
            }
            KeychainError::NoBus(_) => format!("Run Lanyard from a desktop session, or {instead}."),
            KeychainError::NoService(_) => format!("Install gnome-keyring or KWallet, or {instead}."),
            KeychainError::Denied(_) => format!("Allow Lanyard in the keychain's settings, or {instead}."),
            KeychainError::Failed(_) => format!("lanyard logs has the keychain's words; or {instead}."),
            KeychainError::FileExposed { path, .. } => {
                format!("chmod 600 '{}', and change the keys if others use this computer.", path.display())
            }
            KeychainError::FileBroken { .. } => {
                "Write one account a line, as in: anthropic = \"sk-ant-..\".".to_owned()
            }
            KeychainError::FileUnusable { .. } => "Check the path, its owner and its rights.".to_owned(),
        }
    }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
