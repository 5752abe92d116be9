//! Every command of the command line against a gateway that runs, with words and with --json.

mod world;

use serde_json::{Value, json};
use standins::anthropic::{Script, Step};
use std::process::Output;
use tokio::process::Command;
use world::{LATER, Wish, World};

async fn run(w: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command.args(arguments).env("LANYARD_HOME", w.home()).env("LANYARD_RELAY", world::relay()).kill_on_drop(true);
    let output = tokio::time::timeout(LATER, command.output()).await.expect("it ends").unwrap();
    if std::env::var_os("LANYARD_SHOW").is_some() {
        let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        eprintln!("$ lanyard {}\n{words}", arguments.join(" "));
    }
    output
}

/// What a command that succeeds prints.
async fn words(w: &World, arguments: &[&str]) -> String {
    let output = run(w, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// The same, as JSON: one value or a line for each.
async fn values(w: &World, arguments: &[&str]) -> Vec<Value> {
    let output = run(w, &[arguments, &["--json"]].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect();
    values.unwrap_or_else(|e| panic!("{arguments:?}: {e}: {output:?}"))
}

async fn refused(w: &World, arguments: &[&str], code: &str, suggestion: &str) {
    let output = run(w, arguments).await;
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {words}");
    assert!(words.contains(code) && words.contains(suggestion), "{words}");
}

fn scripts() -> Vec<Script> {
    let bash = |command: &str| Step::tool("Bash", json!({ "command": command, "description": "Count" }));
    let option = |label: &str| json!({ "label": label, "description": "so" });
    let ask = json!({ "questions": [{ "question": "Which colour?", "header": "Colour", "multiSelect": false,
        "options": [option("Red"), option("Blue")] }] });
    vec![
        Script::when("hello").step(Step::text("Hello there.")),
        Script::when("count").step(bash("python3 -c 1")).step(Step::text("Counted.")),
        Script::when("paint").step(Step::tool("AskUserQuestion", ask)).step(Step::text("Painted.")),
        Script::when("hold").step(Step::text("Holding.").hold()),
    ]
}

async fn open_approval(w: &World) -> Value {
    let look = async {
        loop {
            let open = values(w, &["approve"]).await.remove(0);
            if let Some(approval) = open.get(0) {
                return approval.clone();
            }
        }
    };
    tokio::time::timeout(LATER, look).await.unwrap()
}

#[tokio::test]
async fn every_command_does_and_prints_what_it_says() {
    world::relay();
    let w = World::new(Wish { sandbox: true, scripts: scripts(), ..Wish::default() }).await;
    let running = w.start().await;

    assert!(words(&w, &["sessions"]).await.contains("No sessions yet."));
    assert!(words(&w, &["approve"]).await.contains("Nothing is waiting"));
    assert!(words(&w, &["logs"]).await.contains("Nothing has happened yet."));
    assert!(words(&w, &["logs", "--letters"]).await.contains("No texts and no pushes yet."));
    assert!(words(&w, &["logs", "--reached"]).await.contains("Nothing was reached"));

    let said = words(&w, &["send", "hello"]).await;
    assert!(said.contains("Hello there.") && said.contains("Session 1."), "{said}");
    let events = values(&w, &["send", "--session", "1", "hello"]).await;
    assert!(events.iter().any(|e| e["event"]["type"] == "turn_ended"), "{events:?}");
    refused(&w, &["send", "--session", "99", "hello"], "UNKNOWN_SESSION", "lanyard sessions").await;
    let queued = values(&w, &["send", "--no-wait", "hello"]).await;
    assert_eq!(queued[0]["session"], 2);

    let list = values(&w, &["sessions"]).await.remove(0);
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert!(words(&w, &["sessions"]).await.contains("hello"));
    words(&w, &["sessions", "--close", "2"]).await;
    refused(&w, &["sessions", "--halt", "99"], "UNKNOWN_SESSION", "lanyard sessions").await;

    words(&w, &["send", "--no-wait", "--session", "1", "count"]).await;
    let asked = open_approval(&w).await;
    assert_eq!(asked["shown"], "run: python3 -c 1\n  description: \"Count\"");
    let shown = words(&w, &["approve"]).await;
    assert!(shown.contains("run: python3 -c 1") && shown.contains("lanyard approve 1"), "{shown}");
    assert!(words(&w, &["status"]).await.contains("to answer  1 (lanyard approve shows what)"));
    refused(&w, &["approve", "99"], "UNKNOWN_APPROVAL", "lanyard approve").await;
    assert_eq!(words(&w, &["approve", "1", "--no", "use", "node"]).await, "#1: denied\n");
    words(&w, &["send", "--no-wait", "--session", "1", "paint"]).await;
    open_approval(&w).await;
    refused(&w, &["approve", "2"], "#2 is a question.", "lanyard approve 2 1").await;
    let answered = values(&w, &["approve", "2", "blue"]).await;
    assert_eq!(answered[0]["decision"]["answers"], json!(["Blue"]));

    words(&w, &["mode", "acceptEdits", "1"]).await;
    assert_eq!(values(&w, &["mode", "default"]).await[0]["mode"], "default");
    let wrong = run(&w, &["mode", "yolo"]).await;
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("acceptEdits"), "{wrong:?}");

    let logs = values(&w, &["logs"]).await;
    assert!(logs.iter().any(|e| e["event"]["type"] == "answered"));
    let told = words(&w, &["logs"]).await;
    assert!(told.contains("  1  answered Hello there.") && told.contains("asked #1 run: python3 -c 1"), "{told}");
    assert!(told.contains("mode acceptEdits") && told.lines().all(|line| line.chars().count() <= 80), "{told}");
    w.text("menu").await;
    w.arrives(world::SOON).await;
    assert!(words(&w, &["logs", "--letters"]).await.contains(world::OWNER));
    values(&w, &["logs", "--reached"]).await;

    let findings = values(&w, &["doctor"]).await.remove(0);
    let state = |what: &str| findings.as_array().unwrap().iter().find(|f| f["what"] == what).unwrap()["state"].clone();
    for what in ["engine", "image", "sandbox", "key", "database"] {
        assert_eq!(state(what), "well", "{findings:#}");
    }
    assert!(words(&w, &["doctor"]).await.lines().all(|line| line.chars().count() <= 80));
    let used = words(&w, &["config"]).await;
    assert!(used.contains("public_url = \"https://desk.example\""), "{used}");
    assert_eq!(values(&w, &["config"]).await[0]["server"]["public_url"], "https://desk.example");
    assert_eq!(values(&w, &["config", "check"]).await[0]["fine"], true);

    words(&w, &["send", "--no-wait", "--session", "1", "hold"]).await;
    words(&w, &["sessions", "--halt", "1"]).await;
    assert_eq!(words(&w, &["pause"]).await, "The sandbox is frozen. Go on with: lanyard resume\n");
    assert_eq!(values(&w, &["status"]).await[0]["sandbox"]["state"], "paused");
    assert!(words(&w, &["status"]).await.contains("paused"));
    assert_eq!(values(&w, &["resume"]).await[0], json!({}));
    assert!(words(&w, &["send", "hello"]).await.contains("Hello there."));
    assert_eq!(words(&w, &["remove", "--yes"]).await, "The sandbox is gone. The next words make a new one.\n");
    assert_eq!(words(&w, &["stop"]).await, "Lanyard stops.\n");
    running.ends().await;
    refused(&w, &["status"], "NOT_RUNNING", "lanyard serve").await;
    let alone = run(&w, &["doctor"]).await;
    let seen = String::from_utf8_lossy(&alone.stdout);
    assert!(alone.status.code() == Some(1) && seen.contains("image") && seen.contains("It is whole."), "{seen}");
}
