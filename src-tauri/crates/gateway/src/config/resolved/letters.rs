//! What goes to the owner's phones: texts and pushes.

use super::{Refused, base_url, wrong};
use crate::config::{Written, written};
use domain::{Address, PhoneNumber};
use std::time::Duration;
use url::Url;

#[derive(Clone, Debug)]
pub struct TwilioSettings {
    pub account_sid: String,
    pub from: String,
    pub allow: Vec<PhoneNumber>,
    pub base_url: Url,
}

#[derive(Clone, Copy, Debug)]
pub struct SmsSettings {
    pub segments: usize,
    pub per_minute: u32,
    /// Questions and pictures that agents may have texted to one number within an hour.
    pub agent_per_hour: usize,
    pub link_life: Duration,
    pub picture_life: Duration,
}

#[derive(Clone, Debug)]
pub struct PushSettings {
    /// How long a push waits to be shown before a text goes.
    pub text_after: Duration,
    /// `mailto:` or `https:`.
    pub contact: Option<String>,
    /// A push service that need not be out in the world.
    pub base_url: Option<Url>,
}

pub(super) fn twilio(t: &written::Twilio) -> Result<Option<TwilioSettings>, Refused> {
    if t.account_sid.is_empty() {
        return Ok(None);
    }
    let sid =
        |s: &str, prefix: &str| s.len() == 34 && s.starts_with(prefix) && s[2..].bytes().all(|b| b.is_ascii_hexdigit());
    if !sid(&t.account_sid, "AC") {
        return Err(wrong(
            "twilio.account_sid",
            "it is AC and 32 hex digits",
            "Copy it from the first page of Twilio's console.",
        ));
    }
    // An account whose number is not chosen yet.
    let chosen = !t.from.is_empty();
    if chosen && !sid(&t.from, "MG") && t.from.parse::<Address>().is_err() {
        return Err(wrong(
            "twilio.from",
            "it is a number, a whatsapp: address or MG and 32 hex digits",
            "Write it as in +15551230000.",
        ));
    }
    let settings = TwilioSettings {
        account_sid: t.account_sid.clone(),
        from: t.from.clone(),
        allow: numbers("twilio.allow", &t.allow)?,
        base_url: base_url("twilio.base_url", &t.base_url)?,
    };
    Ok(chosen.then_some(settings))
}

fn numbers(key: &str, written: &[String]) -> Result<Vec<PhoneNumber>, Refused> {
    let number = |n: &String| {
        n.parse::<Address>().map(|a| a.number).map_err(|e| wrong(key, e, "Write each as in +15551230001."))
    };
    written.iter().map(number).collect()
}

/// Whose texts may say yes.
pub(super) fn approvers(w: &Written) -> Result<Vec<PhoneNumber>, Refused> {
    const KEY: &str = "approvals.approvers";
    let (approvers, may_text) = (numbers(KEY, &w.approvals.approvers)?, numbers("twilio.allow", &w.twilio.allow)?);
    match approvers.iter().find(|number| !may_text.contains(number)) {
        Some(number) => Err(wrong(KEY, format!("{number} may not text"), "Put it into twilio.allow too.")),
        None => Ok(approvers),
    }
}

pub(super) fn push(w: &Written) -> Result<PushSettings, Refused> {
    let contact = Some(&w.push.contact).filter(|contact| !contact.is_empty());
    let contact = contact.or(Some(&w.server.public_url).filter(|url| url.starts_with("https:")));
    if contact.is_some_and(|contact| !contact.starts_with("mailto:") && !contact.starts_with("https:")) {
        return Err(wrong(
            "push.contact",
            "it is a mailto: or https: address",
            "Write it as in mailto:me@example.com.",
        ));
    }
    let service = Some(&w.push.base_url).filter(|url| !url.is_empty());
    Ok(PushSettings {
        text_after: Duration::from_secs(w.push.text_after.clamp(1, 86_400)),
        contact: contact.cloned(),
        base_url: service.map(|url| base_url("push.base_url", url)).transpose()?,
    })
}
