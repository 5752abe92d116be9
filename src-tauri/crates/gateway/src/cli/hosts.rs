//! What the sandbox may reach by the owner's answers, from the command line.

use super::{client::LocalDoor, keys, resolved};
use crate::config::Paths;
use clap::Subcommand;
use console::style;
use domain::{Code, Problem};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum HostsAction {
    /// The sandbox may reach this host, in every session: name or name:port.
    Allow { host: String },
    /// It is asked for again.
    Forget { host: String },
    /// Keep a credential for rules of egress.credentials that say secret=NAME; it is read from standard input.
    Secret {
        name: String,
        /// Forget it.
        #[arg(long)]
        remove: bool,
    },
}

pub async fn act(door: &LocalDoor, paths: &Paths, action: Option<HostsAction>, json: bool) -> Result<(), Problem> {
    let shown = match action {
        Some(HostsAction::Secret { name, remove }) => {
            return keys::set_for_host(&resolved(paths)?, door, &name, remove).await;
        }
        None => door.get("/hosts").await?,
        Some(HostsAction::Allow { host }) => door.post("/hosts", &json!({ "host": host })).await?,
        Some(HostsAction::Forget { host }) => forget(door, &host).await?,
    };
    match json {
        true => println!("{shown}"),
        false => tell(&shown),
    }
    Ok(())
}

/// All that stands for the host, in one session or in all.
async fn forget(door: &LocalDoor, host: &str) -> Result<Value, Problem> {
    let mut shown = door.get("/hosts").await?;
    let of_host = |h: &&Value| h["host"].as_str() == Some(host);
    let ids: Vec<i64> = rows(&shown).filter(of_host).filter_map(|h| h["id"].as_i64()).collect();
    if ids.is_empty() {
        return Err(Problem::with_detail(Code::NotFound, format!("{host} is not among those you allowed."))
            .suggest("Look at those there are: lanyard hosts. Rules of the config are in egress.allow."));
    }
    for id in ids {
        shown = door.post(&format!("/hosts/{id}/forget"), &()).await?;
    }
    Ok(shown)
}

fn rows(shown: &Value) -> impl Iterator<Item = &Value> {
    shown["hosts"].as_array().into_iter().flatten()
}

fn tell(shown: &Value) {
    for h in rows(shown) {
        let where_ = match h["session"].as_u64() {
            Some(number) => format!("in session {number}"),
            None => "in every session".to_owned(),
        };
        println!("{:<40} {}", h["host"].as_str().unwrap_or_default(), style(where_).dim());
    }
    let packages = shown["packages"].as_array().map_or(&[][..], Vec::as_slice);
    for p in packages {
        let why = format!("packages of {}", p["manager"].as_str().unwrap_or_default());
        println!("{:<40} {}", p["host"].as_str().unwrap_or_default(), style(why).dim());
    }
    if rows(shown).next().is_none() && packages.is_empty() {
        println!("No host was allowed by an answer. Rules of the config are in egress.allow.");
    }
}
