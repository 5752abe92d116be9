//! What `messaging.twilio.com/v1` knows of campaigns and verifications, with its own paging and its ISO dates.

use super::{
    ACCOUNT, SERVICE,
    fault::not_found,
    rest::Shared,
    world::{State as Known, World},
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::Uri,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::sync::Arc;

const DATE: &str = "2023-11-14T22:13:20Z";
const CAMPAIGN: &str = "QEdddddddddddddddddddddddddddddddd";
const BRAND: &str = "BNeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
const PROFILE: &str = "BUffffffffffffffffffffffffffffffff";

/// A campaign of the one service.
#[derive(Clone)]
pub(super) struct Campaign {
    pub status: String,
    pub errors: Vec<String>,
}

/// A toll-free number's verification.
#[derive(Clone)]
pub(super) struct Verification {
    pub number: String,
    pub status: String,
    pub reason: Option<String>,
}

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/Services", get(services))
        .route("/v1/Services/{service}/PhoneNumbers", get(senders))
        .route("/v1/Services/{service}/Compliance/Usa2p", get(campaigns))
        .route("/v1/Tollfree/Verifications", get(verifications))
}

async fn services(State(world): Shared) -> Response {
    let registered = world.read(|state| state.campaign.as_ref().is_some_and(|c| c.status == "VERIFIED"));
    page(&world, "services", "/v1/Services", vec![service(&world, registered)])
}

async fn senders(State(world): Shared, Path(asked): Path<String>, uri: Uri) -> Response {
    if asked != SERVICE {
        return not_found(uri.path());
    }
    let items = world.read(|state| state.senders.iter().filter_map(|n| sender(&world, state, n)).collect());
    page(&world, "phone_numbers", &format!("/v1/Services/{SERVICE}/PhoneNumbers"), items)
}

async fn campaigns(State(world): Shared, Path(asked): Path<String>, uri: Uri) -> Response {
    if asked != SERVICE {
        return not_found(uri.path());
    }
    let items = world.read(|state| state.campaign.iter().map(|c| campaign(&world, c)).collect());
    page(&world, "compliance", &format!("/v1/Services/{SERVICE}/Compliance/Usa2p"), items)
}

async fn verifications(State(world): Shared, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let wanted = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "TollfreePhoneNumberSid");
    let items = world.read(|state| {
        let of = |v: &Verification| Some((v.clone(), state.number(&v.number)?.sid.clone()));
        let fits = |(_, sid): &(Verification, String)| wanted.as_ref().is_none_or(|(_, value)| *value == *sid);
        state.verifications.iter().filter_map(of).filter(fits).map(|(v, sid)| verification(&world, &v, &sid)).collect()
    });
    page(&world, "verifications", "/v1/Tollfree/Verifications", items)
}

fn page(world: &World, key: &str, path: &str, items: Vec<Value>) -> Response {
    let at = format!("{}?PageSize=50&Page=0", world.url(path));
    let meta = json!({ "page": 0, "page_size": 50, "first_page_url": at, "previous_page_url": null, "url": at,
                       "next_page_url": null, "key": key });
    Json(json!({ key: items, "meta": meta })).into_response()
}

fn service(world: &World, registered: bool) -> Value {
    let at = world.url(&format!("/v1/Services/{SERVICE}"));
    json!({
        "sid": SERVICE, "account_sid": ACCOUNT, "friendly_name": "Stand-in", "date_created": DATE, "date_updated": DATE,
        "inbound_request_url": null, "inbound_method": "POST", "fallback_url": null, "fallback_method": "POST",
        "status_callback": null, "sticky_sender": true, "mms_converter": true, "smart_encoding": false,
        "scan_message_content": "inherit", "fallback_to_long_code": false, "area_code_geomatch": true,
        "synchronous_validation": false, "validity_period": 14_400, "url": at, "usecase": "undeclared",
        "us_app_to_person_registered": registered, "use_inbound_webhook_on_number": true,
        "links": { "phone_numbers": format!("{at}/PhoneNumbers"), "us_app_to_person": format!("{at}/Compliance/Usa2p") },
    })
}

