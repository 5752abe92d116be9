//! The tunnel and the number's webhook, as the gateway that runs knows them.

use super::{Finding, Fix, broken, note, well};
use crate::{address::Number, gateway::App};
use domain::{Address, Code, Problem, phone_number::Network};
use std::time::SystemTime;
use tunnel::TunnelStatus;

/// How the tunnel stands, and whether ngrok's own page is before ours. Nothing while it is off.
pub fn findings(app: &App) -> Vec<Finding> {
    let status = app.address.status().borrow().clone();
    let words = status.in_words(SystemTime::now());
    let stands = match status {
        TunnelStatus::Off => return Vec::new(),
        TunnelStatus::Open { .. } => well("tunnel", words),
        TunnelStatus::Connecting { why: None, .. } => note("tunnel", words, "It is tried again by itself."),
        TunnelStatus::Connecting { why: Some(why), .. } | TunnelStatus::Refused { why, .. } => {
            broken("tunnel", why).by(Fix::TunnelOn)
        }
    };
    let page = app.address.page_in_the_way().then(|| Problem::from(Code::TunnelPageInTheWay));
    std::iter::once(stands).chain(page.map(|page| note("page", page.message, page.suggestion))).collect()
}

/// Is the number's webhook ours?
pub async fn webhook(app: &App) -> Finding {
    let (Some(texting), Some(url)) = (app.texting.now(), app.address.url()) else {
        return note(
            "webhook",
            "There is no public address for Twilio to post to.",
            "Open the tunnel (lanyard tunnel on), or set server.public_url in the config.",
        )
        .by(Fix::TunnelOn);
    };
    if let Number::Failed { why } = app.address.number() {
        return broken("webhook", failed(why)).by(Fix::SetWebhook);
    }
    let wanted = format!("{url}/sms");
    let numbers = match texting.twilio.numbers().await {
        Ok(numbers) => numbers,
        Err(e) => return broken("webhook", Problem::with_detail(e.code(), e)),
    };
    let from = texting.settings.from.parse::<Address>().ok();
    let own = from.as_ref().and_then(|from| numbers.iter().find(|own| own.phone_number == from.number));
    match own.map(|own| own.sms_url.as_deref().and_then(|set| set.split('#').next()) == Some(wanted.as_str())) {
        Some(true) => well("webhook", leads_here(&app.address.number())),
        Some(false) => {
            note("webhook", "The number's webhook leads elsewhere.", format!("Set it to {wanted} in Twilio's console."))
                .by(Fix::SetWebhook)
        }
        None => not_a_number_of_ours(from.as_ref(), &wanted),
    }
}

fn leads_here(number: &Number) -> String {
    match number {
        Number::Proved => "The number's webhook leads here: a signed request was taken, a wrongly signed one refused.",
        Number::Untouched | Number::Failed { .. } => "The number's webhook leads here.",
    }
    .to_owned()
}

/// Its usual way forward is to come here.
fn failed(why: Problem) -> Problem {
    match why.code {
        Code::WebhookUnproved => why.suggest("Mend what else is named here; lanyard tunnel on then tries again."),
        _ => why,
    }
}

fn not_a_number_of_ours(from: Option<&Address>, wanted: &str) -> Finding {
    let elsewhere = |what| note("webhook", what, format!("Check that it is {wanted}, with POST."));
    match from.map(|from| from.network) {
        None => elsewhere("The Messaging Service has a webhook of its own, in Twilio's console under its integration."),
        Some(Network::Whatsapp) => {
            elsewhere("The WhatsApp sender has a webhook of its own, in Twilio's console under WhatsApp senders.")
        }
        Some(Network::Sms) => note("webhook", "The number is not one of the account's own.", "Check twilio.from."),
    }
}
