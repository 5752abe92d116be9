//! Twilio's number is led to the address through Twilio's API, and that is proved from outside: a request that Twilio's
//! token signed is taken, one that another token signed is refused.

use crate::{gateway::App, sms::texting::Texting};
use accounts::{SecretString, twilio::Signer};
use domain::{Address, Code, PhoneNumber, Problem, phone_number::Network};
use serde::Serialize;
use store::facts;
use url::Url;

/// Five tries of Twilio's own within its 15 s, whatever went wrong: a link that is being replaced is back within them.
const RETRY: &str = "rc=5&rp=all";
/// Twilio's number for tests; no phone has it, so that the proof becomes nobody's message.
const NOBODY: &str = "+15005550006";

/// What became of the number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Number {
    /// Nothing was asked of it: no tunnel, no Twilio, or a sender whose webhook is not a number's.
    #[default]
    Untouched,
    /// It leads here; a signed request was taken and a wrongly signed one refused.
    Proved,
    Failed {
        why: Problem,
    },
}

/// How far leading the number here came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Led {
    /// Twilio posts to this address now.
    pub set: bool,
    /// A rightly signed request was taken.
    pub accepted: bool,
    /// A wrongly signed one was refused.
    pub refused: bool,
    /// What is in the way of the first that is not so.
    pub why: Option<Problem>,
}

/// Leads the number to `url` and proves it, where the config lets that happen by itself. What comes of it is kept for
/// whoever looks.
pub async fn lead(app: &App, url: &str) {
    let Some(texting) = app.texting.now() else { return };
    if let Some(number) = own_number(&texting).filter(|_| app.config.tunnel.set_webhook) {
        keep(app, url, &number, steps(app, &texting, &number, url).await).await;
    }
}

/// The same at the owner's wish, whatever the config lets happen by itself and however the address came to be.
///
/// # Errors
/// `TWILIO_MISSING`; `WEBHOOK_UNPROVED` without a public address; `BAD_REQUEST` for a sender whose webhook is not a number's.
pub async fn lead_now(app: &App) -> Result<Led, Problem> {
    let texting = app.texting.now().ok_or(Code::TwilioMissing)?;
    let url = app.address.url().ok_or_else(no_address)?;
    let number = own_number(&texting).ok_or_else(|| {
        let why = "A Messaging Service and a WhatsApp sender have webhooks of their own.";
        Problem::with_detail(Code::BadRequest, why)
            .suggest(format!("Set it to {url}/sms in Twilio's console, with POST."))
    })?;
    let led = steps(app, &texting, &number, &url).await;
    keep(app, &url, &number, led.clone()).await;
    Ok(led)
}

fn no_address() -> Problem {
    Problem::with_detail(Code::WebhookUnproved, "There is no public address for Twilio to post to.")
        .suggest("Open the tunnel first (lanyard tunnel on).")
}

/// None for a sender whose webhook is not a number's.
fn own_number(texting: &Texting) -> Option<PhoneNumber> {
    let from = texting.settings.from.parse::<Address>().ok()?;
    (from.network == Network::Sms).then_some(from.number)
}

/// What is remembered of a number that leads to `url`.
pub fn proof(from: &PhoneNumber, url: &str) -> String {
    format!("{from} {url}")
}

async fn keep(app: &App, url: &str, own: &PhoneNumber, led: Led) {
    let proof = if led.why.is_none() { proof(own, url) } else { String::new() };
    if let Err(e) = app.store.write(move |tx| facts::set(tx, facts::NUMBER_LED, &proof)).await {
        tracing::warn!(error = ?e, "what became of the number is not remembered over a restart");
    }
    let number = match led.why {
        None => Number::Proved,
        Some(why) => {
            tracing::warn!(code = %why.code, "Twilio's number could not be led here");
            Number::Failed { why }
        }
    };
    if app.address.url().as_deref() == Some(url) {
        app.address.number.send_replace(number);
        app.stream.ring();
    }
}

async fn steps(app: &App, texting: &Texting, number: &PhoneNumber, url: &str) -> Led {
    let mut led = Led::default();
    led.why = go(app, texting, number, url, &mut led).await.err();
    led
}

async fn go(app: &App, texting: &Texting, number: &PhoneNumber, url: &str, led: &mut Led) -> Result<(), Problem> {
    let webhook = Url::parse(&format!("{url}/sms#{RETRY}")).map_err(|e| Problem::with_detail(Code::Internal, e))?;
    texting.twilio.set_webhook(number, &webhook).await.map_err(|e| Problem::with_detail(e.code(), e))?;
    led.set = true;
    expect(app, &texting.signer, texting, url, 200).await?;
    led.accepted = true;
    expect(app, &Signer::new(&SecretString::from("not the account's token")), texting, url, 403).await?;
    led.refused = true;
    Ok(())
}

async fn expect(app: &App, signer: &Signer, texting: &Texting, url: &str, expected: u16) -> Result<(), Problem> {
    let status = post(app, signer, texting, url).await?;
    if status == expected {
        return Ok(());
    }
    let why = format!("A test request to the number's webhook was answered {status} where {expected} is right.");
    Err(Problem::with_detail(Code::WebhookUnproved, why))
}

async fn post(app: &App, signer: &Signer, texting: &Texting, url: &str) -> Result<u16, Problem> {
    let sid = format!("SM{}", uuid::Uuid::new_v4().simple());
    let (account, to) = (texting.settings.account_sid.as_str(), texting.settings.from.as_str());
    let fields =
        [("MessageSid", sid.as_str()), ("AccountSid", account), ("From", NOBODY), ("To", to), ("NumMedia", "0")];
    let address = format!("{url}/sms");
    let (visitor, signature) = (app.config.tunnel.visitor(), signer.sign_form(&address, &fields));
    let _wrongly_signed_it_is_ours_still = app.refusals.expect(&signature);
    let posted = visitor.post_form(&address, &fields, &signature).await;
    posted.map_err(|e| Problem::with_detail(Code::WebhookUnproved, e))
}
