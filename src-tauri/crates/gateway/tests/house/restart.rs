//! Starting again in the same process.

use crate::{
    api_world::local,
    get, post, well,
    world::{SOON, Wish, World, until},
};
use gateway::Ended;
use serde_json::{Value, json};
use std::process::Stdio;
use store::inbox;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::Command,
};

#[tokio::test]
async fn the_answer_to_restart_arrives_and_the_next_run_goes_by_the_changed_file() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let first = get(&running.app, "/home").await["started_at"].as_i64();
    w.text("menu").await;
    let patch = json!({ "limits": { "sessions": 3 } });
    let changed = well(local(&running.app, "PATCH", "/settings", Some(&patch)).await);
    assert_eq!(changed["restart_needed"], true);
    let said = local(&running.app, "POST", "/restart", None).await;
    assert_eq!((said.status, said.body["started_at"].as_i64()), (202, first), "{}", said.text);
    assert_eq!(running.ends().await, Ended::Restart);
    let again = w.start().await;
    let home = get(&again.app, "/home").await;
    assert_eq!((&home["restart_needed"], &home["house"]["sessions"]["max"]), (&json!(false), &json!(3)));
    assert!(home["started_at"].as_i64() > first);
    let kept = again.app.store.read(|r| inbox::count(r)).await.unwrap();
    assert_eq!(kept, 1, "what was said before is there");
    again.app.stop.cancel();
    assert_eq!(again.ends().await, Ended::Stop);
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_before_anything_stops() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = taken.local_addr().unwrap().to_string();
    well(local(&running.app, "PATCH", "/settings", Some(&json!({ "server": { "listen": at } }))).await);
    local(&running.app, "POST", "/restart", None).await.is(409, "PORT_TAKEN");
    get(&running.app, "/home").await;
    running.stop().await;
}

/// An answer of the door at this socket file; None while nobody is there.
async fn ask(w: &World, method: &str, path: &str, body: &Value) -> Option<Value> {
    let mut stream = UnixStream::connect(w.paths().local_door()).await.ok()?;
    let body = body.to_string();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: local\r\ncontent-type: application/json\r\nconnection: close\r\n");
    let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(whole.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

#[tokio::test]
async fn the_program_stays_the_same_process_and_its_command_waits_for_the_next_run() {
    let w = World::new(Wish::default()).await;
    let lanyard = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command.args(arguments).env("LANYARD_HOME", w.home()).stdin(Stdio::null()).stderr(Stdio::null());
        command.stdout(Stdio::piped()).kill_on_drop(true);
        command
    };
    let mut serving = lanyard(&["serve"]).spawn().unwrap();
    let first = until(SOON, async || ask(&w, "GET", "/home", &json!({})).await).await;
    ask(&w, "PATCH", "/settings", &json!({ "limits": { "sessions": 4 } })).await.unwrap();
    let said = lanyard(&["restart"]).output().await.unwrap();
    assert!(said.status.success() && String::from_utf8_lossy(&said.stdout).contains("runs again"), "{said:?}");
    let second = ask(&w, "GET", "/home", &json!({})).await.unwrap();
    assert!(second["started_at"].as_i64() > first["started_at"].as_i64());
    assert_eq!(second["house"]["sessions"]["max"], 4);
    assert!(serving.try_wait().unwrap().is_none(), "the same process");
    ask(&w, "POST", "/stop", &json!({})).await.unwrap();
    assert!(tokio::time::timeout(SOON, serving.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn mending_by_a_restart_is_a_restart() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    well(local(&running.app, "PATCH", "/settings", Some(&json!({ "agent": { "model": "opus" } }))).await);
    let findings = get(&running.app, "/doctor").await;
    let settings = findings.as_array().unwrap().iter().find(|f| f["what"] == "settings").unwrap();
    assert!(settings["says"].as_str().unwrap().contains("agent.model"), "{settings}");
    assert_eq!(settings["fix"], "restart");
    post(&running.app, "/mend/restart", json!({})).await;
    assert_eq!(running.ends().await, Ended::Restart);
}