fn sender(world: &World, state: &Known, number: &str) -> Option<Value> {
    let sid = &state.number(number)?.sid;
    Some(json!({
        "sid": sid, "account_sid": ACCOUNT, "service_sid": SERVICE, "date_created": DATE, "date_updated": DATE,
        "phone_number": number, "country_code": "US", "capabilities": ["Voice", "SMS", "MMS"],
        "url": world.url(&format!("/v1/Services/{SERVICE}/PhoneNumbers/{sid}")),
    }))
}

fn campaign(world: &World, c: &Campaign) -> Value {
    let errors: Vec<Value> =
        c.errors.iter().map(|words| json!({ "error_code": 30896, "description": words })).collect();
    json!({
        "sid": CAMPAIGN, "account_sid": ACCOUNT, "brand_registration_sid": BRAND, "messaging_service_sid": SERVICE,
        "description": "A developer's own coding agent texts its owner.", "message_samples": ["Done.", "May it?"],
        "us_app_to_person_usecase": "SOLE_PROPRIETOR", "has_embedded_links": true, "has_embedded_phone": false,
        "subscriber_opt_in": true, "age_gated": false, "direct_lending": false, "campaign_status": c.status,
        "campaign_id": "CSTANDIN", "is_externally_registered": false, "rate_limits": {}, "message_flow": "The owner's own.",
        "opt_in_message": "", "opt_out_message": "", "help_message": "", "opt_in_keywords": ["START"],
        "opt_out_keywords": ["STOP"], "help_keywords": ["HELP"], "date_created": DATE, "date_updated": DATE,
        "url": world.url(&format!("/v1/Services/{SERVICE}/Compliance/Usa2p/{CAMPAIGN}")), "mock": false, "errors": errors,
    })
}

fn verification(world: &World, v: &Verification, number_sid: &str) -> Value {
    let sid = format!("HH{}", &number_sid[2..]);
    let mut all = json!({
        "sid": sid, "account_sid": ACCOUNT, "customer_profile_sid": PROFILE, "trust_product_sid": null,
        "date_created": DATE, "date_updated": DATE, "regulated_item_sid": null, "notification_email": "ada@example.com",
        "use_case_categories": ["ACCOUNT_NOTIFICATIONS"], "use_case_summary": "The owner's own agent.",
        "production_message_sample": "Done.", "opt_in_image_urls": ["https://example.com/opt-in.png"],
        "opt_in_type": "VERBAL", "message_volume": "100", "additional_information": null,
        "tollfree_phone_number_sid": number_sid, "tollfree_phone_number": v.number, "status": v.status,
        "url": world.url(&format!("/v1/Tollfree/Verifications/{sid}")), "rejection_reason": v.reason,
        "error_code": v.reason.as_ref().map(|_| 30440), "edit_expiration": null, "edit_allowed": null,
        "rejection_reasons": null, "resource_links": {}, "external_reference_id": null, "opt_in_keywords": null,
        "age_gated_content": null, "vetting_id": null, "vetting_provider": null, "vetting_id_expiration": null,
    });
    for word in [
        "name",
        "street_address",
        "street_address2",
        "city",
        "state_province_region",
        "postal_code",
        "country",
        "website",
        "contact_first_name",
        "contact_last_name",
        "contact_email",
        "registration_number",
        "registration_authority",
        "registration_country",
        "type",
        "registration_phone_number",
    ] {
        all[format!("business_{word}")] = Value::Null;
    }
    for word in [
        "business_contact_phone",
        "doing_business_as",
        "opt_in_confirmation_message",
        "help_message_sample",
        "privacy_policy_url",
        "terms_and_conditions_url",
    ] {
        all[word] = Value::Null;
    }
    all
}
