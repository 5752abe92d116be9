//! `lanyard import`: Claude Code's own history on this computer, listed and taken in.

use super::client::LocalDoor;
use domain::{Code, Problem};
use serde_json::{Value, json};

/// What could be taken in.
pub async fn list(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    let found = door.get("/import").await?;
    if json {
        println!("{found}");
        return Ok(());
    }
    let found = found.as_array().cloned().unwrap_or_default();
    for f in &found {
        let mark = if f["known"] == true { "imported" } else { "" };
        println!("{:>8} lines {mark:>8}  {}  {}", f["events"], word(f, "project"), word(f, "first_words"));
    }
    match found.is_empty() {
        true => println!("Claude Code has no history here."),
        false => println!("Take all of it in with: lanyard import"),
    }
    Ok(())
}

/// Takes these files in; none named: all.
pub async fn bring(door: &LocalDoor, paths: &[String], json: bool) -> Result<(), Problem> {
    let (mut done, wish) = (None, json!({ "paths": paths }));
    let lines = door.lines_of("/import", &wish, |line| {
        match line["type"].as_str() {
            Some("done") => done = Some(line),
            _ if json => {}
            _ => eprintln!("{} of {}  {}", line["done"], line["of"], word(&line, "path")),
        }
        true
    });
    lines.await?;
    let done = done.ok_or_else(|| Problem::with_detail(Code::NotRunning, "Lanyard stopped before it was done."))?;
    match json {
        true => println!("{done}"),
        false => tell(&done),
    }
    Ok(())
}

fn tell(done: &Value) {
    if done["stopped"] == true {
        println!("It was stopped; what was imported is there whole. The rest is taken in by the next import.");
    }
    println!("Imported {} conversations, {} events.", done["sessions"], done["events"]);
    if done["redacted"].as_u64() > Some(0) {
        println!("{} secrets in them were left out.", done["redacted"]);
    }
    for skipped in done["skipped"].as_array().into_iter().flatten() {
        println!("Not taken: {} {}", word(skipped, "path"), word(skipped, "why"));
    }
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
