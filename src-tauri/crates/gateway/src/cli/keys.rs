//! Keeping secrets: read from standard input, never from the command line, which other users of the computer can see.

use super::client::LocalDoor;
use crate::{
    config::Resolved,
    secrets::{Secrets, device, signers},
};
use accounts::keychain::{Account, KeychainError};
use domain::{Code, Problem, shown::shown};
use secrecy::SecretString;
use std::io::{IsTerminal, Read};

pub async fn set(config: &Resolved, door: &LocalDoor, account: &str) -> Result<(), Problem> {
    let account = named(account)?;
    let elsewhere = |why: &str, instead: &str| Err(Problem::with_detail(Code::BadRequest, why).suggest(instead));
    match account {
        Account::Hosts => {
            let instead = "lanyard hosts secret NAME, with the name a rule of egress.credentials has.";
            return elsewhere("Credentials for other hosts are kept by name.", instead);
        }
        Account::Pin => return elsewhere("Only a hash of the PIN is kept.", "lanyard pin set"),
        _ => {}
    }
    let value = read_secret(account.name())?;
    let kept = Secrets::open(config).keychain().set(account, value).await.map_err(|e| e.problem(account))?;
    println!("Kept in {}.", kept.at);
    if let Some(shadow) = kept.shadowed_by {
        println!("But {shadow} comes first and is used as long as it is set.");
    }
    tell_the_running(door, account).await;
    Ok(())
}

/// By device flow: the owner types a short code on the forge's own page.
pub async fn sign_in(config: &Resolved, door: &LocalDoor, account: &str) -> Result<(), Problem> {
    let account = named(account)?;
    if account != Account::Github {
        let why = format!("{account} has no such sign-in.");
        return Err(Problem::with_detail(Code::BadRequest, why).suggest(format!("lanyard config set-key {account}")));
    }
    let flow = device::flow(&config.tasks)?;
    let begun = flow.begin(device::SCOPE).await.map_err(|e| device::refused(&e))?;
    let (place, code) = (shown(&begun.verification_uri), shown(&begun.user_code));
    println!("Open {place} and type {code}. It is good for {} minutes.", begun.expires_in / 60);
    let signed_in = flow.wait(&begun).await.map_err(|e| device::refused(&e))?;
    let keychain = Secrets::open(config);
    let kept = keychain.keychain().set(account, signed_in.token).await.map_err(|e| e.problem(account))?;
    println!("Signed in. The token is in {}.", kept.at);
    if let Some(seconds) = signed_in.expires_in {
        println!("{}", device::runs_out(seconds));
    }
    tell_the_running(door, account).await;
    Ok(())
}

pub async fn remove(config: &Resolved, door: &LocalDoor, account: &str) -> Result<(), Problem> {
    let account = named(account)?;
    Secrets::open(config).keychain().delete(account).await.map_err(|e| e.problem(account))?;
    println!("Forgotten.");
    tell_the_running(door, account).await;
    Ok(())
}

/// One of those that rules of `egress.credentials` name.
pub async fn set_for_host(config: &Resolved, door: &LocalDoor, name: &str, remove: bool) -> Result<(), Problem> {
    if name == Account::Github.name() {
        return if remove { self::remove(config, door, name).await } else { set(config, door, name).await };
    }
    let account = Account::Hosts;
    let secret = if remove { None } else { Some(read_secret(name)?) };
    let keychain = Secrets::open(config);
    let kept = match keychain.look(account).await {
        Ok(kept) => Some(kept.value),
        Err(KeychainError::Missing { .. }) => None,
        Err(e) => return Err(e.problem(account)),
    };
    let all = signers::with(kept.as_ref(), name, secret.as_ref())?;
    let kept = keychain.keychain().set(account, all).await.map_err(|e| e.problem(account))?;
    match remove {
        true => println!("Forgotten."),
        false => println!("Kept in {}.", kept.at),
    }
    tell_the_running(door, account).await;
    Ok(())
}

fn named(account: &str) -> Result<Account, Problem> {
    account.parse().map_err(|e| Problem::with_detail(Code::BadRequest, e).suggest("lanyard config set-key anthropic."))
}

pub(super) fn read_secret(account: &str) -> Result<SecretString, Problem> {
    let input = std::io::stdin();
    let text = if input.is_terminal() {
        let ask = console::Term::stderr();
        let _shown_or_not = ask.write_str(&format!("Secret for {account}: "));
        ask.read_secure_line().map_err(|e| Problem::with_detail(Code::BadRequest, e))?
    } else {
        let mut text = String::new();
        input.take(65_536).read_to_string(&mut text).map_err(|e| Problem::with_detail(Code::BadRequest, e))?;
        text
    };
    match text.trim() {
        "" => Err(Problem::with_detail(Code::BadRequest, "No secret came on standard input.")
            .suggest("Type it, or pipe it in: lanyard config set-key anthropic < file.")),
        secret => Ok(SecretString::from(secret.to_owned())),
    }
}

/// One that runs uses it as it is now; one that does not will.
async fn tell_the_running(door: &LocalDoor, account: Account) {
    let _not_running = door.post("/secrets/forget", &serde_json::json!({ "account": account.name() })).await;
}
