//! The rows that Lanyard is measured by: `bench ROW` measures one and prints its figures as the last line, in JSON. Ours and
//! the other are taken in turn in the same run. `cargo xtask bench` runs the rows and draws the table.
//!
//! From the environment: `LANYARD_PROGRAM` (the release program), `LANYARD_RELAY` and `LANYARD_BASE` as the program wants them.

mod desk;
mod door;
mod engine;
mod figures;
mod history;
mod host;
mod load;
mod phone;
mod rows;
mod talk;

use anyhow::{Result, bail};
use figures::Figures;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let [row] = named.as_slice() else {
        rows::NAMES.iter().for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    match measure(row).await {
        Ok(figures) => {
            figures.print();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{row}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(row: &str) -> Result<Figures> {
    use rows::{
        caught_up, cold_turn, egress, fan_out, idle_memory, open_long, page_weight, sandbox_start, sandbox_wake,
        search, sms_ack, start_up, task, warm_turn,
    };
    match row {
        "warm-turn" => warm_turn::against_cold().await,
        "added-latency" => warm_turn::against_warm().await,
        "cold-turn" => cold_turn::measure().await,
        "egress" => egress::measure().await,
        "sms-ack" => sms_ack::measure().await,
        "sandbox-start" => sandbox_start::measure().await,
        "sandbox-wake" => sandbox_wake::measure().await,
        "idle-memory" => idle_memory::measure().await,
        "start-up" => start_up::measure().await,
        "fan-out" => fan_out::measure().await,
        "search" => search::measure().await,
        "caught-up" => caught_up::measure().await,
        "open-long" => open_long::measure().await,
        "page-weight" => page_weight::measure().await,
        "task" => task::first_word().await,
        "second-clone" => task::second_clone().await,
        _ => bail!("There is no row {row}. There are: {}", rows::NAMES.join(", ")),
    }
}
