//! Setting up: the steps as things really stand, and what each of them needs done.

pub mod hello;
pub mod numbers;
mod steps;
pub mod tunnel;
pub mod twilio;

use crate::{
    approvals::internal,
    gateway::App,
    home::Seen,
    settings,
    wire::desk::{ImageShown, SetupStep, StepId},
};
use domain::Problem;
use std::collections::HashSet;
use steps::Stands;
use store::{facts, phones};

/// Every step, in the order in which they are done.
///
/// # Errors
/// As the store's.
pub async fn steps(app: &App, seen: &Seen, image: &ImageShown) -> Result<Vec<SetupStep>, Problem> {
    let (phones, skipped, led) = app
        .store
        .read(|r| {
            let phones = phones::all(r)?.into_iter().filter(|p| p.revoked.is_none()).map(|p| p.name).collect();
            Ok((phones, facts::get(r, facts::SETUP_SKIPPED)?, facts::get(r, facts::NUMBER_LED)?))
        })
        .await
        .map_err(internal)?;
    let stands = Stands {
        engine: seen.engine.clone(),
        image: image.clone(),
        key: seen.key.clone(),
        failed: app.last_failure.code(),
        tunnel: app.address.status().borrow().clone(),
        address: app.address.url(),
        account: settings::file(app).is_ok_and(|file| !file.written.twilio.account_sid.is_empty()),
        texting: app.texting.stands(),
        number: app.address.number(),
        led,
        leads: app.config.tunnel.set_webhook,
        phones,
    };
    Ok(steps::all(&stands, &read(skipped.as_deref())))
}

/// Remembers that the owner does not want a step, or does again. Gives the step.
///
/// # Errors
/// As the store's.
pub async fn skip(app: &App, id: StepId, skip: bool) -> Result<SetupStep, Problem> {
    app.store
        .write(move |tx| {
            let mut skipped = read(facts::get(tx, facts::SETUP_SKIPPED)?.as_deref());
            if skip {
                skipped.insert(id)
            } else {
                skipped.remove(&id)
            };
            let names: Vec<&str> =
                StepId::ALL.into_iter().filter(|id| skipped.contains(id)).map(StepId::name).collect();
            facts::set(tx, facts::SETUP_SKIPPED, &names.join(" "))
        })
        .await
        .map_err(internal)?;
    let seen = app.looks.now(app).await;
    let image = crate::home::image(app, &seen);
    let found = steps(app, &seen, &image).await?.into_iter().find(|step| step.id == id);
    found.ok_or_else(|| domain::Code::NotFound.into())
}

fn read(kept: Option<&str>) -> HashSet<StepId> {
    kept.unwrap_or_default().split(' ').filter_map(StepId::named).collect()
}
