//! What is well and what is not, and how to mend each: engine, image, key, database, disk, clock, public address, tunnel, local
//! network, Twilio.

mod database;
mod image;
mod lan;
mod offline;
mod tunnel;

pub use offline::without_a_gateway;

use crate::{config::Resolved, gateway::App, secrets::Secrets, sms::texting::Texting};
use accounts::{
    anthropic::{KeyState, check_key},
    keychain::Account,
};
use domain::{Code, Problem};
use sandbox::Health;
use serde::{Deserialize, Serialize};
use std::{future::Future, path::Path, time::Duration};

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// `engine`, `key`, ...
    pub what: String,
    pub state: State,
    /// What was seen, in a sentence.
    pub says: String,
    /// What to do; empty if nothing.
    pub mend: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Well,
    /// Works, but something is worth knowing.
    Note,
    Broken,
}

/// Free space below which things start to fail, and below which a word is due. The image takes 2 GB.
const DISK_LEAST: u64 = 500 << 20;
const DISK_LOW: u64 = 5 << 30;
/// A clock further off than this breaks TLS and Twilio's dates.
const CLOCK_OFF: Duration = Duration::from_secs(90);
/// The engine's few answers take tens of milliseconds; a computer that is busy is given time.
const ENGINE_ANSWERS: Duration = Duration::from_secs(10);

fn well(what: &str, says: impl Into<String>) -> Finding {
    Finding { what: what.into(), state: State::Well, says: says.into(), mend: String::new() }
}

fn note(what: &str, says: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { what: what.into(), state: State::Note, says: says.into(), mend: mend.into() }
}

fn broken(what: &str, problem: Problem) -> Finding {
    let says = format!("{} ({})", problem.message, problem.code);
    Finding { what: what.into(), state: State::Broken, says, mend: problem.suggestion }
}

/// Looks at everything; takes a few seconds.
pub async fn examine(app: &App) -> Vec<Finding> {
    let (engine, key, twilio, public, lan, clock) = tokio::join!(
        engine(app),
        key(&app.config, &app.secrets),
        texting(app),
        public_address(app),
        lan::finding(app),
        clock(&app.config)
    );
    let mut findings = engine;
    findings.push(key);
    findings.extend(twilio);
    findings.push(public);
    findings.extend(tunnel::findings(app));
    findings.extend(lan);
    findings.push(clock);
    findings.push(database::database(&app.paths).await);
    findings.push(disk(&app.paths.data));
    findings
}

async fn engine(app: &App) -> Vec<Finding> {
    in_time(asked_engine(app)).await
}

/// An engine that hangs takes connections and never answers.
async fn in_time(asked: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    let silent = || {
        let why = format!("It took the question and did not answer within {} s.", ENGINE_ANSWERS.as_secs());
        vec![broken("engine", Problem::with_detail(Code::NoEngine, why).suggest("Start Docker again."))]
    };
    tokio::time::timeout(ENGINE_ANSWERS, asked).await.unwrap_or_else(|_| silent())
}

async fn asked_engine(app: &App) -> Vec<Finding> {
    let info = match app.workshop.engine_info().await {
        Ok(info) => info,
        Err(problem) => return vec![broken("engine", problem)],
    };
    let engine = well("engine", format!("Docker {} answers.", info.version));
    let sandbox = match app.workshop.health().await {
        Ok(Health::Well) => well("sandbox", "It runs and its relay answers."),
        Ok(Health::Absent) => note("sandbox", "It was not made yet.", "It is made when you first say something."),
        Ok(Health::Paused { .. }) => note("sandbox", "It is paused.", "lanyard resume."),
        Ok(Health::NoRelay | Health::Stopped { .. }) => {
            note("sandbox", "It does not run.", "It is mended when you say something.")
        }
        Ok(Health::NoEngine) => broken("sandbox", Code::NoEngine.into()),
        Err(problem) => broken("sandbox", problem),
    };
    vec![engine, image::finding(app.workshop.image_state().await), sandbox]
}

