//! A phone's browser subscribes, leaves, and says what it showed.

use crate::{
    approvals::internal,
    clock,
    gateway::App,
    pairing::{Caller, PhoneKey, Who, decode},
    wire::PushSubscription,
};
use domain::{Code, PhoneId, Problem};
use store::{
    push_letters,
    push_subscriptions::{self, Subscription},
};
use url::{Host, Url};

/// No browser's endpoint is longer.
const ENDPOINT: usize = 1000;

/// From now on this browser is told.
///
/// # Errors
/// `BAD_REQUEST` for an endpoint or keys that no browser gives, `SCOPE_MISSING` for a caller that is no phone.
pub async fn subscribe(app: &App, caller: &Caller, asked: PushSubscription) -> Result<(), Problem> {
    let phone = phone(caller)?;
    let endpoint = endpoint(&asked.endpoint, app.config.push.base_url.as_ref()).map_err(bad)?;
    let p256dh = decode(&asked.keys.p256dh).filter(|point| PhoneKey::is_on_curve(point));
    let auth = decode(&asked.keys.auth).filter(|auth| auth.len() == 16);
    let (Some(p256dh), Some(auth)) = (p256dh, auth) else {
        return Err(bad("keys are those of a browser's subscription, in Base64"));
    };
    let subscription = Subscription { phone, endpoint: endpoint.into(), p256dh, auth };
    app.store.write(move |tx| push_subscriptions::put(tx, &subscription, clock::now())).await.map_err(internal)
}

/// This browser is told no more. Fine if it was not.
///
/// # Errors
/// `SCOPE_MISSING` for a caller that is no phone.
pub async fn unsubscribe(app: &App, caller: &Caller, endpoint: String) -> Result<(), Problem> {
    let phone = phone(caller)?;
    // Kept as a URL is written, asked for as the browser writes it.
    let endpoint = Url::parse(&endpoint).map_or(endpoint, String::from);
    app.store.write(move |tx| push_subscriptions::remove_of(tx, phone, &endpoint)).await.map_err(internal)
}

/// The phone showed a push: no text goes about the same. Saying so again is fine.
///
/// # Errors
/// `NOT_FOUND` if it is no push to this phone.
pub async fn shown(app: &App, caller: &Caller, letter: i64) -> Result<(), Problem> {
    let phone = phone(caller)?;
    match app.store.write(move |tx| push_letters::shown(tx, letter, phone, clock::now())).await.map_err(internal)? {
        true => Ok(()),
        false => Err(Code::NotFound.into()),
    }
}

fn phone(caller: &Caller) -> Result<PhoneId, Problem> {
    match caller.who {
        Who::Phone(id) => Ok(id),
        Who::Token(_) | Who::Owner => Err(Problem::with_detail(Code::ScopeMissing, "Pushes go to paired phones.")),
    }
}

fn bad(why: &str) -> Problem {
    Problem::with_detail(Code::BadRequest, format!("{why}."))
}

/// A push service out in the world, or the one that the config names: nothing on this computer or beside it.
fn endpoint(written: &str, named: Option<&Url>) -> Result<Url, &'static str> {
    const BAD: &str = "endpoint is the https address of a push service";
    if written.len() > ENDPOINT {
        return Err(BAD);
    }
    let url = Url::parse(written).map_err(|_| BAD)?;
    if named.is_some_and(|named| named.origin() == url.origin()) {
        return Ok(url);
    }
    let outside = match url.host() {
        Some(Host::Domain(name)) => name.contains('.') && !INSIDE.iter().any(|end| name.ends_with(end)),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    };
    let plain =
        url.scheme() == "https" && url.port().is_none() && url.username().is_empty() && url.password().is_none();
    (outside && plain).then_some(url).ok_or(BAD)
}

/// Names that lead to a computer nearby.
const INSIDE: &[&str] = &[".local", ".localhost", ".internal", ".lan", ".home.arpa", "."];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_push_services_out_in_the_world_are_written_to() {
        assert!(endpoint("https://push.example.com/send/abc?x=1", None).is_ok());
        let long = format!("https://push.example.com/{}", "x".repeat(1000));
        for inside in [
            "http://push.example.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://localhost/",
            "https://router/",
            "https://printer.local/",
            "https://printer.LOCAL./",
            "https://push.example.com:8443/",
            "https://me@push.example.com/",
            "ftp://push.example.com/",
            "nonsense",
            "",
            &long,
        ] {
            assert!(endpoint(inside, None).is_err(), "{inside}");
        }
    }

    #[test]
    fn the_service_that_the_config_names_may_be_on_this_computer() {
        let named = Url::parse("http://127.0.0.1:4055").unwrap();
        assert!(endpoint("http://127.0.0.1:4055/push/1", Some(&named)).is_ok());
        assert!(endpoint("http://127.0.0.1:4056/push/1", Some(&named)).is_err());
    }
}
