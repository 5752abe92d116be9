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
    let way = Way { path: "/tunnel", opens_within: OPENS_WITHIN, settled: number_asked, tell };
    way.turn(door, switch, json).await
}

/// A way in, as its command switches and shows it.
pub(super) struct Way {
    pub path: &'static str,
    pub opens_within: Duration,
    /// Whether there is nothing more to wait for in what is shown of an open one, so long after it was switched on.
    pub settled: fn(&Value, Duration) -> bool,
    pub tell: fn(&Value),
}

impl Way {
    pub async fn turn(&self, door: &LocalDoor, switch: Option<Switch>, json: bool) -> Result<(), Problem> {
        let shown = match switch {
            None => door.get(self.path).await?,
            Some(switch) => {
                door.post(self.path, &json!({ "on": switch == Switch::On })).await?;
                self.at_rest(door, switch).await?
            }
        };
        let refused = shown["status"]["state"] == "refused" && switch == Some(Switch::On);
        match json {
            true => println!("{shown}"),
            // Its words come as the error.
            false if refused => {}
            false => (self.tell)(&shown),
        }
        if refused { Err(problem(&shown["status"]["why"])) } else { Ok(()) }
    }

    /// How it is once it has come to rest.
    async fn at_rest(&self, door: &LocalDoor, switch: Switch) -> Result<Value, Problem> {
        let wished: &[&str] = if switch == Switch::On { &["open", "refused"] } else { &["off"] };
        let began = std::time::Instant::now();
        loop {
            let shown = door.get(self.path).await?;
            let state = shown["status"]["state"].as_str().unwrap_or_default();
            let settled = state != "open" || (self.settled)(&shown, began.elapsed());
            if (wished.contains(&state) && settled) || began.elapsed() > self.opens_within {
                return Ok(shown);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What becomes of the number is known a little later, where there is one.
fn number_asked(shown: &Value, since: Duration) -> bool {
    shown["number"]["state"] != "untouched" || since.as_secs() > 2
}

pub(super) fn problem(why: &Value) -> Problem {
    let word = |key: &str| why[key].as_str().unwrap_or_default().to_owned();
    let code = Code::named(&word("code")).unwrap_or(Code::Internal);
    Problem { code, message: word("message"), suggestion: word("suggestion") }
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
