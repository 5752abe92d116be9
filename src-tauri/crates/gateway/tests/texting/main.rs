//! Texting without a sandbox: what arrives, what is refused, what is said back, and what survives a stop.

mod answers;
mod desk;
mod door;
mod flood;
mod links;
mod lost;
#[path = "../world/mod.rs"]
mod world;

use gateway::App;
use store::inbox;
use world::{SOON, until};

async fn received(app: &App) -> i64 {
    app.store.read(|r| inbox::count(r)).await.unwrap()
}

/// Waits until Twilio's list was compared once.
async fn reconciled(app: &App) {
    let looked = async || app.store.read(|r| store::facts::get(r, store::facts::RECONCILED_AT)).await.unwrap();
    until(SOON, looked).await;
}
