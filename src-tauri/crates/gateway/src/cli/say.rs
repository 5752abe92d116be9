//! Saying something, and answering what is asked.

use super::client::LocalDoor;
use crate::doors::local::{Choice, Decide, Mode, Send};
use domain::{
    Code, PermissionMode, Problem,
    approval::Subject,
    event::When,
    shown::{shown, shown_line},
};
use serde_json::{Value, json};
use std::{io::Write, time::Duration};

pub struct Words {
    pub session: Option<u32>,
    pub steer: bool,
    pub watch: bool,
    pub text: String,
}

/// Says it and, if wanted, shows the turn until it ends.
pub async fn send(door: &LocalDoor, words: Words, json: bool) -> Result<(), Problem> {
    let send = Send {
        text: words.text,
        session: words.session,
        client_id: uuid::Uuid::now_v7().to_string(),
        when: if words.steer { When::Steer } else { When::Queue },
    };
    let said = door.post("/send", &send).await?;
    let number = said["session"].as_u64().unwrap_or_default();
    if json {
        println!("{said}");
    } else {
        eprintln!("Session {number}.");
    }
    if !words.watch {
        return Ok(());
    }
    watch(door, &said, json).await
}

async fn watch(door: &LocalDoor, said: &Value, json: bool) -> Result<(), Problem> {
    let session = said["session_id"].as_str().unwrap_or_default().to_owned();
    let message = said["message"].as_i64().unwrap_or_default();
    let seq = said["seq"].as_i64().unwrap_or_default();
    let mut failed = None;
    let mut shown = Shown::default();
    door.lines(&format!("/stream?after={seq}"), |line| {
        let of_session = line["session"] == session.as_str() || line["data"]["session"] == session.as_str();
        if !of_session {
            return true;
        }
        if json {
            println!("{line}");
        } else {
            shown.line(&line);
        }
        match step(&line, message, &mut shown.turn) {
            Step::GoOn => true,
            Step::Ended => false,
            Step::Failed(code) => {
                failed = Some(code);
                true
            }
        }
    })
    .await?;
    match failed {
        Some(code) => Err(code.into()),
        None => Ok(()),
    }
}

enum Step {
    GoOn,
    Ended,
    Failed(Code),
}

/// Follows the one turn that answers `message`.
fn step(line: &Value, message: i64, turn: &mut Option<String>) -> Step {
    let event = &line["event"];
    match event["type"].as_str() {
        Some("turn_started") if event["messages"].as_array().is_some_and(|m| m.contains(&json!(message))) => {
            *turn = event["turn"].as_str().map(str::to_owned);
            Step::GoOn
        }
        Some("turn_ended") if event["turn"].as_str() == turn.as_deref() => Step::Ended,
        Some("failed") => match event["code"].as_str().and_then(Code::named) {
            // A sandbox that is not ready is tried again by itself; what failed in the turn ends it.
            Some(code) if event["turn"].is_null() => {
                eprintln!("{}", Problem::from(code));
                Step::GoOn
            }
            Some(code) => Step::Failed(code),
            None => Step::GoOn,
        },
        _ => Step::GoOn,
    }
}

/// A turn as a terminal shows it.
#[derive(Default)]
struct Shown {
    turn: Option<String>,
    /// A partial answer stands on the current line.
    open: bool,
}

impl Shown {
    fn line(&mut self, line: &Value) {
        if line["type"] == "partial" {
            if line["data"]["thinking"] == false {
                print!("{}", shown(line["data"]["text"].as_str().unwrap_or_default()));
                let _closed = std::io::stdout().flush();
                self.open = true;
            }
            return;
        }
        let event = &line["event"];
        match event["type"].as_str() {
            Some("answered") if self.open => {
                println!();
                self.open = false;
            }
            Some("answered") => println!("{}", shown(event["text"].as_str().unwrap_or_default())),
            Some("tool_used") => {
                eprintln!("  {} {}", shown(event["tool"].as_str().unwrap_or_default()), brief(&event["input"]))
            }
            Some("asked") => {
                eprintln!("  asks #{0} {1}\n     lanyard approve {0}, or with --no", event["number"], asked(event))
            }
            Some("resolved") => eprintln!("  = {}", event["decision"]["decision"].as_str().unwrap_or_default()),
            Some("noticed") => eprintln!("  {}", shown(event["text"].as_str().unwrap_or_default())),
            _ => {}
        }
    }
}

