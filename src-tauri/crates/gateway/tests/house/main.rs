//! The house as its owner keeps it at the desk: settings, accounts, mends, setting up, starting again, locking.

mod accounts;
#[path = "../api_world/mod.rs"]
mod api_world;
mod audit;
mod home;
mod lock;
mod restart;
mod rules;
mod settings;
mod setup;
#[path = "../tunnel_world/mod.rs"]
mod tunnel_world;
mod twilio;
#[path = "../world/mod.rs"]
mod world;

use api_world::{Said, local};
use gateway::App;
use serde_json::Value;

async fn get(app: &App, path: &str) -> Value {
    well(local(app, "GET", path, None).await)
}

async fn post(app: &App, path: &str, body: Value) -> Value {
    well(local(app, "POST", path, Some(&body)).await)
}

fn well(said: Said) -> Value {
    assert!((200..300).contains(&said.status), "{}", said.text);
    said.body
}

/// The step of this name.
async fn step(app: &App, id: &str) -> Value {
    let home = get(app, "/home").await;
    home["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).cloned().unwrap()
}
