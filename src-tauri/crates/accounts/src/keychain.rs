//! The owner's secrets, by account. Looked for in three places, in this order: an environment variable, a file that
//! only the owner can read, the operating system's keychain. Every answer says where it came from.
//!
//! The keychain may wait for a person (a prompt to unlock it): its calls run on a thread of their own, one at a time,
//! and are given up after [`PATIENCE`].

mod error;
mod file;
mod system;

pub use error::KeychainError;

use secrecy::SecretString;
use std::{collections::HashMap, fmt, path::PathBuf, str::FromStr, time::Duration};

/// How long the operating system's keychain may take before a call is given up. A working one takes about 10 ms; a
/// locked one asks a person.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Something of the owner's outside that has a secret; and the secrets that Lanyard makes for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// The API key, `sk-ant-..`.
    Anthropic,
    /// The account's auth token: signs webhooks, and is the REST password when there is no API key.
    Twilio,
    /// The secret of a Twilio API key (`SK..`), for REST only; optional.
    TwilioApi,
    Ngrok,
    Github,
    Deepgram,
    /// What proves the links in texts; made once by Lanyard.
    Links,
    /// The key pair that push services know us by; made once by Lanyard.
    Push,
    /// The CA that phones trust on the local network, with its certificate; made once by Lanyard.
    Lan,
    /// What signs the audit, and how far it has; made once by Lanyard.
    Audit,
    /// The owner's credentials for other hosts, all of them: a JSON object by name.
    Hosts,
    /// A hash of the owner's PIN.
    Pin,
}

impl Account {
    pub const ALL: &'static [Account] = &[
        Account::Anthropic,
        Account::Twilio,
        Account::TwilioApi,
        Account::Ngrok,
        Account::Github,
        Account::Deepgram,
        Account::Links,
        Account::Push,
        Account::Lan,
        Account::Audit,
        Account::Hosts,
        Account::Pin,
    ];

    /// Its name on the command line, in the secrets file and in the keychain.
    pub fn name(self) -> &'static str {
        match self {
            Account::Anthropic => "anthropic",
            Account::Twilio => "twilio",
            Account::TwilioApi => "twilio-api",
            Account::Ngrok => "ngrok",
            Account::Github => "github",
            Account::Deepgram => "deepgram",
            Account::Links => "links",
            Account::Push => "push",
            Account::Lan => "lan",
            Account::Audit => "audit",
            Account::Hosts => "hosts",
            Account::Pin => "pin",
        }
    }

    /// Made by Lanyard for itself.
    pub fn is_own(self) -> bool {
        matches!(self, Account::Links | Account::Push | Account::Lan)
    }

    /// `LANYARD_ANTHROPIC_KEY`, `LANYARD_TWILIO_API_KEY` and so on.
    pub fn variable(self) -> String {
        format!("LANYARD_{}_KEY", self.name().to_ascii_uppercase().replace('-', "_"))
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such account; there are anthropic, twilio, twilio-api, ngrok, github, deepgram, links, push and lan")]
pub struct NoSuchAccount;

impl FromStr for Account {
    type Err = NoSuchAccount;
    fn from_str(name: &str) -> Result<Self, NoSuchAccount> {
        Account::ALL.iter().copied().find(|a| a.name() == name).ok_or(NoSuchAccount)
    }
}

/// Where a secret was found or put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Environment { variable: String },
    File { path: PathBuf },
    Keychain,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Environment { variable } => write!(f, "the environment variable {variable}"),
            Source::File { path } => write!(f, "the file {}", path.display()),
            Source::Keychain => f.write_str("the keychain"),
        }
    }
}

/// A secret and where it came from.
#[derive(Clone, Debug)]
pub struct Secret {
    pub value: SecretString,
    pub source: Source,
}

/// Where a new secret was put, and what hides it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub at: Source,
    /// An environment variable that is looked at first and so still wins.
    pub shadowed_by: Option<Source>,
}

/// The places where the owner's secrets are.
#[derive(Clone, Debug)]
pub struct Keychain {
    environment: HashMap<Account, SecretString>,
    file: Option<PathBuf>,
    system: system::System,
}

impl Keychain {
    /// The real places: this process's environment, the file the settings name (if any), the system's keychain.
    pub fn open(file: Option<PathBuf>) -> Self {
        Self::with_environment(|variable| std::env::var(variable).ok(), file)
    }

    /// The same with another environment, so that a test or a second profile need not change the process's own.
    pub fn with_environment(variable: impl Fn(&str) -> Option<String>, file: Option<PathBuf>) -> Self {
        let named = |account: &Account| {
            let value = variable(&account.variable())?;
            let value = value.trim();
            (!value.is_empty()).then(|| (*account, SecretString::from(value)))
        };
        Self { environment: Account::ALL.iter().filter_map(named).collect(), file, system: system::System::default() }
    }

