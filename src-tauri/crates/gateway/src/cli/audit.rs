//! The audit from the command line.

use super::client::LocalDoor;
use clap::Subcommand;
use domain::Problem;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum AuditAction {
    /// Whether every row stands as it was written and none is gone; ends with 1 if not.
    Verify,
    /// All of it as JSON lines, oldest first.
    Export,
}

pub async fn act(door: &LocalDoor, action: &AuditAction, json: bool) -> Result<ExitCode, Problem> {
    match action {
        AuditAction::Export => {
            let print = |row: Value| {
                println!("{row}");
                true
            };
            door.lines("/audit", print).await.map(|()| ExitCode::SUCCESS)
        }
        AuditAction::Verify => {
            let shown = door.post("/audit/verify", &()).await?;
            match json {
                true => println!("{shown}"),
                false => tell(&shown),
            }
            Ok(if shown["broken"].is_null() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn tell(shown: &Value) {
    if let Some(says) = shown["broken"]["says"].as_str() {
        return println!("The audit was tampered with. {says}");
    }
    let signed = match shown["signed"].as_i64() {
        Some(row) => format!("signed up to row {row}"),
        None => "not signed yet".to_owned(),
    };
    let (last, cut) = (shown["rows"].as_i64().unwrap_or(0), shown["cut"].as_i64().unwrap_or(0));
    println!("{} rows, each as it was written; {signed}.", last - cut);
    if cut > 0 {
        println!("Rows up to {cut} were cut off with age; a signed line stands for them.");
    }
}
