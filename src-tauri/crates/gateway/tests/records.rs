//! What was kept, at the local door: what was spent, what happened, and Claude Code's own history taken in.

mod api_world;
mod world;

use api_world::{Phone, events, local, raw};
use domain::{
    Timestamp,
    usage::{MicroDollars, Tokens},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use store::usage;
use tokio::process::Command;
use world::{Running, Wish, World};

/// As Claude Code 2.1.197 wrote it; a key is in it.
const HISTORY: &str = include_str!("../../../../sandbox/tests/history/2.1.197.jsonl");
const KEY: &str = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";
const ID: &str = "11111111-2222-4333-8444-555555555557";

/// A home of Claude Code with this conversation.
fn history(w: &World, contents: &str) -> PathBuf {
    let folder = w.home().join("claude/projects/-work-shop");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{ID}.jsonl"));
    fs::write(&file, contents).unwrap();
    file
}

async fn ask(running: &Running, path: &str) -> Value {
    let said = local(&running.app, "GET", path, None).await;
    assert_eq!(said.status, 200, "{path}: {}", said.text);
    said.body
}

/// The last line of an import.
async fn bring(running: &Running, paths: Value) -> Value {
    let said = local(&running.app, "POST", "/import", Some(&json!({ "paths": paths }))).await;
    let lines: Vec<Value> = said.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (done, progress) = lines.split_last().unwrap();
    assert!(progress.iter().all(|line| line["type"] == "progress"), "{}", said.text);
    assert_eq!(done["type"], "done");
    done.clone()
}

#[tokio::test]
async fn a_conversation_of_claude_code_is_taken_in_once_with_its_times_and_without_its_secrets() {
    let w = World::new(Wish::default()).await;
    let file = history(&w, HISTORY);
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "Ada's phone").await;
    let mut socket = phone.socket(&running.app, Some(0)).await;
    socket.of_type("caughtUp").await;
    let found = ask(&running, "/import").await;
    assert_eq!((&found[0]["project"], &found[0]["first_words"]), (&json!("/work/shop"), &json!("Write the invoice")));
    assert_eq!((&found[0]["known"], &found[0]["path"]), (&json!(false), &json!(file)));
    let done = bring(&running, json!([])).await;
    assert_eq!((&done["sessions"], &done["events"], &done["redacted"]), (&json!(1), &json!(9), &json!(1)));
    assert_eq!(done["skipped"], json!([]));
    let again = bring(&running, json!([file, "/etc/passwd"])).await;
    assert_eq!((&again["sessions"], &again["skipped"][0]["path"]), (&json!(0), &json!("/etc/passwd")));
    assert_eq!(ask(&running, "/import").await[0]["known"], true);

    let hits = phone.get(&running.app, "/api/search?q=invoice").await;
    assert!(hits.body["hits"].as_array().unwrap().len() >= 2, "{}", hits.text);
    let page = phone.get(&running.app, "/api/sessions?agent=imported&state=closed&tag=shop").await;
    let session = &page.body["sessions"][0];
    assert_eq!((&session["title"], &session["last_at"]), (&json!("Write the invoice"), &json!(1_795_285_843_538_i64)));
    let id = session["id"].as_str().unwrap();
    let newest = phone.get(&running.app, &format!("/api/sessions/{id}/events?limit=5")).await;
    let first = newest.body["events"][0]["seq"].as_i64().unwrap();
    let older = phone.get(&running.app, &format!("/api/sessions/{id}/events?before={first}")).await;
    let frames = [&older.body["events"], &newest.body["events"]].map(|v| v.as_array().unwrap().clone()).concat();
    assert_eq!((frames.len(), &older.body["more"]), (9, &json!(false)));
    assert_eq!((&frames[0]["data"]["kind"], &frames[0]["data"]["at"]), (&json!("said"), &json!(1_795_285_841_759_i64)));
    let exported = phone.get(&running.app, &format!("/api/sessions/{id}/export")).await;
    assert!(exported.text.contains("invoice") && exported.text.contains("[secret taken out]"), "{}", exported.text);
    let told = ask(&running, "/activity").await;
    assert_eq!((&told["items"][0]["kind"], told["items"].as_array().unwrap().len()), (&json!("imported"), 2), "{told}");

    // It went on since: only what is new is taken.
    let more = r#"{"type":"user","timestamp":"2026-11-21T18:40:00Z","message":{"content":"One thing more"}}"#;
    fs::write(&file, format!("{HISTORY}{more}\nno json at all\n")).unwrap();
    let done = bring(&running, json!([])).await;
    assert_eq!((&done["sessions"], &done["events"]), (&json!(1), &json!(1)));
    assert!(done["skipped"][0]["why"].as_str().unwrap().contains("One line"), "{done}");
    // What was imported is in nobody's stream: the next event a phone hears is what happens here.
    let live = events(&running, 1).await;
    let heard = socket.until(|f| f["seq"].is_i64()).await;
    assert_eq!((&heard["seq"], &heard["data"]["session_id"]), (&json!(1), &json!(live.to_string())));
    running.stop().await;
    for entry in fs::read_dir(w.home().join("data")).unwrap().flatten().filter(|e| e.path().is_file()) {
        let bytes = fs::read(entry.path()).unwrap();
        let holds = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
        assert!(!holds, "{} holds the key", entry.path().display());
    }
}

