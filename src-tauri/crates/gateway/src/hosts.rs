//! "May it reach this host?": a connection that no rule lets out waits while the owner is asked, at the one gate. Many
//! connections to one host are one question, and one answer is for all of them.

use crate::{
    approvals::internal,
    clock,
    gateway::App,
    sessions::Scene,
    wire::desk::{HostAllowed, HostOfPackages, Hosts},
};
use domain::{
    Code, Problem, SessionId, Timestamp,
    approval::{Approval, Decision, Subject, host_and_port},
    event::Event,
};
use egress::{HostAsk, HostRule};
use serde_json::Value;
use std::time::Duration;
use store::{
    Rows, Tx, approvals, events,
    hosts::{self, HostAnswer, Kept},
    sessions,
};

/// How long a plain yes or no holds: a package's installation makes hundreds of connections over minutes, and a program that
/// was refused tries again and again.
const A_WHILE: Duration = Duration::from_secs(15 * 60);
/// Hosts one session may have open questions about, and ask for within an hour: a program inside can think up any number of
/// names, and each would reach a person.
const MOST_OPEN: usize = 5;
const MOST_AN_HOUR: usize = 30;
/// Events of a session that are looked through for the command that runs.
const LOOKED_BACK: usize = 50;
/// Bytes of that command that go into the question.
const COMMAND: usize = 300;

/// How things stand with a host.
enum Stands {
    Allowed,
    Refused,
    /// The owner is being asked.
    Open,
    /// Nobody was asked yet.
    New,
    /// The session asks for too many.
    TooMany,
}

/// Lets a connection through if the owner said so, or does within `patience`; none: nobody is asked. The question stays open
/// after that, so that the answer holds for the next try.
///
/// # Errors
/// `HOST_BLOCKED`.
pub async fn admit(app: &App, ask: HostAsk, patience: Option<Duration>) -> Result<(), Problem> {
    let (host, port) = (ask.host.clone(), ask.port);
    let (Some(session), Some(patience)) = (ask.payer.session, patience) else { return said(app, &ask).await };
    match tokio::time::timeout(patience, answered(app, session, &ask)).await {
        Ok(answer) => answer,
        Err(_) => Err(blocked(format!("{} waits for the owner's word.", host_and_port(&host, port)))
            .suggest("Go on without it, or try again later: the owner can still allow it.")),
    }
}

/// What was said before, where nobody is asked now.
async fn said(app: &App, ask: &HostAsk) -> Result<(), Problem> {
    let (session, host, port, now) = (ask.payer.session, ask.host.clone(), ask.port, clock::now());
    let said = app.store.read(move |r| hosts::says(r, session, &host, port, now)).await;
    match said.map_err(internal)? {
        Some(true) => Ok(()),
        Some(false) | None => Err(not_listed(&ask.host, ask.port)),
    }
}

/// No rule names the host, and nobody is asked.
pub fn not_listed(host: &str, port: u16) -> Problem {
    blocked(format!("{host}:{port} is not in egress.allow."))
}

fn blocked(why: String) -> Problem {
    Problem::with_detail(Code::HostBlocked, why)
}

async fn answered(app: &App, session: SessionId, ask: &HostAsk) -> Result<(), Problem> {
    let mut events = app.store.bells().events.subscribe();
    loop {
        events.mark_unchanged();
        let name = host_and_port(&ask.host, ask.port);
        match look(app, session, ask).await.map_err(internal)? {
            Stands::Allowed => return Ok(()),
            Stands::Refused => {
                return Err(blocked(format!("The owner did not allow {name}.")).suggest("Go on without it."));
            }
            Stands::TooMany => {
                let why = format!("{name} was not asked for: this session has asked for too many hosts.");
                return Err(blocked(why).suggest("Go on without it, or ask the owner for a rule in egress.allow."));
            }
            Stands::Open | Stands::New => {}
        }
        if events.changed().await.is_err() {
            return Err(not_listed(&ask.host, ask.port));
        }
    }
}

/// How it stands, and asks the owner if nobody did. Only a first question is written: a flood of connections only reads.
async fn look(app: &App, session: SessionId, ask: &HostAsk) -> store::Result<Stands> {
    let (host, port, now) = (ask.host.clone(), ask.port, clock::now());
    let known = app.store.read(move |r| stands(r, session, &host, port, now)).await?;
    if !matches!(known, Stands::New) {
        return Ok(known);
    }
    let (host, turn, scene) = (ask.host.clone(), ask.payer.turn, Scene::of(app, session));
    let asking = move |tx: &Tx<'_>| {
        // Another connection may have been quicker.
        let known = stands(tx, session, &host, port, now)?;
        if matches!(known, Stands::New) {
            let doing = command(tx, session)?;
            scene.ask(tx, None, Subject::Host { host, port, doing }, turn, now)?;
        }
        Ok(known)
    };
    app.store.write(asking).await
}

