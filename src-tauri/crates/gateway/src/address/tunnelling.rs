//! How the tunnel opens, and what a new address asks for.

use super::number;
use crate::{
    doors::Way,
    gateway::App,
    switch::{CLOSE_WITHIN, Switch, WayIn},
};
use accounts::keychain::{Account, KeychainError};
use domain::{Code, Problem};
use std::{sync::atomic::Ordering, time::Duration};
use store::facts;
use tokio::sync::watch;
use tunnel::{Tunnel, TunnelStatus, Visitors, probe};

/// The tunnel, as its switch opens and shuts it.
pub struct Tunnelled;

impl WayIn for Tunnelled {
    const WAY: Way = Way::Tunnel;
    type Door = Tunnel;
    type Status = TunnelStatus;

    fn switch(app: &App) -> &Switch {
        &app.address.switch
    }

    fn shut(app: &App) {
        app.address.leads_from(None);
        stands(app, TunnelStatus::Off);
    }

    fn opening(app: &App) {
        stands(app, TunnelStatus::Connecting { attempt: 1, next_try: None, why: None });
    }

    async fn open(app: &App) -> Result<(Tunnel, Visitors), Problem> {
        open(app).await
    }

    /// What the room itself refuses needs the owner; what ngrok refuses it tries again by itself.
    fn refused(app: &App, why: Problem) -> Option<Duration> {
        tracing::warn!(code = %why.code, "the tunnel cannot be opened");
        stands(app, TunnelStatus::Refused { why, next_try: None });
        None
    }

    fn status(door: &Tunnel) -> watch::Receiver<TunnelStatus> {
        door.status()
    }

    fn take(app: &App, status: TunnelStatus) {
        take(app, status);
    }

    fn try_now(door: &Tunnel) {
        door.try_now();
    }

    async fn close(door: Tunnel) -> Result<(), tunnel::Error> {
        door.stop(CLOSE_WITHIN).await
    }
}

async fn open(app: &App) -> Result<(Tunnel, Visitors), Problem> {
    let token = app.secrets.get(Account::Ngrok).await.map_err(|e| {
        tracing::warn!(error = %e, "ngrok's authtoken could not be read");
        match e {
            KeychainError::Missing { .. } => Problem::from(Code::TunnelNoToken),
            // What a locked keychain asks for is no new token.
            e => e.problem(Account::Ngrok),
        }
    })?;
    Tunnel::open(app.address.way_to_ngrok(&app.config.tunnel, token)).map_err(|e| Problem::with_detail(e.code(), e))
}

/// What the tunnel says becomes what is shown; each time it opens, what was missed meanwhile is looked for.
fn take(app: &App, status: TunnelStatus) {
    if let TunnelStatus::Open { url, .. } = &status {
        let known = app.address.leads_from(Some(url));
        tracing::info!(known, "the tunnel is open");
        app.tasks.spawn(opened(app.clone(), url.clone()));
    } else if let Some(why) = status.problem() {
        tracing::warn!(code = %why.code, "the tunnel is not open");
    }
    stands(app, status);
}

/// Phones that look are told.
fn stands(app: &App, status: TunnelStatus) {
    app.address.status.send_replace(status);
    app.stream.ring();
}

async fn opened(app: App, url: String) {
    let kept = url.clone();
    if let Err(e) = app.store.write(move |tx| facts::set(tx, facts::TUNNEL_URL, &kept)).await {
        tracing::error!(error = ?e, "the tunnel's address could not be written down");
    }
    app.address.opened.notify_one();
    number::lead(&app, &url).await;
    look_as_browser(&app, &url).await;
}

/// Whether a phone's first visit meets ngrok's page: nothing we serve can skip it, so the owner must know.
async fn look_as_browser(app: &App, url: &str) {
    let visitor = app.config.tunnel.visitor();
    let get = |ask: probe::Ask| async move { visitor.page(&ask.url, &ask.headers).await.map(page) };
    let in_the_way = match probe::as_browser(&format!("{url}/pair"), get).await {
        Ok(sight) => sight == probe::Sight::PageInTheWay,
        Err(e) => return tracing::warn!(error = %e, "the public address could not be looked at from here"),
    };
    app.address.page_in_the_way.store(in_the_way && app.address.is_tunnelled(url), Ordering::Relaxed);
    if in_the_way {
        tracing::warn!(code = %Code::TunnelPageInTheWay, "a browser meets ngrok's own page first");
    }
}

fn page(seen: accounts::reach::Page) -> probe::Page {
    probe::Page { status: seen.status, headers: seen.headers, body: seen.body }
}
