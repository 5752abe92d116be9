//! Pairing a phone, and the phones and tokens there are.

use super::client::LocalDoor;
use clap::Subcommand;
use console::style;
use domain::{Code, Problem};
use serde_json::{Value, json};
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};
use tunnel::qr::Qr;

/// Wide enough to be scanned from a screen: a square of a drawn code, in pixels.
const SQUARE: u32 = 8;
/// From a code's end to the next one.
const LATE: Duration = Duration::from_millis(200);

#[derive(Subcommand)]
pub enum PhonesAction {
    /// Give a phone another name.
    Rename { phone: String, name: String },
    /// What a phone may do: read, chat, approve, terminal, preview, tasks.
    Allow {
        phone: String,
        #[arg(required = true)]
        scopes: Vec<String>,
    },
    /// A phone may not come in any more; its open page closes at once.
    Revoke { phone: String },
    /// This was not me: revoke it, and replace the code that is shown.
    NotMe { phone: String },
    /// The API tokens there are.
    Tokens,
    /// Make an API token for a script. It is shown this once.
    MakeToken {
        name: String,
        #[arg(required = true)]
        scopes: Vec<String>,
    },
    /// An API token opens nothing any more.
    RevokeToken { token: String },
}

/// Shows the link to pair with, the next one as soon as it has run out, and says who paired.
pub async fn pair(door: &LocalDoor, wait: bool, picture: Option<&Path>, json: bool) -> Result<(), Problem> {
    let before = ids(&door.get("/phones").await?);
    let mut shown = door.post("/pairing", &()).await?;
    loop {
        if let Some(file) = picture {
            draw(word(&shown, "url"), file)?;
        }
        match json {
            true => println!("{shown}"),
            false => show_code(&shown, &door.get("/tunnel").await?),
        }
        if !wait {
            return Ok(());
        }
        if let Some(phone) = paired(door, &before, shown["expires_at"].as_i64().unwrap_or(0)).await? {
            tell_paired(&phone, json);
            return Ok(());
        }
        shown = door.get("/pairing").await?;
        let screen = console::Term::stdout();
        if !json && screen.is_term() {
            let _it_is_below_then = screen.clear_screen();
        }
    }
}

/// The phone that paired until then (in milliseconds since 1970); none if nobody did.
async fn paired(door: &LocalDoor, before: &[String], until: i64) -> Result<Option<Value>, Problem> {
    let mut paired = None;
    let watching = door.lines("/phones/changes", |all| {
        let new = |p: &&Value| !before.iter().any(|known| known == word(p, "id"));
        paired = all["phones"].as_array().into_iter().flatten().find(new).cloned();
        paired.is_none()
    });
    // A moment longer: a phone that came with the last of it is still this code's.
    let patience = Duration::from_millis(u64::try_from(until - crate::clock::now().0).unwrap_or(0)) + LATE;
    match tokio::time::timeout(patience, watching).await {
        Ok(ended) => ended?,
        Err(_) => return Ok(None),
    }
    // The stream ended without a phone: so did Lanyard.
    paired.map(Some).ok_or(Code::NotRunning.into())
}

fn tell_paired(phone: &Value, json: bool) {
    if json {
        return println!("{phone}");
    }
    println!(
        "Paired: {} ({}, from {})",
        style(word(phone, "name")).bold(),
        word(phone, "browser"),
        word(phone, "address")
    );
    println!("Not you? lanyard phones not-me {}", word(phone, "id"));
}

/// The code as a picture that only the owner may read.
fn draw(url: &str, file: &Path) -> Result<(), Problem> {
    let qr = Qr::new(url).map_err(|e| Problem::with_detail(e.code(), e))?;
    let bytes = match file.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => qr.svg("Pair a phone").into_bytes(),
        Some("png") => qr.png(SQUARE).map_err(|e| Problem::with_detail(e.code(), e))?,
        _ => {
            let why = format!("{} ends neither in .svg nor in .png.", file.display());
            return Err(Problem::with_detail(Code::BadRequest, why).suggest("Name it as in --picture pair.png."));
        }
    };
    let opened = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(file);
    opened.and_then(|mut opened| opened.write_all(&bytes)).map_err(|e| {
        Problem::with_detail(Code::BadRequest, format!("{} could not be written: {e}.", file.display()))
            .suggest("Name a file in a folder you may write to.")
    })
}

/// The QR code, where the terminal has room for it, and the link.
fn show_code(shown: &Value, tunnel: &Value) {
    let url = word(shown, "url");
    let (rows, columns) = console::Term::stdout().size_checked().unwrap_or((24, 80));
    let room = |qr: &str| {
        qr.lines().count() < usize::from(rows) && qr.lines().all(|l| l.chars().count() <= usize::from(columns))
    };
    match Qr::new(url).map(|qr| qr.text()) {
        Ok(qr) if room(&qr) => println!("{qr}\nScan it with the phone, within two minutes, once. Or open this there:"),
        Ok(_) | Err(_) => println!("Open this on the phone, within two minutes, once:"),
    }
    println!("\n    {url}\n");
    match (url.starts_with("http://"), tunnel["status"]["state"] == "open") {
        (true, false) => {
            println!(
                "There is no public address yet, so only this computer gets there. lanyard tunnel on opens one.\n"
            );
        }
        (true, true) => println!("Only this computer gets there.\n"),
        (false, _) => show_nearby(url, shown),
    }
    if let Some(page) = super::tunnel::page_in_the_way(tunnel) {
        println!("{page}\n");
    }
}

