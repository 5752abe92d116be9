//! The owner's accounts, as they are shown, kept and tried. A secret goes in here and never comes out again.

use crate::{
    audit, config,
    gateway::App,
    sms::texting,
    tasks::forge_problem,
    wire::desk::{AccountChecked, AccountShown, AccountState, Checked},
};
use accounts::{
    anthropic::{self, KeyState, check_key},
    forge::{Forge, GitHub},
    keychain::{Account, Kept, KeychainError},
    twilio::{Credentials, Twilio, TwilioAccount, explain},
};
use domain::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::time::Duration;
use store::audit::Kind;
use tokio::time::timeout;

/// Those that something here uses; what Lanyard makes for itself is nobody's to change.
pub const OWNERS: [Account; 4] = [Account::Anthropic, Account::Ngrok, Account::Twilio, Account::Github];

/// A keychain that has not answered by then is shown as slow: it may be asking its owner something.
const LOOK: Duration = Duration::from_secs(3);
/// No secret is longer.
const LONGEST: usize = 8 * 1024;

/// The owner's account of this name.
///
/// # Errors
/// `NOT_FOUND`.
pub fn named(name: &str) -> Result<Account, Problem> {
    let found = OWNERS.into_iter().find(|account| account.name() == name);
    found.ok_or_else(|| Problem::with_detail(Code::NotFound, "There is no such account."))
}

/// All of them, each looked for where it is kept.
pub async fn all(app: &App) -> Vec<AccountShown> {
    futures::future::join_all(OWNERS.map(|account| shown(app, account))).await
}

/// One, from where it is kept.
pub async fn shown(app: &App, account: Account) -> AccountShown {
    let looked = timeout(LOOK, app.secrets.look(account)).await;
    let looked = looked.unwrap_or(Err(KeychainError::Silent { after: LOOK }));
    let (label, needed_for) = words(account);
    let (state, source, problem) = match looked {
        Ok(secret) => (AccountState::Kept, Some(secret.source.to_string()), None),
        Err(e) => (state_of(&e), None, Some(e.problem(account).into())),
    };
    let sign_in = account == Account::Github && app.config.tasks.github_app.is_some();
    let account = account.name().to_owned();
    AccountShown { account, label, state, source, problem, needed_for, checkable: true, sign_in }
}

fn words(account: Account) -> (&'static str, &'static str) {
    match account {
        Account::Anthropic => {
            ("Anthropic", "Agents: an API key, or a Claude subscription's token (claude setup-token).")
        }
        Account::Ngrok => ("ngrok", "The public address: texting, links, and phones away from home."),
        Account::Twilio => ("Twilio", "Texting: the account's auth token."),
        Account::TwilioApi => ("Twilio API key", "Nothing yet."),
        Account::Github => {
            ("GitHub", "Tasks: a fine-grained token that may read and write contents and pull requests.")
        }
        Account::Deepgram => ("Deepgram", "Nothing yet."),
        Account::Pin => ("PIN", "A yes from a phone, where approvals.pin_from wants one."),
        Account::Hosts => ("Other hosts", "Requests that egress.credentials is for."),
        Account::Links | Account::Push | Account::Lan | Account::Audit => {
            ("Lanyard's own", "Made by Lanyard for itself.")
        }
    }
}

fn state_of(e: &KeychainError) -> AccountState {
    match e {
        KeychainError::Missing { .. } => AccountState::Missing,
        KeychainError::Locked(_) => AccountState::Locked,
        KeychainError::NoBus(_) | KeychainError::NoService(_) => AccountState::Absent,
        KeychainError::Denied(_) | KeychainError::FileExposed { .. } => AccountState::Denied,
        KeychainError::Silent { .. } => AccountState::Slow,
        KeychainError::Failed(_) | KeychainError::FileBroken { .. } | KeychainError::FileUnusable { .. } => {
            AccountState::Failed
        }
    }
}

/// Asks the service first, unless that is not wished, and keeps only what it takes: a secret that works is not lost to one that
/// may not. What is kept holds at once.
///
/// # Errors
/// `BAD_REQUEST` for what can be no secret; `KEYCHAIN_UNAVAILABLE` and what to do, where it cannot be kept.
pub async fn keep(app: &App, account: Account, secret: &SecretString, check: bool) -> Result<AccountChecked, Problem> {
    let secret = trimmed(secret)?;
    let checked = match check {
        true => ask(app, account, &secret).await,
        false => Checked { ok: true, code: None, says: "It was kept without asking.".into(), suggestion: None },
    };
    if !checked.ok {
        let checked = not_kept(checked);
        return Ok(AccountChecked { account: shown(app, account).await, checked });
    }
    let kept = app.secrets.keep(account, &secret).await;
    if kept.is_ok() {
        audit::note(app, Kind::SecretChanged, json!({ "account": account.name() })).await;
    }
    let now = changed(app, account).await;
    let kept = kept.map_err(|e| e.problem(account))?;
    Ok(AccountChecked { account: now, checked: with_shadow(checked, &kept) })
}

