//! What Twilio received while nobody answered its webhook. Twilio gives up after 15 s, so a longer outage would lose
//! messages: at every start, and after the network was away, its list is compared with the inbox.

use super::texting::Texting;
use crate::{clock, gateway::App};
use accounts::twilio::{CallError, Received};
use domain::{Timestamp, event::Channel};
use std::time::Duration;
use store::{
    facts,
    inbox::{self, Arrival, Media},
};

/// Twilio's clock against ours, and a webhook that was under way when the last look was taken.
const OVERLAP: Duration = Duration::from_secs(300);
/// How often Twilio is asked when all is well: one request; an outage of the tunnel alone shows only this way.
const EVERY: Duration = Duration::from_secs(300);
/// How soon after Twilio could not be reached.
const AGAIN: Duration = Duration::from_secs(15);

/// Looks at once, then now and then, until Lanyard stops.
pub async fn run(app: App) {
    let mut texting = app.texting.changes();
    loop {
        let open = texting.borrow_and_update().open();
        let wait = match open {
            Some(texting) => look(&app, &texting).await,
            None => EVERY,
        };
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = texting.changed() => {}
            () = app.address.opens() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// One comparison; gives how long until the next.
async fn look(app: &App, texting: &Texting) -> Duration {
    match once(app, texting).await {
        Ok(found) => {
            if found > 0 {
                tracing::info!(messages = found, "texts whose webhook was lost were fetched from Twilio's list");
            }
            EVERY
        }
        Err(()) => AGAIN,
    }
}

/// One comparison; gives how many messages had been lost. The time of the look is kept with the messages it found.
async fn once(app: &App, texting: &Texting) -> Result<usize, ()> {
    let looked_at = clock::now();
    let received = match last_look(app).await? {
        Some(at) => received(texting, at - OVERLAP).await.map_err(|e| {
            tracing::warn!(error = ?e, "Twilio's list of received texts could not be read");
        })?,
        // The first start ever: what was said before was not said to Lanyard.
        None => Vec::new(),
    };
    // Under Twilio's own date: a late "yes" answers only what was asked before it was said.
    let arrivals: Vec<(Timestamp, Arrival)> =
        received.into_iter().filter(|r| texting.allows(&r.from)).map(|r| (r.at, arrival(r))).collect();
    let write = app.store.write(move |tx| {
        let mut fresh = 0;
        for (said_at, arrival) in &arrivals {
            fresh += usize::from(inbox::receive(tx, arrival, *said_at)?.fresh);
        }
        facts::set(tx, facts::RECONCILED_AT, &looked_at.0.to_string())?;
        Ok(fresh)
    });
    write.await.map_err(|e| tracing::error!(error = ?e, "reconciled texts were not written down"))
}

async fn received(texting: &Texting, since: Timestamp) -> Result<Vec<Received>, CallError> {
    let mut received = Vec::new();
    for own in texting.own_addresses().await? {
        received.extend(texting.twilio.received_since(&own, since).await?);
    }
    received.sort_by_key(|r| r.at);
    Ok(received)
}

async fn last_look(app: &App) -> Result<Option<Timestamp>, ()> {
    let last = app.store.read(|r| facts::get(r, facts::RECONCILED_AT)).await;
    let last = last.map_err(|e| tracing::error!(error = ?e, "the last reconciliation could not be read"))?;
    Ok(last.and_then(|at| at.parse().ok()).map(Timestamp))
}

fn arrival(r: Received) -> Arrival {
    Arrival {
        channel: Channel::Sms,
        external: r.sid,
        sender: Some(r.from.to_string()),
        receiver: Some(r.to.to_string()),
        text: r.body,
        media: r.media.into_iter().map(|m| Media { url: m.url, media_type: m.media_type }).collect(),
    }
}
