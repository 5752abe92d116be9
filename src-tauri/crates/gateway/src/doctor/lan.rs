//! The door on the local network, asked as a phone would ask that trusts the certificate.

use super::{Finding, Fix, broken, note, well};
use crate::{gateway::App, lan::State};
use accounts::reach::Visitor;
use domain::Problem;
use std::net::{Ipv4Addr, SocketAddr};
use url::Url;

/// None while it is off, as it is at first.
pub async fn finding(app: &App) -> Option<Finding> {
    let state = app.lan.state().borrow().clone();
    match state {
        State::Off => None,
        State::Opening => Some(note("lan", state.in_words(), "Look again in a moment.")),
        State::Refused { why } => Some(broken("lan", why).by(Fix::LanOn)),
        State::Open { urls, .. } => Some(ask(app, &urls).await),
    }
}

async fn ask(app: &App, urls: &[String]) -> Finding {
    let (Some(url), Some(certificate)) = (urls.first(), app.lan.certificate()) else {
        return broken("lan", Problem::from(domain::Code::LanUnavailable));
    };
    let parsed = Url::parse(url).ok();
    let place = parsed.as_ref().and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    let resolve = place.map(|(host, port)| (host, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))).into_iter().collect();
    let visitor = Visitor { roots: Some(certificate.pem), resolve };
    match visitor.page(&format!("{url}/health"), &[]).await {
        Ok(page) if page.status == 200 => well("lan", format!("{} answers.", urls.join(", "))),
        Ok(page) => note("lan", format!("{url} answers {}.", page.status), "Switch it off and on: lanyard lan off."),
        Err(e) => note("lan", format!("{url} cannot be reached from here: {e}."), "Check this computer's firewall."),
    }
}