/// Forgets it, at once.
///
/// # Errors
/// `KEYCHAIN_UNAVAILABLE` and what to do.
pub async fn remove(app: &App, account: Account) -> Result<AccountShown, Problem> {
    let removed = app.secrets.remove(account).await;
    if removed.is_ok() {
        audit::note(app, Kind::SecretChanged, json!({ "account": account.name(), "removed": true })).await;
    }
    let now = changed(app, account).await;
    removed.map(|()| now).map_err(|e| e.problem(account))
}

/// Asks the service about the one that is kept.
///
/// # Errors
/// What stands between Lanyard and the secret.
pub async fn check(app: &App, account: Account) -> Result<AccountChecked, Problem> {
    let secret = app.secrets.look(account).await.map_err(|e| e.problem(account))?.value;
    let checked = ask(app, account, &secret).await;
    Ok(AccountChecked { account: shown(app, account).await, checked })
}

fn trimmed(secret: &SecretString) -> Result<SecretString, Problem> {
    let text = secret.expose_secret().trim();
    let why = match text.len() {
        0 => "No secret came.",
        n if n > LONGEST => "No secret is that long.",
        _ if text.chars().any(|c| c.is_control() || c.is_whitespace()) => "A secret has no blanks and no line ends.",
        _ => return Ok(SecretString::from(text)),
    };
    Err(Problem::with_detail(Code::BadRequest, why).suggest("Copy it again, all of it and nothing else."))
}

/// What was kept before stands.
fn not_kept(checked: Checked) -> Checked {
    Checked { says: format!("{} It was not kept.", checked.says), ..checked }
}

/// An environment variable comes before whatever is kept.
fn with_shadow(checked: Checked, kept: &Kept) -> Checked {
    let Some(shadow) = &kept.shadowed_by else { return checked };
    let suggestion = Some(format!("Take {shadow} away: it comes first, and is used as long as it is set."));
    Checked { suggestion, ..checked }
}

/// What runs uses it as it is now. Gives how it is.
pub async fn changed(app: &App, account: Account) -> AccountShown {
    tracing::info!(%account, "an account's secret was changed");
    match account {
        Account::Anthropic => app.last_failure.forget(),
        Account::Ngrok => app.address.switch.open_anew(),
        Account::Twilio => texting::open_anew(app, app.texting.stands().settings().cloned()).await,
        _ => {}
    }
    let now = shown(app, account).await;
    if account == Account::Anthropic {
        app.looks.take_key(now.clone());
    }
    app.looks.forget();
    app.stream.ring();
    now
}

async fn ask(app: &App, account: Account, secret: &SecretString) -> Checked {
    match account {
        Account::Anthropic => anthropic(app, secret).await,
        Account::Ngrok => match tunnel::sign_in(app.address.way_to_ngrok(&app.config.tunnel, secret.clone())).await {
            Ok(()) => well("ngrok takes it: a session was begun with it and ended again."),
            Err(problem) => not(problem),
        },
        Account::Github => github(app, secret).await,
        _ => twilio(app, secret).await,
    }
}

async fn anthropic(app: &App, secret: &SecretString) -> Checked {
    let what = if anthropic::is_subscription(secret) { "subscription's token" } else { "key" };
    match check_key(&app.config.model_base, secret).await {
        Ok(state) => match taken(&state, what) {
            Some(says) => well(says),
            None => not(Problem::from(Code::KeyRefused)
                .suggest("Copy it again from console.anthropic.com, or from what claude setup-token prints.")),
        },
        Err(e) => not(Problem::with_detail(e.code(), "It could not be checked.")),
    }
}

/// At the place where github.com's interface is.
async fn github(app: &App, secret: &SecretString) -> Checked {
    let Some(forge) = app.config.tasks.forges.iter().find(|forge| forge.host == "github.com") else {
        return well("It was not asked: github.com is no forge of the config.");
    };
    let asked = async { GitHub::new(&forge.api, secret)?.whoami().await };
    match asked.await {
        Ok(login) => well(format!("GitHub takes it: it is {}'s.", domain::shown::shown_line(&login.login, 60))),
        Err(e) => not(forge_problem(&e)),
    }
}

