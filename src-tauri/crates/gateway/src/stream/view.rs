//! How sessions, artifacts and the gateway itself look from outside.

pub use super::tasks::{NEWEST, task, tasks};

use super::letters;
use crate::{
    approvals, clock,
    gateway::App,
    links::{self, Target},
    pairing::{Caller, Who},
    sessions::{Glance, SandboxState},
    wire::{
        ApprovalShown, ArtifactShown, HouseStatus, SessionCount, SessionShown, SessionState, Welcome, WhoKind, You,
    },
};
use domain::{Problem, SessionId, TurnId, approval::Approval};
use store::{Rows, artifacts, listing, sessions::SessionRow, usage};

/// The protocol's version, in `welcome`.
pub const PROTOCOL: u32 = 1;
/// Sessions in `welcome`.
const SESSIONS: usize = 50;
/// Artifacts that are listed at once.
const ARTIFACTS: usize = 500;

/// A session's row with what it does right now.
pub fn session(rows: &impl Rows, row: SessionRow, glance: Option<&Glance>) -> store::Result<SessionShown> {
    let spent = usage::of_session(rows, row.id)?;
    Ok(SessionShown {
        id: row.id.0,
        number: row.number,
        title: row.title,
        agent: row.agent,
        permission_mode: row.mode.into(),
        model: row.model,
        state: SessionState::of(row.open, glance.map(|g| g.state)),
        doing: glance.and_then(|g| g.doing.clone()),
        waiting: glance.map_or(0, |g| g.waiting),
        tags: listing::tags(rows, row.id)?,
        created_at: row.created_at.0,
        last_at: row.last_at.0,
        cost_dollars: spent.cost.dollars(),
        tokens: spent.tokens.into(),
    })
}

/// The gateway and what is around it.
pub async fn house(app: &App) -> HouseStatus {
    let (sandbox, sandbox_says) = match app.workshop.state().await {
        SandboxState::Unknown => ("unknown", None),
        SandboxState::Preparing { step } => ("preparing", Some(step)),
        SandboxState::Ready => ("ready", None),
        SandboxState::Paused => ("paused", None),
        SandboxState::Trouble { message, .. } => ("trouble", Some(message)),
    };
    let tunnel = app.address.status().borrow().clone();
    HouseStatus {
        sandbox: sandbox.into(),
        sandbox_says,
        tunnel: app.address.url(),
        tunnel_state: tunnel.word().to_owned(),
        tunnel_says: tunnel.problem().map(|why| why.message.clone()),
        lan: app.lan.urls(),
        sessions: SessionCount { active: app.registry.active(), max: app.config.api.sessions },
    }
}

/// A session's artifacts (of one turn alone if it is named), each with a link that works for a while without a token.
///
/// # Errors
/// As the store's.
pub async fn artifacts(app: &App, session: SessionId, turn: Option<TurnId>) -> Result<Vec<ArtifactShown>, Problem> {
    let (life, now) = (app.config.sms.picture_life, clock::now());
    let key = app.link_key().await.clone();
    let shown = app.store.write(move |tx| {
        let outlines = artifacts::outlines(tx, session, turn, ARTIFACTS)?;
        let show = |a: artifacts::Outline| {
            let link = links::make(tx, Target::Media(a.id), life, now)?;
            Ok(ArtifactShown {
                id: a.id.0,
                media_type: a.media_type,
                caption: a.caption,
                bytes: a.bytes,
                created_at: a.created_at.0,
                url: key.path(&link).unwrap_or_default(),
                expires_at: link.expires_at.0,
            })
        };
        outlines.into_iter().map(show).collect::<store::Result<Vec<_>>>()
    });
    shown.await.map_err(approvals::internal)
}

/// The sessions last used.
///
/// # Errors
/// As the store's.
pub async fn latest(app: &App) -> Result<Vec<SessionShown>, Problem> {
    let glances = app.registry.glances();
    let found = app.store.read(move |r| {
        let rows = store::sessions::latest(r, SESSIONS)?;
        rows.into_iter()
            .map(|row| {
                let glance = glances.get(&row.id);
                session(r, row, glance)
            })
            .collect()
    });
    found.await.map_err(approvals::internal)
}

/// The whole picture, read at one moment for what the store holds.
///
/// # Errors
/// As the store's.
pub async fn welcome(app: &App, caller: &Caller) -> Result<Welcome, Problem> {
    let read = app.store.read(|r| Ok((store::events::last(r)?, open_approvals(r)?, letters::newest(r)?)));
    let (last_event, approvals, letters) = read.await.map_err(approvals::internal)?;
    Ok(Welcome {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: clock::now().0,
        you: you(caller),
        status: house(app).await,
        sessions: latest(app).await?,
        tasks: tasks(app, None, NEWEST).await?.tasks,
        approvals,
        letters,
        last_event,
    })
}

/// All that wait for an answer, by number.
///
/// # Errors
/// As the store's.
pub fn open_approvals(rows: &impl Rows) -> store::Result<Vec<ApprovalShown>> {
    store::approvals::all_open(rows)?.iter().map(|a| approval(rows, a)).collect()
}

/// An approval, and where it was asked.
///
/// # Errors
/// As the store's.
pub fn approval(rows: &impl Rows, approval: &Approval) -> store::Result<ApprovalShown> {
    let asked = store::approvals::event_of(rows, approval.id)?;
    let sent = asked.map(|event| letters::sent(rows, event)).transpose()?.unwrap_or_default();
    Ok(ApprovalShown::of(approval, sent))
}

/// Who a caller is, as it is told.
pub fn you(caller: &Caller) -> You {
    let kind = match caller.who {
        Who::Phone(_) => WhoKind::Phone,
        Who::Token(_) => WhoKind::Token,
        Who::Owner => WhoKind::Owner,
    };
    You { kind, id: caller.id(), name: caller.name.to_string(), scopes: caller.scopes.iter().map(Into::into).collect() }
}
