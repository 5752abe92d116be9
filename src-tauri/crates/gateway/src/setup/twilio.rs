//! Twilio from an account to a number that leads here. What is chosen is written as any setting is, and holds at once.

use super::numbers::{self, Known};
use crate::{
    address,
    config::Refused,
    gateway::App,
    secrets::accounts::{keep, twilio_account, twilio_client, twilio_problem},
    settings,
    wire::desk::{TwilioAccountShown, TwilioAccountWish, TwilioNumber, TwilioSaved, WebhookShown},
};
use accounts::{
    keychain::Account,
    twilio::{CallError, Twilio},
};
use domain::{Address, Code, PhoneNumber, Problem};
use serde_json::json;

/// Asks Twilio about the account; one that it knows is kept.
///
/// # Errors
/// `TWILIO_REFUSED`, `TWILIO_UNREACHABLE`, `CONFIG_INVALID`, and what keeps the token from being kept: nothing is changed then.
pub async fn account(app: &App, wish: &TwilioAccountWish) -> Result<TwilioAccountShown, Problem> {
    let token = match &wish.auth_token {
        Some(token) => token.clone(),
        None => app.secrets.get(Account::Twilio).await.map_err(|e| e.problem(Account::Twilio))?,
    };
    let written = settings::file(app)?.written.twilio;
    let sid = wish.account_sid.trim();
    let found = twilio_account(sid, &written.base_url, &token).await?;
    if wish.auth_token.is_some() {
        keep(app, Account::Twilio, &token, false).await?;
    }
    // A number of another account would be refused at the next text.
    let from = if written.account_sid == sid { json!(written.from) } else { json!("") };
    let patch = json!({ "twilio": { "account_sid": sid, "from": from } });
    settings::change(app, &patch).await?;
    let says = match (found.status.as_str(), found.kind.as_str()) {
        ("active", "Trial") => Some(
            "A trial account texts numbers that are verified in Twilio's console, and puts words of \
                                     its own before each text.",
        ),
        ("active", _) => None,
        _ => Some("Twilio does not let this account text. Look at it in Twilio's console; it may need money."),
    };
    let says = says.map(str::to_owned);
    Ok(TwilioAccountShown { friendly_name: found.friendly_name, status: found.status, kind: found.kind, says })
}

/// The account that is in the config, with or without a number.
async fn client(app: &App) -> Result<(Twilio, String), Problem> {
    let written = settings::file(app)?.written.twilio;
    if written.account_sid.is_empty() {
        return Err(Problem::from(Code::TwilioMissing).suggest("Enter the account's SID and auth token first."));
    }
    let token = app.secrets.get(Account::Twilio).await.map_err(|e| e.problem(Account::Twilio))?;
    Ok((twilio_client(&written.account_sid, &written.base_url, &token)?, written.from))
}

/// The account's numbers, those that can text first, each with how it is registered.
///
/// # Errors
/// `TWILIO_MISSING`, `TWILIO_REFUSED`, `TWILIO_UNREACHABLE`.
pub async fn numbers(app: &App) -> Result<Vec<TwilioNumber>, Problem> {
    let (twilio, ours) = client(app).await?;
    let (own, campaigns, toll_free) = tokio::join!(twilio.numbers(), twilio.campaigns(), twilio.toll_free());
    let known = Known { campaigns: told(campaigns), toll_free: told(toll_free) };
    let own = own.map_err(|e| twilio_problem(&e))?;
    let mut shown: Vec<TwilioNumber> = own.iter().map(|number| numbers::shown(number, &known, &ours)).collect();
    shown.sort_by_key(|number| (!number.ours, !number.sms, number.number.clone()));
    Ok(shown)
}

/// A key that may not read registrations is no reason to show no numbers.
fn told<T>(asked: Result<T, CallError>) -> Option<T> {
    asked.inspect_err(|e| tracing::warn!(error = ?e, "Twilio did not say how numbers are registered")).ok()
}

/// Texts come and go by this number from now on.
///
/// # Errors
/// `BAD_REQUEST` for one that is not the account's or cannot text; as [`numbers`].
pub async fn choose(app: &App, number: &str) -> Result<TwilioSaved, Problem> {
    let number: PhoneNumber = number.parse().map_err(|e| Problem::with_detail(Code::BadRequest, e))?;
    let (twilio, _) = client(app).await?;
    let own = twilio.numbers().await.map_err(|e| twilio_problem(&e))?;
    let refuse = |why: &str| Problem::with_detail(Code::BadRequest, why).suggest("Choose one from the list.");
    match own.iter().find(|own| own.phone_number == number) {
        None => return Err(refuse("The number is not in this account.")),
        Some(own) if !own.capabilities.sms => return Err(refuse("The number cannot text.")),
        Some(_) => {}
    }
    saved(app, &json!({ "twilio": { "from": number.as_str() } })).await
}

/// Who may text Lanyard from now on, all of them.
///
/// # Errors
/// `CONFIG_INVALID` for what is no number, or our own.
pub async fn allow(app: &App, numbers: &[String]) -> Result<TwilioSaved, Problem> {
    let own = settings::file(app)?.written.twilio.from.parse::<Address>().ok();
    let mut allowed: Vec<String> = Vec::new();
    for written in numbers {
        let address =
            written.parse::<Address>().map_err(|e| Problem::with_detail(Code::ConfigInvalid, format!("{e}.")))?;
        if own.as_ref().is_some_and(|own| own.number == address.number) {
            let why = "That is the Twilio number itself; it cannot text itself.";
            return Err(Problem::with_detail(Code::ConfigInvalid, why).suggest("Add your own mobile number."));
        }
        if !allowed.contains(&address.number.as_str().to_owned()) {
            allowed.push(address.number.as_str().to_owned());
        }
    }
    saved(app, &json!({ "twilio": { "allow": allowed } })).await
}

async fn saved(app: &App, patch: &serde_json::Value) -> Result<TwilioSaved, Problem> {
    let settings = settings::change(app, patch).await.map_err(|Refused { problem, .. }| problem)?;
    let twilio = settings::file(app)?.written.twilio;
    let (account_sid, number, allow) = (twilio.account_sid, twilio.from, twilio.allow);
    Ok(TwilioSaved { account_sid, number, allow, restart_needed: settings.restart_needed })
}

/// Leads the number here and proves it.
///
/// # Errors
/// As [`address::lead_now`]; a step that failed is in the answer.
pub async fn webhook(app: &App) -> Result<WebhookShown, Problem> {
    let led = address::lead_now(app).await?;
    let says = match &led.why {
        None => "Texts to the number lead here: a rightly signed request was taken, a wrongly signed one refused."
            .to_owned(),
        Some(why) => why.message.clone(),
    };
    Ok(WebhookShown {
        set: led.set,
        accepted: led.accepted,
        refused: led.refused,
        says,
        problem: led.why.map(Into::into),
    })
}