/// What Anthropic says of a secret that it does not refuse.
pub fn taken(state: &KeyState, what: &str) -> Option<String> {
    match state {
        KeyState::Works => Some(format!("Anthropic takes the {what}.")),
        KeyState::Busy => Some(format!("Anthropic is busy; it read the {what} and did not refuse it.")),
        KeyState::Narrow => {
            Some(format!("Anthropic knows the {what}. It is for Claude Code alone; the first turn proves it."))
        }
        KeyState::Refused | KeyState::Forbidden => None,
    }
}

/// By the account in the config file, which may have no number yet.
async fn twilio(app: &App, secret: &SecretString) -> Checked {
    let written = match config::read(&app.paths.config) {
        Ok(written) => written.twilio,
        Err(problem) => return not(problem),
    };
    if written.account_sid.is_empty() {
        return well("It was not asked: the account's SID is not set yet.");
    }
    match twilio_account(&written.account_sid, &written.base_url, secret).await {
        Ok(account) => {
            well(format!("Twilio takes it: the account \"{}\" is {}.", account.friendly_name, account.status))
        }
        Err(problem) => not(problem),
    }
}

/// What Twilio says of this account and its token.
///
/// # Errors
/// `TWILIO_REFUSED` with what its number means; `TWILIO_UNREACHABLE`; `CONFIG_INVALID` for what is no account's id.
pub async fn twilio_account(
    account_sid: &str,
    base_url: &str,
    token: &SecretString,
) -> Result<accounts::twilio::AccountState, Problem> {
    let client = twilio_client(account_sid, base_url, token)?;
    client.account().await.map_err(|e| twilio_problem(&e))
}

/// # Errors
/// `CONFIG_INVALID` for what is no account's id or no address.
pub fn twilio_client(account_sid: &str, base_url: &str, token: &SecretString) -> Result<Twilio, Problem> {
    let api = base_url.parse().map_err(|e| Problem::with_detail(Code::ConfigInvalid, e))?;
    let credentials = Credentials::AuthToken(token.clone());
    let account = TwilioAccount { account_sid: account_sid.to_owned(), api, credentials };
    Twilio::new(account).map_err(|e| {
        Problem::with_detail(e.code(), format!("{e}.")).suggest("Copy it from the first page of Twilio's console.")
    })
}

/// A failed call with Twilio's own number in plain words.
pub fn twilio_problem(e: &accounts::twilio::CallError) -> Problem {
    let problem = Problem::with_detail(e.code(), format!("{e}."));
    let accounts::twilio::CallError::Refused(refusal) = e else { return problem };
    match refusal.code.and_then(explain) {
        Some(known) => problem.suggest(known.words),
        None => problem,
    }
}

fn well(says: impl Into<String>) -> Checked {
    Checked { ok: true, code: None, says: says.into(), suggestion: None }
}

fn not(problem: Problem) -> Checked {
    Checked { ok: false, code: Some(problem.code), says: problem.message, suggestion: Some(problem.suggestion) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owners_accounts_are_named() {
        assert_eq!(named("github"), Ok(Account::Github));
        for own in ["links", "push", "lan", "deepgram", "nobody"] {
            assert_eq!(named(own).unwrap_err().code, Code::NotFound);
        }
    }

    #[test]
    fn a_secret_is_taken_without_what_was_copied_around_it() {
        let taken = |text: &str| trimmed(&text.into()).map(|secret| secret.expose_secret().to_owned());
        assert_eq!(taken("  sk-ant-1\n"), Ok("sk-ant-1".to_owned()));
        for wrong in ["", " \n", "two words", "a\nb", &"x".repeat(LONGEST + 1)] {
            assert_eq!(taken(wrong).unwrap_err().code, Code::BadRequest);
        }
    }

    #[test]
    fn each_trouble_of_a_keychain_has_a_state_and_a_way_forward() {
        let states = [
            (KeychainError::Missing { account: Account::Ngrok }, AccountState::Missing),
            (KeychainError::Locked("x".into()), AccountState::Locked),
            (KeychainError::NoBus("x".into()), AccountState::Absent),
            (KeychainError::NoService("x".into()), AccountState::Absent),
            (KeychainError::Denied("x".into()), AccountState::Denied),
            (KeychainError::Silent { after: LOOK }, AccountState::Slow),
            (KeychainError::Failed("x".into()), AccountState::Failed),
        ];
        for (e, state) in states {
            assert_eq!(state_of(&e), state);
            assert!(e.problem(Account::Ngrok).suggestion.len() > 10, "{e}");
        }
    }
}