/// What an approval asks, in short.
pub fn asked(event: &Value) -> String {
    match serde_json::from_value::<Subject>(event["subject"].clone()) {
        Ok(subject @ Subject::Question { .. }) => subject.in_a_text().words,
        Ok(subject) => {
            format!("{} ({} risk)", subject.in_a_text().words, event["risk"].as_str().unwrap_or_default())
        }
        Err(_) => String::new(),
    }
}

/// The one value of a tool's input that tells most, on one line.
pub fn brief(input: &Value) -> String {
    let keys = ["/command", "/file_path", "/path", "/pattern", "/url", "/description", "/questions/0/question"];
    let word = keys.iter().find_map(|key| input.pointer(key)?.as_str());
    let text = word.map_or_else(|| input.to_string(), str::to_owned);
    shown_line(&text, 100)
}

/// Changes how much the agent of a session may do without asking.
pub async fn mode(door: &LocalDoor, mode: PermissionMode, session: Option<u32>, json: bool) -> Result<(), Problem> {
    let done = door.post("/mode", &Mode { mode, session }).await?;
    match json {
        true => println!("{done}"),
        false => println!("Session {}: {mode}. {}", done["session"], mode.says()),
    }
    Ok(())
}

/// Has the running Lanyard do something, and says that it did.
pub async fn done(door: &LocalDoor, path: &str, words: &str, json: bool) -> Result<(), Problem> {
    let done = door.post(path, &()).await?;
    match json {
        true => println!("{done}"),
        false => println!("{words}"),
    }
    Ok(())
}

/// The next run answers at the same door; that is waited for.
pub async fn restart(door: &LocalDoor, force: bool, json: bool) -> Result<(), Problem> {
    let before = door.post("/restart", &json!({ "force": force })).await?["started_at"].as_i64();
    let began = std::time::Instant::now();
    while began.elapsed() < RESTARTS_WITHIN {
        tokio::time::sleep(Duration::from_millis(200)).await;
        // Nobody answers between the runs.
        let Ok(home) = door.get("/home").await else { continue };
        if home["started_at"].as_i64() > before {
            match json {
                true => println!("{}", json!({ "restarted": true })),
                false => println!("Lanyard runs again."),
            }
            return Ok(());
        }
    }
    Err(Code::NotRunning.into())
}

/// A stop has 20 s for agents, 20 for the sandbox; the next start takes less than one.
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);

/// Asks first, unless told not to.
pub async fn remove(door: &LocalDoor, yes: bool, json: bool) -> Result<(), Problem> {
    if !yes {
        eprint!("Remove the sandbox and all that is in it? (yes/no) ");
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_err() || answer.trim() != "yes" {
            eprintln!("Left as it is.");
            return Ok(());
        }
    }
    done(door, "/sandbox/remove", "The sandbox is gone. The next words make a new one.", json).await
}

/// What the flags of `approve` mean.
pub enum Verdict {
    Yes,
    Session,
    Always,
    No(Option<String>),
    Words(String),
}

impl Verdict {
    pub fn from_flags(no: bool, always: bool, session: bool, words: Vec<String>) -> Self {
        let words = Some(words.join(" ")).filter(|w| !w.is_empty());
        match words {
            words if no => Self::No(words),
            _ if always => Self::Always,
            _ if session => Self::Session,
            Some(words) => Self::Words(words),
            None => Self::Yes,
        }
    }
}

/// Answers the open approval `number`.
pub async fn approve(door: &LocalDoor, number: u32, verdict: Verdict, json: bool) -> Result<(), Problem> {
    let open = door.get("/approvals").await?;
    let approval =
        open.as_array().into_iter().flatten().find(|a| a["number"] == number).ok_or(Code::UnknownApproval)?;
    let decide = match verdict {
        Verdict::Yes => Choice::Allow,
        Verdict::Session => Choice::AllowSession,
        Verdict::Always => Choice::AllowAlways,
        Verdict::No(message) => Choice::Deny { message },
        Verdict::Words(words) => Choice::Answer { words },
    };
    let word = |key: &str| approval[key].as_str().unwrap_or_default().to_owned();
    let done = door.post(&format!("/approvals/{}", word("id")), &Decide { hash: word("hash"), decide }).await?;
    match json {
        true => println!("{done}"),
        false => println!("#{number}: {}", done["decision"]["decision"].as_str().unwrap_or_default()),
    }
    Ok(())
}
