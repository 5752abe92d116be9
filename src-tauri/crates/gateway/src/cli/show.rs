//! What the commands that look print.

use super::{
    client::LocalDoor,
    say::{asked, brief},
};
use crate::config::{Paths, Written};
use console::style;
use domain::{Code, Problem, Timestamp, shown::shown};
use serde_json::Value;
use std::process::ExitCode;

/// Prints `value` as JSON, or hands it to `words`.
fn print(value: &Value, json: bool, words: impl FnOnce(&Value)) -> Result<(), Problem> {
    match json {
        true => println!("{value:#}"),
        false => words(value),
    }
    Ok(())
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// `14:05:09`, in the owner's time zone.
fn clock(value: &Value) -> String {
    let at = value.as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}

/// `3 min ago`.
fn ago(value: &Value) -> String {
    let seconds = crate::clock::now().since(Timestamp(value.as_i64().unwrap_or_default())).as_secs();
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

fn line(name: &str, says: impl std::fmt::Display) {
    println!("{:<10} {}", style(name).bold(), lines(&says.to_string(), 11));
}

/// `text` within the terminal's width (80 where there is none); further lines begin at `column`.
fn lines(text: &str, column: usize) -> String {
    let width = console::Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns)).max(40);
    let words = textwrap::Options::new(width.saturating_sub(column)).break_words(false);
    textwrap::wrap(text, words).join(&format!("\n{:column$}", ""))
}