fn stands(rows: &impl Rows, session: SessionId, host: &str, port: u16, now: Timestamp) -> store::Result<Stands> {
    match hosts::says(rows, Some(session), host, port, now)? {
        Some(true) => return Ok(Stands::Allowed),
        Some(false) => return Ok(Stands::Refused),
        None => {}
    }
    let open: Vec<Approval> = approvals::all_open(rows)?.into_iter().filter(|a| a.session == session).collect();
    let about = |a: &&Approval| matches!(a.subject, Subject::Host { .. });
    let this = |a: &Approval| matches!(&a.subject, Subject::Host { host: h, port: p, .. } if h == host && *p == port);
    if open.iter().any(this) {
        return Ok(Stands::Open);
    }
    let hour_ago = Timestamp(now.0 - 3_600_000);
    let many = open.iter().filter(about).count() >= MOST_OPEN
        || approvals::hosts_asked_since(rows, session, hour_ago)? >= MOST_AN_HOUR;
    Ok(if many { Stands::TooMany } else { Stands::New })
}

/// The command that runs in the session now, for the owner to know what wants the host.
fn command(rows: &impl Rows, session: SessionId) -> store::Result<Option<String>> {
    let mut ended = Vec::new();
    for stored in events::of_session_before(rows, session, i64::MAX, LOOKED_BACK)?.into_iter().rev() {
        match stored.event {
            Event::ToolFinished { id, .. } => ended.push(id),
            Event::ToolUsed { id, tool, input, .. } if !ended.contains(&id) => {
                let command = input.get("command").and_then(Value::as_str).map_or(tool, str::to_owned);
                let end = command.floor_char_boundary(COMMAND);
                return Ok(Some(command[..end].to_owned()));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// What an answer to such a question means for the next connections, in the transaction that closes it.
pub fn keep_answer(tx: &Tx<'_>, approval: &Approval, decision: &Decision, now: Timestamp) -> store::Result<()> {
    let Subject::Host { host, port, .. } = &approval.subject else { return Ok(()) };
    let here = Some(approval.session);
    let (allowed, session, until) = match decision {
        Decision::AllowedAlways { .. } => (true, None, None),
        Decision::AllowedSession => (true, here, None),
        Decision::Allowed | Decision::Answered { .. } => (true, here, Some(now + A_WHILE)),
        Decision::Denied { .. } | Decision::Expired | Decision::Withdrawn => (false, here, Some(now + A_WHILE)),
    };
    let answer = HostAnswer { host: host.clone(), port: *port, session, allowed, until, approval: Some(approval.id) };
    hosts::add(tx, &answer, now).map(drop)
}

/// What is allowed until it is taken back.
///
/// # Errors
/// As the store's.
pub async fn shown(app: &App) -> Result<Hosts, Problem> {
    let all = app.store.read(|r| {
        let shown = |kept: Kept| {
            let session = match kept.answer.session {
                Some(session) => sessions::get(r, session)?.map(|s| s.number),
                None => None,
            };
            let approval = match kept.answer.approval {
                Some(approval) => approvals::get(r, approval)?.map(|a| a.number),
                None => None,
            };
            let host = host_and_port(&kept.answer.host, kept.answer.port);
            Ok(HostAllowed { id: kept.id, host, at: kept.at.0, session, approval })
        };
        hosts::for_good(r)?.into_iter().map(shown).collect::<store::Result<Vec<_>>>()
    });
    Ok(Hosts { hosts: all.await.map_err(internal)?, packages: packages(app).await })
}

async fn packages(app: &App) -> Vec<HostOfPackages> {
    if !app.settings.rules().packages {
        return Vec::new();
    }
    let known = app.packages.hosts(&app.workshop).await.into_iter();
    known.map(|p| HostOfPackages { host: host_and_port(&p.host, p.port), manager: p.manager.to_string() }).collect()
}

/// Allows `host` (`name`, `name:port`) in every session.
///
/// # Errors
/// `BAD_REQUEST` where it names no one host.
pub async fn allow(app: &App, host: &str, now: Timestamp) -> Result<(), Problem> {
    let rule: HostRule = host.trim().parse().map_err(|e| {
        Problem::with_detail(Code::BadRequest, format!("{e}."))
            .suggest("Write it as in example.com or example.com:8443; *.example.com goes into egress.allow.")
    })?;
    let Some((host, port)) = rule.one_host() else {
        return Err(Problem::with_detail(Code::BadRequest, "Whole domains are rules of the config.")
            .suggest("Put it into egress.allow, in the settings."));
    };
    let answer = HostAnswer { host: host.to_owned(), port, session: None, allowed: true, until: None, approval: None };
    app.store.write(move |tx| hosts::add(tx, &answer, now)).await.map_err(internal)?;
    Ok(())
}

/// Takes one back: the next connection to it is asked for again.
///
/// # Errors
/// `NOT_FOUND` if it does not stand.
pub async fn take_back(app: &App, id: i64) -> Result<(), Problem> {
    let now = clock::now();
    match app.store.write(move |tx| hosts::take_back(tx, id, now)).await.map_err(internal)? {
        true => Ok(()),
        false => Err(Problem::with_detail(Code::NotFound, "No such host is allowed.")
            .suggest("Look at those there are: lanyard hosts")),
    }
}
