//! The REST routes: who calls is checked first, then what was scripted to go wrong, then the resource.

use super::{
    ACCOUNT, API_KEY, API_SECRET, Fault, TOKEN, compliance,
    create::create,
    fault::{not_found, refuse},
    files,
    shapes::{self, PageAt},
    world::{State as Known, World},
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Timestamp;
use std::sync::Arc;

pub(super) type Shared = State<Arc<World>>;

pub(super) fn router(world: Arc<World>) -> Router {
    let account = Router::new()
        .route("/Messages.json", get(list).post(create))
        .route("/Messages/{message}", get(fetch).delete(delete))
        .route("/Messages/{message}/Media.json", get(files::list))
        .route("/Messages/{message}/Media/{media}", get(files::fetch).delete(files::delete))
        .route("/IncomingPhoneNumbers.json", get(numbers))
        .route("/IncomingPhoneNumbers/{number}", get(number).post(update_number));
    Router::new()
        .route(&format!("/2010-04-01/Accounts/{ACCOUNT}.json"), get(the_account))
        .nest(&format!("/2010-04-01/Accounts/{ACCOUNT}"), account)
        .merge(compliance::router())
        .fallback(|uri: Uri| async move { not_found(uri.path()) })
        .layer(from_fn_with_state(world.clone(), checked))
        .with_state(world)
}

async fn the_account(State(world): Shared) -> Json<serde_json::Value> {
    Json(shapes::account(world.read(|state| state.trial)))
}

async fn checked(State(world): Shared, request: Request, next: Next) -> Response {
    let is_send = request.method() == "POST" && request.uri().path().ends_with("/Messages.json");
    let fault = world.change(|state| {
        state.requests += 1;
        if is_send { None } else { state.read_faults.pop_front() }
    });
    if !is_ours(request.headers()) {
        return refuse(401, 20003, "Authenticate");
    }
    match fault {
        Some(fault) => fault.answer().await,
        None => next.run(request).await,
    }
}

fn is_ours(headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Basic "));
    let given = given.and_then(|encoded| STANDARD.decode(encoded).ok());
    let known = [format!("{ACCOUNT}:{TOKEN}"), format!("{API_KEY}:{API_SECRET}")];
    given.is_some_and(|given| known.iter().any(|known| known.as_bytes() == given))
}

impl World {
    /// What was scripted for the next send.
    pub(super) fn next_send_fault(&self) -> Option<Fault> {
        self.change(|state| state.send_faults.pop_front())
    }
}

async fn list(State(world): Shared, RawQuery(query): RawQuery) -> Response {
    let asked = Asked::read(query.as_deref().unwrap_or_default());
    Json(world.read(|state| asked.page(state))).into_response()
}

/// A list's query.
struct Asked {
    pairs: Vec<(String, String)>,
}

impl Asked {
    fn read(query: &str) -> Self {
        Self { pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    /// Newest first; the token is the last id of the page before, so that new messages move no page.
    fn page(&self, state: &Known) -> serde_json::Value {
        let size = self.number("PageSize").unwrap_or(50).clamp(1, 1000);
        let token = self.get("PageToken").and_then(|t| t.strip_prefix("PA"));
        let mut fitting = state.messages.iter().rev().filter(|m| self.fits(m));
        if let Some(last) = token {
            fitting.by_ref().find(|m| m.sid == last);
        }
        let page: Vec<_> = fitting.by_ref().take(size).collect();
        let more = fitting.next().is_some();
        let next = page.last().filter(|_| more).map(|m| m.sid.clone());
        let items = page.into_iter().map(shapes::message).collect();
        let at = PageAt { page: self.number("Page").unwrap_or(0), size, filters: self.filters() };
        shapes::page("messages", items, &World::resource("/Messages.json"), at, next)
    }

    fn fits(&self, m: &super::Message) -> bool {
        let is = |name, value: Option<&str>| self.get(name).is_none_or(|wanted| value == Some(wanted));
        let sent = |name, holds: fn(Timestamp, (Timestamp, Timestamp)) -> bool| {
            self.get(name).is_none_or(|written| match (m.sent_at, moment(written)) {
                (Some(at), Some(wanted)) => holds(at, wanted),
                _ => false,
            })
        };
        is("To", Some(&m.to))
            && is("From", m.from.as_deref())
            && sent("DateSent", |at, (start, end)| start <= at && at < end)
            && sent("DateSent>", |at, (start, _)| at >= start)
            && sent("DateSent<", |at, (_, end)| at < end)
    }

    fn filters(&self) -> String {
        let kept = self.pairs.iter().filter(|(name, _)| !name.starts_with("Page"));
        let mut query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        if !query.is_empty() {
            query.push('&');
        }
        query
    }
}

/// `2019-05-24` is that day, `2019-05-24T17:44:46Z` that second: its beginning and its end.
fn moment(written: &str) -> Option<(Timestamp, Timestamp)> {
    if let Ok(at) = written.parse::<jiff::Timestamp>() {
        let at = at.as_millisecond();
        return Some((Timestamp(at), Timestamp(at + 1000)));
    }
    let day: jiff::civil::Date = written.parse().ok()?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some((Timestamp(start), Timestamp(start + 86_400_000)))
}

fn plain(id: &str) -> &str {
    id.strip_suffix(".json").unwrap_or(id)
}

async fn fetch(State(world): Shared, Path(id): Path<String>, uri: Uri) -> Response {
    match world.read(|state| state.message(plain(&id)).map(shapes::message)) {
        Some(found) => Json(found).into_response(),
        None => not_found(uri.path()),
    }
}

async fn delete(State(world): Shared, Path(id): Path<String>, uri: Uri) -> Response {
    let gone = world.change(|state| {
        let before = state.messages.len();
        state.messages.retain(|m| m.sid != plain(&id));
        before != state.messages.len()
    });
    if gone { StatusCode::NO_CONTENT.into_response() } else { not_found(uri.path()) }
}

async fn numbers(State(world): Shared, RawQuery(query): RawQuery) -> Response {
    let asked = Asked::read(query.as_deref().unwrap_or_default());
    let items = world.read(|state| {
        let wanted = |n: &&super::world::Number| asked.get("PhoneNumber").is_none_or(|part| n.number.contains(part));
        state.numbers.iter().filter(wanted).map(shapes::number).collect()
    });
    let at = PageAt { page: 0, size: 50, filters: asked.filters() };
    Json(shapes::page("incoming_phone_numbers", items, &World::resource("/IncomingPhoneNumbers.json"), at, None))
        .into_response()
}

async fn number(State(world): Shared, Path(id): Path<String>, uri: Uri) -> Response {
    let found = world.read(|state| state.numbers.iter().find(|n| n.sid == plain(&id)).map(shapes::number));
    found.map_or_else(|| not_found(uri.path()), |found| Json(found).into_response())
}

async fn update_number(State(world): Shared, Path(id): Path<String>, uri: Uri, body: String) -> Response {
    let form = Asked::read(&body);
    let text = |name: &str| form.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let updated = world.change(|state| {
        let number = state.numbers.iter_mut().find(|n| n.sid == plain(&id))?;
        number.sms_url = text("SmsUrl").unwrap_or_else(|| number.sms_url.clone());
        number.sms_method = text("SmsMethod").unwrap_or_else(|| number.sms_method.clone());
        if let Some(application) = text("SmsApplicationSid") {
            number.application = Some(application).filter(|a| !a.is_empty());
        }
        Some(shapes::number(number))
    });
    updated.map_or_else(|| not_found(uri.path()), |found| Json(found).into_response())
}