pub async fn status(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    print(&door.get("/status").await?, json, |s| {
        line(
            "lanyard",
            format!("{}, up for {} min", word(s, "version"), s["uptime_ms"].as_u64().unwrap_or(0) / 60_000),
        );
        match s["public_url"].as_str() {
            Some(url) => line("address", format!("{url}, here {}", word(s, "address"))),
            None => line("address", format!("{} (no public address)", word(s, "address"))),
        }
        if s["tunnel"]["status"]["state"] != "off" {
            line("tunnel", word(&s["tunnel"], "words"));
        }
        if let Some(page) = super::tunnel::page_in_the_way(&s["tunnel"]) {
            line("", page);
        }
        if s["lan"]["status"]["state"] != "off" {
            line("lan", word(&s["lan"], "words"));
        }
        let sandbox = &s["sandbox"];
        let more = ["step", "message"].iter().find_map(|key| sandbox[*key].as_str()).unwrap_or_default();
        line("sandbox", shown(format!("{} {more}", word(sandbox, "state")).trim_end()));
        line("texting", if s["texting"] == true { "on" } else { "off" });
        for out in rows(&s["opted_out"]) {
            line("opted out", format!("{} (the owner texts START to the number to opt in again)", word(out, "number")));
        }
        if s["refused_signatures"].as_u64() > Some(0) {
            line("refused", format!("{} request(s) with a wrong signature", s["refused_signatures"]));
        }
        match s["open_approvals"].as_u64() {
            Some(n) if n > 0 => line("to answer", format!("{n} (lanyard approve shows what)")),
            _ => line("to answer", "nothing"),
        }
        let today = &s["today"];
        match rows(&today["windows"]).collect::<Vec<_>>()[..] {
            [] => line(
                "today",
                format!("${:.4} for {} responses", today["dollars"].as_f64().unwrap_or(0.0), today["responses"]),
            ),
            ref windows => {
                let used = |w: &&Value| format!("{} % of {}", w["percent"], word(w, "name"));
                let used: Vec<String> = windows.iter().map(used).collect();
                let tokens: u64 =
                    today["tokens"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
                line("today", format!("{tokens} tokens; used of the subscription: {}", used.join(", ")));
            }
        }
    })
}

pub async fn sessions(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    print(&door.get("/sessions").await?, json, |list| {
        for s in rows(list) {
            let doing = s["doing"].as_str().map(|d| format!(" ({d})")).unwrap_or_default();
            let title = if word(s, "title").is_empty() { "new session" } else { word(s, "title") };
            let title = lines(&shown(&format!("{title}{doing}")), 29);
            println!("{:>3}  {:<9} {:<12} {title}", s["number"], word(s, "state"), ago(&s["last_at"]));
        }
        if rows(list).next().is_none() {
            println!("No sessions yet. Say something: lanyard send \"...\"");
        }
    })
}

pub async fn approvals(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    print(&door.get("/approvals").await?, json, |list| {
        rows(list).for_each(approval);
        if rows(list).next().is_none() {
            println!("Nothing is waiting for an answer.");
        }
    })
}

/// All that it allows, as it is: what does not fit the terminal's width is the terminal's to break.
fn approval(a: &Value) {
    let number = &a["number"];
    let left =
        Timestamp(a["expires_at"].as_i64().unwrap_or_default()).since(crate::clock::now()).as_secs().div_ceil(60);
    let risk = if a["kind"] == "question" { String::new() } else { format!("{} risk, ", word(a, "risk")) };
    println!("{} {} ({risk}{left} min left)", style(format!("#{number}")).bold(), word(a, "kind"));
    word(a, "shown").lines().for_each(|text| println!("    {text}"));
    match word(a, "kind") {
        "question" => println!("  lanyard approve {number} ANSWER (several: a ; between), or --no"),
        "host" => println!("  lanyard approve {number} (15 minutes), --session, or --no"),
        _ => println!("  lanyard approve {number}, or lanyard approve {number} --no WHY"),
    }
    let rules: Vec<&str> = rows(&a["always"]).filter_map(Value::as_str).collect();
    if !rules.is_empty() {
        let how_long = match word(a, "kind") {
            "host" => "in every session, until lanyard hosts forget",
            _ => "for all of this session",
        };
        println!("  lanyard approve {number} --always, {how_long}:");
        rules.iter().for_each(|rule| println!("    {}", shown(rule)));
    }
    println!();
}

pub async fn letters(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    print(&door.get("/letters").await?, json, |list| {
        for l in rows(list) {
            let status = l["status"].as_str().unwrap_or_else(|| word(l, "state"));
            let (how, id) = if l["push"].is_null() { ("text", &l["id"]) } else { ("push", &l["push"]) };
            println!("{how} {id:>4}  {:<12} {:<16} {status}", ago(&l["created_at"]), shown(word(l, "to")));
            if !word(l, "why").is_empty() {
                println!("      {}", lines(&shown(word(l, "why")), 6));
            }
        }
        if rows(list).next().is_none() {
            println!("No texts and no pushes yet.");
        }
    })
}

pub async fn reached(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    print(&door.get("/reached").await?, json, |list| {
        for r in rows(list) {
            let verdict = if r["allowed"] == true { style("allowed").green() } else { style("blocked").red() };
            let carried = format!("{} in, {} out", r["bytes_in"], r["bytes_out"]);
            println!("{}  {verdict}  {}:{}  {carried}", clock(&r["at"]), word(r, "host"), r["port"]);
        }
        if rows(list).next().is_none() {
            println!("Nothing was reached, and nothing was refused.");
        }
    })
}

/// What happened in the sessions; with `follow` goes on until interrupted.
pub async fn logs(door: &LocalDoor, follow: bool, json: bool) -> Result<(), Problem> {
    let last = door.get("/last").await?["seq"].as_i64().unwrap_or(0);
    let after = (last - 100).max(0);
    if last == 0 && !follow {
        if !json {
            println!("Nothing has happened yet.");
        }
        return Ok(());
    }
    door.lines(&format!("/stream?after={after}"), |entry| {
        if entry["type"] == "event" {
            match json {
                true => println!("{entry}"),
                false => event(&entry),
            }
        }
        follow || entry["seq"].as_i64().is_none_or(|seq| seq < last)
    })
    .await
}

/// What people and agents wrote must not steer the terminal.
fn safe(value: &Value, key: &str) -> String {
    shown(word(value, key))
}

fn event(entry: &Value) {
    let e = &entry["event"];
    let says = match word(e, "type") {
        "said" => format!("{} {}", style("said").cyan(), safe(e, "text")),
        "answered" => format!("{} {}", style("answered").green(), safe(e, "text")),
        "tool_used" => format!("{} {} {}", style("used").dim(), safe(e, "tool"), brief(&e["input"])),
        "asked" => format!("{} #{} {}", style("asked").yellow(), e["number"], asked(e)),
        "resolved" => format!("{} {}", style("resolved").yellow(), word(&e["decision"], "decision")),
        "turn_ended" => {
            let seconds = e["duration_ms"].as_f64().unwrap_or_default() / 1000.0;
            format!("{} after {seconds:.1} s", style(word(e, "outcome")).dim())
        }
        "failed" => format!("{} {} {}", style("failed").red(), word(e, "code"), safe(e, "detail")),
        "noticed" => format!("{} {}", style("noticed").dim(), safe(e, "text")),
        "artifact_made" => format!("{} {}", style("picture").green(), safe(e, "caption")),
        "mode_changed" => format!("{} {}", style("mode").dim(), word(e, "mode")),
        "tool_finished" | "turn_started" => return,
        other => other.replace('_', " "),
    };
    println!("{} {:>3}  {}", clock(&entry["at"]), entry["number"].to_string(), lines(&says, 14));
}

/// What was shut, and what could not be.
pub async fn lock(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    let shut = door.post("/lock", &()).await?;
    if json {
        println!("{shut}");
        return Ok(());
    }
    for said in shut["says"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        println!("{said}");
    }
    for failed in shut["failed"].as_array().into_iter().flatten() {
        println!("NOT done: {} {}", word(failed, "message"), word(failed, "suggestion"));
    }
    println!("Open again with: lanyard unlock");
    Ok(())
}

/// What is well and what is not; gives 1 if anything is broken. Without a running Lanyard: what can be seen from outside, and
/// why it may not start.
pub async fn doctor(door: &LocalDoor, paths: &Paths, json: bool) -> Result<ExitCode, Problem> {
    let findings = match door.get("/doctor").await {
        Ok(findings) => findings,
        Err(problem) if problem.code == Code::NotRunning => {
            let findings = crate::doctor::without_a_gateway(paths).await;
            serde_json::to_value(findings).unwrap_or_default()
        }
        Err(problem) => return Err(problem),
    };
    print(&findings, json, |findings| rows(findings).for_each(finding))?;
    let broken = rows(&findings).any(|finding| word(finding, "state") == "broken");
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn finding(f: &Value) {
    let mark = match word(f, "state") {
        "well" => style("ok").green(),
        "note" => style("!!").yellow(),
        _ => style("no").red(),
    };
    let says = lines(word(f, "says"), 15);
    println!("{mark}  {:<10} {says}", style(word(f, "what")).bold());
    if !word(f, "mend").is_empty() {
        println!("{:15}{}", "", lines(&format!("-> {}", word(f, "mend")), 18));
    }
}

/// The config as it is used: what the file says, and every default beside it.
pub fn config(written: &Written, json: bool) {
    let text = match json {
        true => serde_json::to_string_pretty(written).map(|text| text + "\n").map_err(|e| e.to_string()),
        false => toml::to_string(written).map_err(|e| e.to_string()),
    };
    match text {
        Ok(text) => print!("{text}"),
        Err(e) => eprintln!("The config could not be shown: {e}"),
    }
}
