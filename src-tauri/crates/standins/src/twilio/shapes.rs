//! Resources as JSON: strings where Twilio has strings, dates in RFC 2822, paths relative to its host.

use super::{
    ACCOUNT, Direction, Message,
    world::{Media, Number, World},
};
use domain::{Timestamp, segments};
use serde_json::{Value, json};

const VERSION: &str = "2010-04-01";

fn date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

pub(super) fn message(m: &Message) -> Value {
    let path = |rest: &str| World::resource(&format!("/Messages/{}{rest}", m.sid));
    let count = m.media.iter().filter(|media| !media.deleted).count().max(m.media_urls.len());
    let chosen = m.from.is_some();
    let segments = if chosen { segments::count(&m.body).segments } else { 0 };
    json!({
        "body": m.body,
        "num_segments": segments.to_string(),
        "direction": direction(m.direction),
        "from": m.from,
        "date_updated": date(m.updated_at),
        "price": null,
        "error_message": m.error.map(super::fault::sentence),
        "uri": path(".json"),
        "account_sid": ACCOUNT,
        "num_media": count.to_string(),
        "to": m.to,
        "date_created": date(m.created_at),
        "status": m.status,
        "sid": m.sid,
        "date_sent": m.sent_at.map(date),
        "messaging_service_sid": m.service,
        "error_code": m.error,
        "price_unit": "USD",
        "api_version": VERSION,
        "subresource_uris": { "media": path("/Media.json"), "feedback": path("/Feedback.json") },
    })
}

fn direction(d: Direction) -> &'static str {
    match d {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound-api",
        Direction::Reply => "outbound-reply",
    }
}

pub(super) fn media(m: &Message, media: &Media) -> Value {
    json!({
        "account_sid": ACCOUNT,
        "content_type": media.media_type,
        "date_created": date(m.created_at),
        "date_updated": date(m.created_at),
        "parent_sid": m.sid,
        "sid": media.sid,
        "uri": World::resource(&format!("/Messages/{}/Media/{}.json", m.sid, media.sid)),
    })
}

pub(super) fn number(n: &Number) -> Value {
    let started = date(Timestamp(1_700_000_000_000));
    json!({
        "account_sid": ACCOUNT,
        "address_sid": null,
        "address_requirements": "none",
        "api_version": VERSION,
        "beta": false,
        "capabilities": { "voice": true, "sms": true, "mms": true, "fax": false },
        "date_created": started,
        "date_updated": started,
        "friendly_name": n.number,
        "identity_sid": null,
        "phone_number": n.number,
        "origin": "twilio",
        "sid": n.sid,
        "sms_application_sid": n.application,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": n.sms_method,
        "sms_url": n.sms_url,
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": null,
        "uri": World::resource(&format!("/IncomingPhoneNumbers/{}.json", n.sid)),
        "voice_receive_mode": "voice",
        "voice_application_sid": null,
        "voice_caller_id_lookup": false,
        "voice_fallback_method": "POST",
        "voice_fallback_url": null,
        "voice_method": "POST",
        "voice_url": null,
        "emergency_status": "Inactive",
        "emergency_address_sid": null,
        "emergency_address_status": "unregistered",
        "bundle_sid": null,
        "status": "in-use",
    })
}

pub(super) fn account(trial: bool) -> Value {
    let started = date(Timestamp(1_700_000_000_000));
    json!({
        "auth_token": "[Redacted]",
        "date_created": started,
        "date_updated": started,
        "friendly_name": "Stand-in",
        "owner_account_sid": ACCOUNT,
        "sid": ACCOUNT,
        "status": "active",
        "subresource_uris": { "messages": World::resource("/Messages.json") },
        "type": if trial { "Trial" } else { "Full" },
        "uri": World::resource(".json"),
    })
}

/// One page of a list under its plural name. `next` is the token of the next page.
pub(super) fn page(name: &str, items: Vec<Value>, path: &str, at: PageAt, next: Option<String>) -> Value {
    let PageAt { page, size, filters } = at;
    let query = |page: usize, token: &str| format!("{path}?{filters}PageSize={size}&Page={page}{token}");
    let start = page * size;
    json!({
        "end": (start + items.len()).saturating_sub(1),
        "first_page_uri": query(0, ""),
        "next_page_uri": next.map(|token| query(page + 1, &format!("&PageToken=PA{token}"))),
        "page": page,
        "page_size": size,
        "previous_page_uri": (page > 0).then(|| query(page - 1, "")),
        "start": start,
        "uri": query(page, ""),
        name: items,
    })
}

/// Where a page is in its list.
pub(super) struct PageAt {
    pub page: usize,
    pub size: usize,
    /// The filters as a query, each followed by `&`.
    pub filters: String,
}
