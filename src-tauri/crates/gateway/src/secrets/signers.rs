//! The owner's credentials for other hosts: from the keychain, or printed by a command of theirs.

use super::Secrets;
use accounts::keychain::{Account, KeychainError};
use domain::{Code, Problem};
use egress::CredentialSource;
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{BTreeMap, HashMap},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{process::Command, sync::Mutex};

/// A command of the owner's may ask a keychain of its own.
const PATIENCE: Duration = Duration::from_secs(20);
/// What it printed is used for so long: tokens of an hour are renewed well before they end.
const FRESH: Duration = Duration::from_secs(5 * 60);
const LONGEST: usize = 8 * 1024;

/// What commands printed, and when.
#[derive(Clone, Default)]
pub struct Signers(Arc<Mutex<HashMap<String, (SecretString, Instant)>>>);

impl Signers {
    /// # Errors
    /// `NO_KEY` where there is none, with what to do; the keychain's own.
    pub async fn of(&self, secrets: &Secrets, source: &CredentialSource) -> Result<SecretString, Problem> {
        match source {
            CredentialSource::Secret(name) if name == Account::Github.name() => {
                secrets.get(Account::Github).await.map_err(|e| missing(e, name))
            }
            CredentialSource::Secret(name) => {
                let all = secrets.get(Account::Hosts).await.map_err(|e| missing(e, name))?;
                let found = read(&all)?.remove(name).map(SecretString::from);
                found.ok_or_else(|| missing(KeychainError::Missing { account: Account::Hosts }, name))
            }
            CredentialSource::Command(line) => self.printed(line).await,
        }
    }

    /// One at a time: what another asker waited for is there then.
    async fn printed(&self, line: &str) -> Result<SecretString, Problem> {
        let mut known = self.0.lock().await;
        if let Some((secret, at)) = known.get(line)
            && at.elapsed() < FRESH
        {
            return Ok(secret.clone());
        }
        let secret = run(line).await.map_err(|why| {
            Problem::with_detail(Code::NoKey, format!("A command of egress.credentials {why}."))
                .suggest("Run it by hand, as the user whom Lanyard runs as.")
        })?;
        known.insert(line.to_owned(), (secret.clone(), Instant::now()));
        Ok(secret)
    }
}

/// Its first line. Why not never repeats what it said: that may be half a secret.
async fn run(line: &str) -> Result<SecretString, &'static str> {
    let (shell, run) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(shell);
    command.args([run, line]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.map_err(|_| "did not end in time")?;
    let output = output.map_err(|_| "could not be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let first = text.lines().next().unwrap_or_default().trim();
    match output.status.success() {
        false => Err("failed"),
        true if first.is_empty() => Err("printed nothing"),
        true if first.len() > LONGEST => Err("printed what is no secret"),
        true => Ok(SecretString::from(first)),
    }
}

fn missing(e: KeychainError, name: &str) -> Problem {
    match e {
        KeychainError::Missing { .. } => {
            Problem::with_detail(Code::NoKey, format!("Nothing is kept as {name} for egress.credentials."))
                .suggest(format!("Keep it: lanyard hosts secret {name}"))
        }
        e => e.problem(Account::Hosts),
    }
}

/// All that are kept, by name. Why it cannot be read never repeats it.
fn read(kept: &SecretString) -> Result<BTreeMap<String, String>, Problem> {
    serde_json::from_str(kept.expose_secret()).map_err(|_| {
        Problem::with_detail(
            Code::KeychainUnavailable,
            "What is kept for egress.credentials was changed by another program.",
        )
        .suggest("Look at the keychain's entry hosts. To begin anew: lanyard config remove-key hosts")
    })
}

/// Each that is kept, whatever its name.
pub fn values(kept: &SecretString) -> Vec<SecretString> {
    read(kept).into_iter().flatten().map(|(_, secret)| SecretString::from(secret)).collect()
}

/// `kept` with one more, or with one less.
///
/// # Errors
/// `KEYCHAIN_UNAVAILABLE` where what is kept cannot be read: it is not written over.
pub fn with(kept: Option<&SecretString>, name: &str, secret: Option<&SecretString>) -> Result<SecretString, Problem> {
    let mut all = kept.map(read).transpose()?.unwrap_or_default();
    match secret {
        Some(secret) => all.insert(name.to_owned(), secret.expose_secret().to_owned()),
        None => all.remove(name),
    };
    let all = serde_json::to_string(&all).map_err(|e| Problem::with_detail(Code::KeychainUnavailable, e))?;
    Ok(SecretString::from(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(folder: &std::path::Path) -> Secrets {
        Secrets::kept_in(folder.join("secrets.toml"))
    }

    #[tokio::test]
    async fn a_secret_for_a_host_is_kept_by_name_beside_others() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = secrets(folder.path());
        let source = |name: &str| CredentialSource::Secret(name.into());
        let first = with(None, "acme", Some(&"one".into())).unwrap();
        let both = with(Some(&first), "other", Some(&"two".into())).unwrap();
        secrets.keep(Account::Hosts, &both).await.unwrap();
        let signers = Signers::default();
        assert_eq!(signers.of(&secrets, &source("acme")).await.unwrap().expose_secret(), "one");
        let gone = signers.of(&secrets, &source("gone")).await.unwrap_err();
        assert!(gone.code == Code::NoKey && gone.suggestion.contains("lanyard hosts secret gone"), "{gone:?}");
        secrets.keep(Account::Hosts, &with(Some(&first), "acme", None).unwrap()).await.unwrap();
        assert!(signers.of(&secrets, &source("acme")).await.is_err());
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_neither_repeated_nor_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = secrets(folder.path());
        let odd = SecretString::from("a-secret-and-no-map");
        secrets.keep(Account::Hosts, &odd).await.unwrap();
        let problem = with(Some(&odd), "acme", Some(&"one".into())).unwrap_err();
        assert!(problem.suggestion.contains("remove-key hosts") && !format!("{problem:?}").contains("a-secret"));
        let source = CredentialSource::Secret("acme".into());
        assert_eq!(Signers::default().of(&secrets, &source).await.unwrap_err().code, Code::KeychainUnavailable);
    }

    #[tokio::test]
    async fn a_commands_first_line_is_the_secret_and_what_fails_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let (secrets, signers) = (secrets(folder.path()), Signers::default());
        let count = folder.path().join("count");
        let line = format!("echo x >> {}; echo ' token '; echo more", count.display());
        for _ in 0..2 {
            let secret = signers.of(&secrets, &CredentialSource::Command(line.clone())).await.unwrap();
            assert_eq!(secret.expose_secret(), "token");
        }
        assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 1, "it is not run for each request");
        let failed = signers.of(&secrets, &CredentialSource::Command("echo half; exit 1".into())).await.unwrap_err();
        assert!(failed.code == Code::NoKey && !format!("{failed:?}").contains("half"), "{failed:?}");
    }
}
