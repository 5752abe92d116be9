//! What is well and what is not, and how to mend each: engine, image, key, database, disk, clock, public address, tunnel, local
//! network, Twilio.

mod database;
mod image;
mod lan;
mod mend;
mod offline;
mod settings;
mod tunnel;

pub use crate::wire::desk::{Finding, FindingState as State};
pub use mend::{Fix, mend};
pub use offline::without_a_gateway;

use crate::{
    config::Resolved,
    gateway::App,
    secrets::{Secrets, accounts::taken},
    sms::texting::Stands,
};
use accounts::{anthropic::check_key, keychain::Account};
use domain::{Code, Problem};
use sandbox::Health;
use std::{future::Future, path::Path, time::Duration};

/// Free space below which things start to fail, and below which a word is due. The image takes 2 GB.
const DISK_LEAST: u64 = 500 << 20;
const DISK_LOW: u64 = 5 << 30;
/// How to come by an engine.
const DOCKER: &str = "https://docs.docker.com/engine/install/";
/// A clock further off than this breaks TLS and Twilio's dates.
const CLOCK_OFF: Duration = Duration::from_secs(90);
/// The engine's few answers take tens of milliseconds; a computer that is busy is given time.
const ENGINE_ANSWERS: Duration = Duration::from_secs(10);

fn found(what: &str, state: State, says: impl Into<String>, mend: impl Into<String>) -> Finding {
    let (what, says, mend) = (what.into(), says.into(), mend.into());
    Finding { what, state, says, mend, fix: None, fix_label: None, link: None }
}

fn well(what: &str, says: impl Into<String>) -> Finding {
    found(what, State::Well, says, "")
}

fn note(what: &str, says: impl Into<String>, mend: impl Into<String>) -> Finding {
    found(what, State::Note, says, mend)
}

fn broken(what: &str, problem: Problem) -> Finding {
    found(what, State::Broken, format!("{} ({})", problem.message, problem.code), problem.suggestion)
}

impl Finding {
    /// It can be mended from within.
    fn by(self, fix: Fix) -> Self {
        Self { fix: Some(fix.name().to_owned()), fix_label: Some(fix.label().to_owned()), ..self }
    }

    /// Where to read on.
    fn read_at(self, link: &str) -> Self {
        Self { link: Some(link.to_owned()), ..self }
    }
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
    findings.extend(settings::finding(app));
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
        vec![broken("engine", Problem::with_detail(Code::NoEngine, why).suggest("Start Docker again.")).read_at(DOCKER)]
    };
    tokio::time::timeout(ENGINE_ANSWERS, asked).await.unwrap_or_else(|_| silent())
}

async fn asked_engine(app: &App) -> Vec<Finding> {
    let info = match app.workshop.engine_info().await {
        Ok(info) => info,
        Err(problem) => return vec![broken("engine", problem).read_at(DOCKER)],
    };
    let engine = well("engine", format!("Docker {} answers.", info.version));
    let sandbox = match app.workshop.health().await {
        Ok(Health::Well) => well("sandbox", "It runs and its relay answers."),
        Ok(Health::Absent) => {
            note("sandbox", "It was not made yet.", "It is made when you first say something.").by(Fix::MakeSandbox)
        }
        Ok(Health::Paused { .. }) => note("sandbox", "It is paused.", "lanyard resume.").by(Fix::ResumeSandbox),
        Ok(Health::NoRelay | Health::Stopped { .. }) => {
            note("sandbox", "It does not run.", "It is mended when you say something.").by(Fix::MakeSandbox)
        }
        Ok(Health::NoEngine) => broken("sandbox", Code::NoEngine.into()),
        Err(problem) => broken("sandbox", problem).by(Fix::MakeSandbox),
    };
    let image = match app.workshop.building() {
        Some(progress) => note("image", progress.says, "It takes about two minutes."),
        None => image::finding(app.workshop.image_state().await),
    };
    vec![engine, image, sandbox]
}

async fn key(config: &Resolved, secrets: &Secrets) -> Finding {
    let secret = match secrets.look(Account::Anthropic).await {
        Ok(secret) => secret,
        Err(e) => return broken("key", e.problem(Account::Anthropic)),
    };
    let place = secret.source.to_string();
    match check_key(&config.model_base, &secret.value).await {
        Ok(state) => match taken(&state, &format!("key from {place}")) {
            Some(says) => well("key", says),
            None => {
                let code = state.code().unwrap_or(Code::KeyRefused);
                broken("key", Problem::with_detail(code, format!("It came from {place}.")))
            }
        },
        Err(e) => broken(
            "key",
            Problem::with_detail(e.code(), "The Anthropic key could not be checked.").suggest("Check the network."),
        ),
    }
}

async fn texting(app: &App) -> Vec<Finding> {
    let stands = app.texting.stands();
    let account = crate::settings::file(app).is_ok_and(|file| !file.written.twilio.account_sid.is_empty());
    if account && matches!(stands, Stands::NotSetUp) {
        return vec![note("twilio", "None of the Twilio account's numbers is chosen: no texting.", "Set twilio.from.")];
    }
    let mut findings = twilio(&stands).await;
    if stands.open().is_some() {
        findings.push(tunnel::webhook(app).await);
    }
    findings
}

async fn twilio(stands: &Stands) -> Vec<Finding> {
    let texting = match stands {
        Stands::Open(texting) => texting,
        Stands::Shut { why, .. } => return vec![broken("twilio", why.clone()).by(Fix::OpenTexting)],
        Stands::NotSetUp => {
            let mend = "Set [twilio] in the config and lanyard config set-key twilio.";
            return vec![note("twilio", "No Twilio account is set up: no texting.", mend)];
        }
    };
    let account = match texting.twilio.account().await {
        Ok(account) => well("twilio", format!("The account \"{}\" is {}.", account.friendly_name, account.status)),
        Err(e) => return vec![broken("twilio", Problem::with_detail(e.code(), e))],
    };
    let allowed = match texting.settings.allow.len() {
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
        )
        .by(Fix::TunnelOn);
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