async fn key(config: &Resolved, secrets: &Secrets) -> Finding {
    let secret = match secrets.look(Account::Anthropic).await {
        Ok(secret) => secret,
        Err(e) => return broken("key", e.problem()),
    };
    let place = secret.source.to_string();
    match check_key(&config.model_base, &secret.value).await {
        Ok(KeyState::Works) => well("key", format!("The Anthropic key from {place} works.")),
        Ok(state) => {
            let code = state.code().unwrap_or(Code::KeyRefused);
            broken("key", Problem::with_detail(code, format!("It came from {place}.")))
        }
        Err(e) => broken(
            "key",
            Problem::with_detail(e.code(), "The Anthropic key could not be checked.").suggest("Check the network."),
        ),
    }
}

async fn texting(app: &App) -> Vec<Finding> {
    let mut findings = twilio(&app.config, &app.secrets, app.texting.as_ref()).await;
    if app.texting.is_some() {
        findings.push(tunnel::webhook(app).await);
    }
    findings
}

async fn twilio(config: &Resolved, secrets: &Secrets, texting: Option<&Texting>) -> Vec<Finding> {
    let Some(settings) = &config.twilio else {
        let mend = "Set [twilio] in the config and lanyard config set-key twilio.";
        return vec![note("twilio", "No Twilio account is set up: no texting.", mend)];
    };
    let Some(texting) = texting else {
        let why = match secrets.look(Account::Twilio).await {
            Ok(_) => Problem::with_detail(Code::TwilioMissing, "Its auth token is there now.")
                .suggest("Start Lanyard again."),
            Err(e) => e.problem(),
        };
        return vec![broken("twilio", why)];
    };
    let account = match texting.twilio.account().await {
        Ok(account) => well("twilio", format!("The account \"{}\" is {}.", account.friendly_name, account.status)),
        Err(e) => return vec![broken("twilio", Problem::with_detail(e.code(), e))],
    };
    let allowed = match settings.allow.len() {
        0 => note("numbers", "No number may text Lanyard.", "Put yours into twilio.allow."),
        n => well("numbers", format!("{n} number(s) may text Lanyard.")),
    };
    vec![account, allowed]
}

/// The public address, asked from here: does it lead to this Lanyard?
async fn public_address(app: &App) -> Finding {
    let Some(url) = app.address.url() else {
        return note(
            "address",
            "There is no public address.",
            "Open the tunnel (lanyard tunnel on), or set server.public_url in the config.",
        );
    };
    let past_ngroks_page = [("ngrok-skip-browser-warning", "1")];
    match app.config.tunnel.visitor().page(&format!("{url}/health"), &past_ngroks_page).await {
        Ok(answer) if answer.status == 200 => well("address", format!("{url} leads here.")),
        Ok(answer) => {
            note("address", format!("{url} answers {}.", answer.status), "Check the tunnel and server.public_url.")
        }
        Err(e) => note("address", format!("{url} cannot be reached: {e}."), "Check the tunnel and the network."),
    }
}

/// This computer's clock against the model's side, by the Date of its answer.
async fn clock(config: &Resolved) -> Finding {
    let theirs = match accounts::reach::head(config.model_base.as_str()).await {
        Ok(answer) => answer.date,
        Err(e) => return note("clock", format!("The clock could not be compared: {e}."), "Check the network."),
    };
    let ours = crate::clock::now();
    match theirs.map(|theirs| ours.since(theirs).max(theirs.since(ours))) {
        Some(off) if off > CLOCK_OFF => {
            note("clock", format!("This computer's clock is {} s off.", off.as_secs()), "Set it by the network's time.")
        }
        Some(_) => well("clock", "This computer's clock is right."),
        None => note("clock", "The clock could not be compared.", ""),
    }
}

fn disk(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(about) => {
            let free = about.f_bavail * about.f_frsize;
            let says = format!("{:.1} GB are free.", free as f64 / 1e9);
            match free {
                n if n < DISK_LEAST => broken("disk", Problem::with_detail(Code::DiskFull, says)),
                n if n < DISK_LOW => note("disk", says, "Free some space: an image takes 2 GB."),
                _ => well("disk", says),
            }
        }
        Err(e) => note("disk", format!("Free space could not be read: {e}."), ""),
    }
}
