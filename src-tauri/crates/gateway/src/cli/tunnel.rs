//! The tunnel, from the command line.

use super::client::LocalDoor;
use clap::ValueEnum;
use domain::{Code, Problem};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// A tunnel that is going to open has done so within this time, or says why not.
const OPENS_WITHIN: Duration = Duration::from_secs(20);

pub async fn act(door: &LocalDoor, switch: Option<Switch>, json: bool) -> Result<(), Problem> {
    let shown = match switch {
        None => door.get("/tunnel").await?,
        Some(switch) => {
            door.post("/tunnel", &json!({ "on": switch == Switch::On })).await?;
            settled(door, switch).await?
        }
    };
    let refused = shown["status"]["state"] == "refused" && switch == Some(Switch::On);
    match json {
        true => println!("{shown}"),
        // Its words come as the error.
        false if refused => {}
        false => tell(&shown),
    }
    if refused { Err(problem(&shown["status"]["why"])) } else { Ok(()) }
}

pub(super) fn problem(why: &Value) -> Problem {
    let word = |key: &str| why[key].as_str().unwrap_or_default().to_owned();
    let code = Code::named(&word("code")).unwrap_or(Code::Internal);
    Problem { code, message: word("message"), suggestion: word("suggestion") }
}

/// How it is once it has come to rest.
async fn settled(door: &LocalDoor, switch: Switch) -> Result<Value, Problem> {
    let wished: &[&str] = if switch == Switch::On { &["open", "refused"] } else { &["off"] };
    let began = std::time::Instant::now();
    loop {
        let shown = door.get("/tunnel").await?;
        let state = shown["status"]["state"].as_str().unwrap_or_default();
        let number_asked = state != "open" || shown["number"]["state"] != "untouched" || began.elapsed().as_secs() > 2;
        if (wished.contains(&state) && number_asked) || began.elapsed() > OPENS_WITHIN {
            return Ok(shown);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn tell(shown: &Value) {
    println!("{}", shown["words"].as_str().unwrap_or_default());
    match shown["number"]["state"].as_str() {
        Some("proved") => {
            println!("Texts to your number lead here: a signed request was taken, a wrongly signed one refused.")
        }
        Some("failed") => println!("Your number could not be led here: {}", sentence(&shown["number"]["why"])),
        _ => {}
    }
    if let Some(page) = page_in_the_way(shown) {
        println!("{page}");
    }
}

/// What to do about ngrok's own page, if a browser meets it before ours.
pub(super) fn page_in_the_way(tunnel: &Value) -> Option<String> {
    tunnel["page_in_the_way"].is_object().then(|| sentence(&tunnel["page_in_the_way"]))
}

fn sentence(problem: &Value) -> String {
    let word = |key: &str| problem[key].as_str().unwrap_or_default();
    format!("{} {}", word("message"), word("suggestion"))
}
