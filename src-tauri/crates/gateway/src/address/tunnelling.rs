//! Keeps the tunnel as the owner wants it, serves the public door through it, and does what a new address asks for.

use super::number;
use crate::{
    doors::{self, Way, serving::Arrivals},
    gateway::App,
};
use accounts::keychain::Account;
use domain::{Code, Problem};
use std::{sync::atomic::Ordering, time::Duration};
use store::facts;
use tunnel::{Config, Tunnel, TunnelStatus, Visitors, probe};

/// For the endpoint to be unbound at ngrok.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Runs until Lanyard stops.
pub async fn run(app: App) {
    let mut wanted = app.address.wanted.subscribe();
    while !app.stop.is_cancelled() {
        if *wanted.borrow_and_update() {
            match open(&app).await {
                Ok((tunnel, visitors)) => keep_open(&app, tunnel, visitors).await,
                Err(why) => refuse(&app, why).await,
            }
        } else {
            app.address.tunnelled.send_replace(None);
            app.address.status.send_replace(TunnelStatus::Off);
            tokio::select! {
                () = app.stop.cancelled() => {}
                _ = wanted.changed() => {}
            }
        }
    }
}

async fn open(app: &App) -> Result<(Tunnel, Visitors), Problem> {
    let settings = &app.config.tunnel;
    let token = app.secrets.get(Account::Ngrok).await.map_err(|e| {
        tracing::warn!(error = %e, "ngrok's authtoken could not be read");
        Problem::from(Code::TunnelNoToken)
    })?;
    let config = Config {
        domain: settings.domain.clone(),
        edge: settings.edge.clone(),
        roots: settings.roots.clone(),
        ..Config::new(token)
    };
    Tunnel::open(config).map_err(|e| Problem::with_detail(e.code(), e))
}

/// It cannot be opened as things are: stands until the owner switches it again.
async fn refuse(app: &App, why: Problem) {
    tracing::warn!(code = %why.code, "the tunnel cannot be opened");
    app.address.status.send_replace(TunnelStatus::Refused { why, next_try: None });
    tokio::select! {
        () = app.stop.cancelled() => {}
        () = app.address.again.notified() => {}
    }
}

async fn keep_open(app: &App, tunnel: Tunnel, visitors: Visitors) {
    let ends = app.stop.child_token();
    let router = doors::public::router(app.clone(), Way::Tunnel);
    let serving = app.tasks.spawn(doors::serving::serve(Arrivals(visitors), router, ends.clone()));
    let (mut status, mut wanted) = (tunnel.status(), app.address.wanted.subscribe());
    loop {
        let now = status.borrow_and_update().clone();
        take(app, now);
        tokio::select! {
            () = app.stop.cancelled() => break,
            _ = wanted.wait_for(|wanted| !wanted) => break,
            () = app.address.again.notified() => tunnel.try_now(),
            changed = status.changed() => if changed.is_err() { break },
        }
    }
    ends.cancel();
    if let Err(e) = tunnel.stop(CLOSE_WITHIN).await {
        tracing::warn!(error = %e, "the tunnel did not close in time");
    }
    let _it_ends_by_its_token = serving.await;
}

/// What the tunnel says becomes what is shown; each time it opens, what was missed meanwhile is looked for.
fn take(app: &App, status: TunnelStatus) {
    if let TunnelStatus::Open { url, .. } = &status {
        let known = app.address.tunnelled.send_replace(Some(url.clone())).as_ref() == Some(url);
        tracing::info!(known, "the tunnel is open");
        app.tasks.spawn(opened(app.clone(), url.clone()));
    } else if let Some(why) = status.problem() {
        tracing::warn!(code = %why.code, "the tunnel is not open");
    }
    app.address.status.send_replace(status);
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
    app.address.page_in_the_way.store(in_the_way, Ordering::Relaxed);
    if in_the_way {
        tracing::warn!(code = %Code::TunnelPageInTheWay, "a browser meets ngrok's own page first");
    }
}

fn page(seen: accounts::reach::Page) -> probe::Page {
    probe::Page { status: seen.status, headers: seen.headers, body: seen.body }
}
