//! What agents may do without asking again, and the PIN, from the command line.

use super::{client::LocalDoor, keys::read_secret};
use clap::Subcommand;
use console::style;
use domain::Problem;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum RulesAction {
    /// The agent asks again: the rule as it is shown, and its session's number.
    Forget { rule: String, session: u32 },
}

#[derive(Subcommand)]
pub enum PinAction {
    /// Set it, or another; it is read from standard input.
    Set,
    /// Forget it.
    Remove,
}

pub async fn act(door: &LocalDoor, action: Option<RulesAction>, json: bool) -> Result<(), Problem> {
    let shown = match action {
        None => door.get("/rules").await?,
        Some(RulesAction::Forget { rule, session }) => {
            door.post("/rules/forget", &json!({ "session": session, "exact": rule })).await?
        }
    };
    match json {
        true => println!("{shown}"),
        false => tell(&shown),
    }
    Ok(())
}

fn tell(shown: &Value) {
    let rules = shown["rules"].as_array().map_or(&[][..], Vec::as_slice);
    for rule in rules {
        let session = format!("in session {}", rule["session"]);
        println!("{:<40} {}", rule["rule"].as_str().unwrap_or_default(), style(session).dim());
    }
    if rules.is_empty() {
        println!("Nothing was allowed always. Rules of the config are in approvals.tiers.");
    }
}

pub async fn pin(door: &LocalDoor, action: Option<PinAction>, json: bool) -> Result<(), Problem> {
    let shown = match action {
        None => door.get("/pin").await?,
        Some(PinAction::Set) => door.post("/pin", &json!({ "pin": read_secret("the PIN")?.expose_secret() })).await?,
        Some(PinAction::Remove) => door.post("/pin/remove", &()).await?,
    };
    match (json, shown["set"].as_bool(), shown["locked_until"].is_null()) {
        (true, ..) => println!("{shown}"),
        (false, Some(true), true) => println!("A PIN is set. approvals.pin_from says what a phone needs it for."),
        (false, Some(true), false) => println!("A PIN is set. After too many wrong ones none is taken for a while."),
        (false, ..) => println!("No PIN is set."),
    }
    Ok(())
}