#[tokio::test]
async fn the_command_line_lists_and_imports() {
    let w = World::new(Wish::default()).await;
    history(&w, HISTORY);
    let running = w.start().await;
    let says = async |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        let output = command.args(arguments).env("LANYARD_HOME", w.home()).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(says(&["import", "--list"]).await.contains("Write the invoice"));
    let said = says(&["import"]).await;
    assert!(said.contains("Imported 1 conversations, 9 events.") && said.contains("1 secrets"), "{said}");
    let again: Value = serde_json::from_str(&says(&["--json", "import"]).await).unwrap();
    assert_eq!(again["sessions"], 0);
    running.stop().await;
}

#[tokio::test]
async fn what_was_spent_is_told_by_day_and_by_session_and_stands_beside_the_session() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let session = events(&running, 1).await;
    let spend = running.app.store.write(move |tx| {
        for at in [1_774_738_799_999_i64, 1_774_738_800_000] {
            let tokens = Tokens { input: 5, output: 1, ..Tokens::default() };
            let (model, cost) = ("claude".into(), MicroDollars(250_000));
            let row =
                usage::Spent { session: Some(session), turn: None, model, tokens, cost, priced: true, status: 200 };
            usage::record(tx, &row, Timestamp(at))?;
        }
        Ok(())
    });
    spend.await.unwrap();
    let span = "from=1774656000000&to=1774915200000&tz=Europe/Berlin";
    let days = ask(&running, &format!("/usage?{span}")).await;
    let told: Vec<(&str, f64)> = days["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["key"].as_str().unwrap(), r["dollars"].as_f64().unwrap()))
        .collect();
    assert_eq!(told[..2], [("2026-03-28", 0.25), ("2026-03-29", 0.25)], "{days}");
    assert_eq!((&days["total"]["dollars"], &days["total"]["tokens_in"]), (&json!(0.5), &json!(10)));
    let sessions = ask(&running, &format!("/usage?{span}&by=session")).await;
    assert_eq!(
        (&sessions["rows"][0]["key"], &sessions["rows"][0]["label"]),
        (&json!(session.to_string()), &json!("#1 made"))
    );
    assert_eq!(ask(&running, &format!("/usage?{span}&by=agent")).await["rows"][0]["key"], "claude");
    local(&running.app, "GET", "/usage?by=week", None).await.is(400, "BAD_REQUEST");
    local(&running.app, "GET", "/usage?tz=Mars", None).await.is(400, "BAD_REQUEST");
    let phone = Phone::pair(&running.app, "Ada's phone").await;
    let shown = phone.get(&running.app, &format!("/api/sessions/{session}")).await;
    assert_eq!((&shown.body["cost_dollars"], &shown.body["tokens"]["input"]), (&json!(0.5), &json!(10)));
    running.stop().await;
}

#[tokio::test]
async fn what_happened_is_told_by_page_kind_and_words_the_refused_signatures_too() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = running.app.clone();
    let phone = Phone::pair(&app, "Ada's phone").await;
    w.text("list").await;
    let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
    assert_eq!(raw(&app, "POST", "/sms", &[form], b"Body=hi".to_vec()).await.status, 403);
    local(&app, "POST", &format!("/phones/{}/revoke", phone.id), None).await;
    let revoked = ask(&running, "/activity?kind=revoked,paired").await;
    let titles: Vec<&str> = revoked["items"].as_array().unwrap().iter().map(|i| i["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Revoked: Ada's phone", "Paired: Ada's phone"]);
    assert_eq!(ask(&running, "/activity?q=ada&limit=1").await["items"][0]["kind"], "revoked");
    let first = ask(&running, "/activity?limit=1").await;
    let next = ask(&running, &format!("/activity?limit=1&before={}", first["next"].as_str().unwrap())).await;
    assert_ne!(first["items"][0]["id"], next["items"][0]["id"]);
    for bad in ["kind=flown", "limit=0", "limit=x", "before=y"] {
        local(&app, "GET", &format!("/activity?{bad}"), None).await.is(400, "BAD_REQUEST");
    }
    // They are written down when Lanyard stops, at the latest.
    running.stop().await;
    let again = w.start().await;
    let refused = ask(&again, "/activity?kind=signature_refused").await;
    assert_eq!(refused["items"][0]["title"], "A request to the texting door was not signed by Twilio");
    again.stop().await;
}