/// How to get there within this network where names of it are not known.
fn show_nearby(url: &str, shown: &Value) {
    if let Some(nearby) = url.split_once(".local").and_then(|_| shown["also"][0].as_str()) {
        println!(
            "It leads there within this network, once the phone has the certificate (lanyard lan). Without the name:"
        );
        println!("\n    {nearby}\n");
    }
}

pub async fn act(door: &LocalDoor, action: Option<PhonesAction>, json: bool) -> Result<(), Problem> {
    let done = match action {
        None => return list(door, json).await,
        Some(PhonesAction::Tokens) => return tokens(door, json).await,
        Some(PhonesAction::Rename { phone, name }) => change(door, &phone, json!({ "name": name })).await?,
        Some(PhonesAction::Allow { phone, scopes }) => change(door, &phone, json!({ "scopes": scopes })).await?,
        Some(PhonesAction::Revoke { phone }) => post(door, &phone, "/revoke").await?,
        Some(PhonesAction::NotMe { phone }) => post(door, &phone, "/not-me").await?,
        Some(PhonesAction::MakeToken { name, scopes }) => {
            let made = door.post("/tokens", &json!({ "name": name, "scopes": scopes })).await?;
            if !json {
                println!("{}", word(&made, "token"));
                return Ok(());
            }
            made
        }
        Some(PhonesAction::RevokeToken { token }) => {
            door.post(&format!("/tokens/{}/revoke", escaped(&token)), &()).await?
        }
    };
    if json {
        println!("{done}");
    }
    Ok(())
}

async fn change(door: &LocalDoor, phone: &str, change: Value) -> Result<Value, Problem> {
    let id = find(door, phone).await?;
    door.post(&format!("/phones/{id}"), &change).await
}

async fn post(door: &LocalDoor, phone: &str, what: &str) -> Result<Value, Problem> {
    let id = find(door, phone).await?;
    door.post(&format!("/phones/{id}{what}"), &()).await
}

/// By id, or by a name that only one phone has.
async fn find(door: &LocalDoor, phone: &str) -> Result<String, Problem> {
    let all = door.get("/phones").await?;
    let phones: Vec<&Value> = all["phones"].as_array().into_iter().flatten().collect();
    let meant: Vec<&&Value> = phones.iter().filter(|p| word(p, "id") == phone).collect();
    let named = || phones.iter().filter(|p| word(p, "name").eq_ignore_ascii_case(phone) && p["revoked_at"].is_null());
    match (meant.as_slice(), named().collect::<Vec<_>>().as_slice()) {
        ([one], _) | ([], [one]) => Ok(word(one, "id").to_owned()),
        ([], []) => {
            Err(Problem::with_detail(Code::NotFound, "There is no such phone.").suggest("lanyard phones lists them."))
        }
        _ => Err(Problem::with_detail(Code::BadRequest, "Several phones have this name.")
            .suggest("Name it by its id: lanyard phones.")),
    }
}

async fn list(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    let all = door.get("/phones").await?;
    if json {
        println!("{all}");
        return Ok(());
    }
    let phones = all["phones"].as_array().map(Vec::as_slice).unwrap_or_default();
    for p in phones {
        let state = match (p["revoked_why"].as_str(), p["connected"].as_u64()) {
            (Some(why), _) => style(format!("revoked ({why})")).red(),
            (None, Some(1..)) => style("connected".to_owned()).green(),
            (None, _) => style("away".to_owned()),
        };
        println!("{}  {}  {state}", word(p, "id"), style(word(p, "name")).bold());
        println!("    {}, from {}", word(p, "browser"), word(p, "address"));
        println!("    may {}", words(&p["scopes"]));
    }
    if phones.is_empty() {
        println!("No phone is paired. Pair one: lanyard pair");
    }
    Ok(())
}

async fn tokens(door: &LocalDoor, json: bool) -> Result<(), Problem> {
    let all = door.get("/tokens").await?;
    if json {
        println!("{all}");
        return Ok(());
    }
    for t in all["tokens"].as_array().into_iter().flatten() {
        let state = if t["revoked_at"].is_null() { "" } else { "  revoked" };
        println!("{}  {}  may {}{state}", word(t, "id"), style(word(t, "name")).bold(), words(&t["scopes"]));
    }
    Ok(())
}

fn words(list: &Value) -> String {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn ids(all: &Value) -> Vec<String> {
    all["phones"].as_array().into_iter().flatten().map(|p| word(p, "id").to_owned()).collect()
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn escaped(part: &str) -> String {
    percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string()
}