    /// Waits this long for the system's keychain instead of [`PATIENCE`].
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.system.patience = patience;
        self
    }

    /// The account's secret from the first place that has it.
    pub async fn get(&self, account: Account) -> Result<Secret, KeychainError> {
        if let Some(value) = self.environment.get(&account) {
            let source = Source::Environment { variable: account.variable() };
            return Ok(Secret { value: value.clone(), source });
        }
        if let Some(path) = &self.file
            && let Some(value) = file::read(path, account)?
        {
            return Ok(Secret { value, source: Source::File { path: path.clone() } });
        }
        match self.system.get(account).await {
            Ok(value) => Ok(Secret { value, source: Source::Keychain }),
            // On a server the file is the place; that there is no keychain as well is not news.
            Err(e) if self.file.is_some() && e.is_absent() => Err(KeychainError::Missing { account }),
            Err(e) => Err(e),
        }
    }

    /// Keeps a secret: in the file if the settings name one, else in the system's keychain.
    pub async fn set(&self, account: Account, value: SecretString) -> Result<Kept, KeychainError> {
        let at = match &self.file {
            Some(path) => {
                file::write(path, account, Some(&value))?;
                Source::File { path: path.clone() }
            }
            None => {
                self.system.set(account, value).await?;
                Source::Keychain
            }
        };
        let shadow = self.environment.contains_key(&account);
        Ok(Kept { at, shadowed_by: shadow.then(|| Source::Environment { variable: account.variable() }) })
    }

    /// Forgets a secret where [`Keychain::set`] would put it. Fine if it is not there.
    pub async fn delete(&self, account: Account) -> Result<(), KeychainError> {
        match &self.file {
            Some(path) => file::write(path, account, None),
            None => self.system.delete(account).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn file_with(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[tokio::test]
    async fn the_environment_wins_over_the_file_and_says_so() {
        let (_dir, path) = file_with("anthropic = 'from-file'\ntwilio = 'token'\n", 0o600);
        let env = |name: &str| (name == "LANYARD_ANTHROPIC_KEY").then(|| " from-env\n".to_owned());
        let keychain = Keychain::with_environment(env, Some(path.clone()));

        let anthropic = keychain.get(Account::Anthropic).await.unwrap();
        assert_eq!(anthropic.value.expose_secret(), "from-env");
        assert_eq!(anthropic.source.to_string(), "the environment variable LANYARD_ANTHROPIC_KEY");
        let twilio = keychain.get(Account::Twilio).await.unwrap();
        assert_eq!((twilio.value.expose_secret(), twilio.source), ("token", Source::File { path }));
        let kept = keychain.set(Account::Anthropic, "new".into()).await.unwrap();
        assert!(kept.shadowed_by.is_some());
    }

    #[tokio::test]
    async fn a_file_that_others_can_read_is_refused_with_what_to_do() {
        let (_dir, path) = file_with("anthropic = 'x'", 0o640);
        let refused = Keychain::with_environment(|_| None, Some(path)).get(Account::Anthropic).await.unwrap_err();
        assert_eq!(refused.code(), domain::Code::KeychainUnavailable);
        assert!(
            refused.problem(Account::Anthropic).suggestion.starts_with("chmod 600 "),
            "{}",
            refused.problem(Account::Anthropic)
        );
    }

    #[tokio::test]
    async fn a_broken_file_is_named_by_line_and_its_words_are_not_repeated() {
        let (_dir, path) = file_with("anthropic = 'fine'\ntwilio = sk-hidden\n", 0o600);
        let broken = Keychain::with_environment(|_| None, Some(path)).get(Account::Twilio).await.unwrap_err();
        assert!(broken.to_string().contains("line 2"), "{broken}");
        assert!(!format!("{broken:?} {}", broken.problem(Account::Anthropic)).contains("hidden"));
    }

    #[tokio::test]
    async fn a_secret_put_into_the_file_comes_back_and_the_file_stays_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep").join("secrets.toml");
        let keychain = Keychain::with_environment(|_| None, Some(path.clone()));
        keychain.set(Account::Twilio, "a'b\"c".into()).await.unwrap();
        keychain.set(Account::Ngrok, "n".into()).await.unwrap();

        assert_eq!(keychain.get(Account::Twilio).await.unwrap().value.expose_secret(), "a'b\"c");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        keychain.delete(Account::Ngrok).await.unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("ngrok"));
    }

    #[test]
    fn every_account_has_a_name_and_a_variable_of_its_own() {
        for account in Account::ALL {
            assert_eq!(account.name().parse(), Ok(*account));
        }
        assert_eq!(Account::TwilioApi.variable(), "LANYARD_TWILIO_API_KEY");
        assert_eq!("aws".parse::<Account>(), Err(NoSuchAccount));
    }

    #[test]
    fn the_way_out_names_the_variable_of_the_account_or_none_where_nobody_could_set_it() {
        let suggestion = |account| KeychainError::NoBus("x".into()).problem(account).suggestion;
        for account in Account::ALL.iter().copied() {
            let (said, variable) = (suggestion(account), account.variable());
            assert!(said.contains("file of mode 0600"), "{said}");
            assert_eq!(said.contains(&variable), !account.is_own(), "{said}");
            assert!(account == Account::Anthropic || !said.contains("ANTHROPIC"), "{said}");
        }
    }
}
