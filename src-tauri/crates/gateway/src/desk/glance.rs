//! What a tray shows: everything at a glance, told anew when it changes.

use crate::{
    clock,
    gateway::App,
    sessions::{SandboxState, stops_every_turn},
};
use domain::{
    ApprovalId, Code, SessionId,
    approval::{Approval, GrantPolicy, Subject},
    risk::Risk,
};
use std::{collections::HashMap, time::Duration};
pub use store::tasks::Counts;
use store::{approvals, sessions, tasks};
use tokio::sync::watch;
use tunnel::TunnelStatus;

/// How things stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// What keeps agents from working, or people out, that does not mend by itself: one sentence and what to do.
    pub trouble: Option<String>,
    /// The public address is wanted and cannot be reached as things are; it is tried again by itself.
    pub offline: bool,
    pub sandbox: SandboxState,
    pub tunnel: TunnelGlance,
    /// Sessions whose agent works or starts, or that hold words for it; by number.
    pub working: Vec<AtWork>,
    /// What waits for the owner, the oldest first.
    pub approvals: Vec<OpenApproval>,
    /// How many tasks wait and are at work.
    pub tasks: Counts,
    /// Sessions that were used last, the newest first.
    pub recent: Vec<Recent>,
    /// A page elsewhere than at the desk, such as a phone's, is in front of somebody.
    pub looked_at: bool,
    /// A lost phone's lock holds.
    pub locked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelGlance {
    /// The switch.
    pub on: bool,
    /// `off`, `connecting`, `open` or `refused`.
    pub state: &'static str,
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtWork {
    pub id: SessionId,
    pub number: u32,
    pub title: String,
    /// The tool that runs.
    pub doing: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    pub id: SessionId,
    pub number: u32,
    pub title: String,
}

/// A question that is open.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenApproval {
    pub id: ApprovalId,
    pub number: u32,
    pub session: SessionId,
    pub session_number: u32,
    /// One line, as a text message would say it.
    pub words: String,
    /// All of it, over several lines.
    pub in_full: String,
    pub risk: Risk,
    /// What an answer must name: the hash of all of it.
    pub hash: String,
    pub pick: Pick,
    /// What the owner's policy lets a screen grant that anyone may stand before.
    pub on_lock_screen: bool,
}

/// How it is answered, beside no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    Allow,
    /// One of these.
    Option(Vec<String>),
    /// In words.
    Words,
}

/// Sessions in [`Glance::recent`].
const RECENT: usize = 6;
/// Between two looks: a tray is to show a change within a second, and agents may cause a hundred in one.
const PACE: Duration = Duration::from_millis(150);

/// Tells it until the gateway stops. Before the first look it says that nothing is known to be wrong.
pub(super) fn watch(app: &App) -> watch::Receiver<Glance> {
    let (tell, told) = watch::channel(Glance::blank());
    app.tasks.spawn(keep(app.clone(), tell));
    told
}

async fn keep(app: App, tell: watch::Sender<Glance>) {
    super::launched(&app).await;
    let (mut sessions, mut sandbox) = (app.registry.changes(), app.workshop.watch());
    let mut queue = app.store.bells().tasks.subscribe();
    let (mut events, mut tunnel) = (app.store.bells().events.subscribe(), app.address.status());
    let (mut looked_at, mut rules) = (app.callers.looked_at(), app.settings.watch_rules());
    let mut lock = app.lock.watch();
    loop {
        if let Ok(glance) = look(&app).await {
            tell.send_if_modified(|known| {
                let news = *known != glance;
                *known = glance;
                news
            });
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tell.closed() => return,
            _ = sessions.changed() => {}
            _ = sandbox.changed() => {}
            _ = events.changed() => {}
            _ = queue.changed() => {}
            _ = tunnel.changed() => {}
            _ = looked_at.changed() => {}
            _ = rules.changed() => {}
            _ = lock.changed() => {}
        }
        tokio::time::sleep(PACE).await;
    }
}

async fn look(app: &App) -> store::Result<Glance> {
    let (open, rows, numbers, tasks) = app
        .store
        .read(|r| {
            let open = approvals::all_open(r)?;
            let mut numbers = HashMap::new();
            for approval in &open {
                numbers.insert(approval.session, sessions::get(r, approval.session)?.map_or(0, |s| s.number));
            }
            Ok((open, sessions::latest(r, 50)?, numbers, tasks::counts(r)?))
        })
        .await?;
    let glances = app.registry.glances();
    let at_work = |row: &sessions::SessionRow| {
        let glance = glances.get(&row.id)?;
        let works = matches!(glance.state, "working" | "starting") || glance.waiting > 0;
        works.then(|| AtWork { id: row.id, number: row.number, title: row.title.clone(), doing: glance.doing.clone() })
    };
    let mut working: Vec<AtWork> = rows.iter().filter_map(at_work).collect();
    working.sort_by_key(|session| session.number);
    let (sandbox, status) = (app.workshop.state().await, app.address.status().borrow().clone());
    let (now, grants) = (clock::now(), app.settings.rules().grants);
    let open = open.into_iter().filter(|a| a.expires_at > now);
    Ok(Glance {
        trouble: trouble(app, &sandbox, &status),
        offline: matches!(&status, TunnelStatus::Connecting { why: Some(_), .. }),
        tunnel: TunnelGlance { on: app.address.switch.is_on(), state: status.word(), url: app.address.url() },
        sandbox,
        working,
        approvals: open.map(|a| shown(&a, numbers.get(&a.session), grants)).collect(),
        tasks,
        recent: rows.iter().take(RECENT).map(recent).collect(),
        looked_at: app.callers.anyone_looks_elsewhere(),
        locked: app.lock.is_shut(),
    })
}

fn recent(row: &sessions::SessionRow) -> Recent {
    Recent { id: row.id, number: row.number, title: row.title.clone() }
}

fn shown(approval: &Approval, session_number: Option<&u32>, grants: GrantPolicy) -> OpenApproval {
    OpenApproval {
        id: approval.id,
        number: approval.number,
        session: approval.session,
        session_number: session_number.copied().unwrap_or_default(),
        words: approval.subject.in_a_text().words.lines().next().unwrap_or_default().to_owned(),
        in_full: approval.subject.in_full(),
        risk: approval.risk,
        hash: approval.hash.clone(),
        pick: pick(&approval.subject),
        on_lock_screen: grants.on_lock_screen(approval),
    }
}

fn pick(subject: &Subject) -> Pick {
    match subject {
        Subject::Question { questions, .. } => match questions.as_slice() {
            [one] if !one.several && !one.options.is_empty() => {
                Pick::Option(one.options.iter().map(|o| o.label.clone()).collect())
            }
            _ => Pick::Words,
        },
        Subject::Tool { .. }
        | Subject::Plan { .. }
        | Subject::Rerun { .. }
        | Subject::Host { .. }
        | Subject::Spend { .. }
        | Subject::Push { .. } => Pick::Allow,
    }
}

/// What the owner has to see to, the worst first.
fn trouble(app: &App, sandbox: &SandboxState, tunnel: &TunnelStatus) -> Option<String> {
    if app.lock.is_shut() {
        let entry = Code::Locked.entry();
        return Some(format!("{} {}", entry.sentence, entry.suggestion));
    }
    if let SandboxState::Trouble { message, .. } = sandbox {
        return Some(message.clone());
    }
    if let Some(code) = app.last_failure.code().filter(|code| stops_every_turn(*code)) {
        let entry = code.entry();
        return Some(format!("{} {}", entry.sentence, entry.suggestion));
    }
    match tunnel {
        TunnelStatus::Refused { why, .. } => Some(format!("{} {}", why.message, why.suggestion)),
        TunnelStatus::Off | TunnelStatus::Connecting { .. } | TunnelStatus::Open { .. } => None,
    }
}

impl Glance {
    /// Nothing has happened yet.
    pub fn blank() -> Self {
        Self {
            trouble: None,
            offline: false,
            sandbox: SandboxState::Unknown,
            tunnel: TunnelGlance { on: false, state: "off", url: None },
            working: Vec::new(),
            approvals: Vec::new(),
            tasks: Counts::default(),
            recent: Vec::new(),
            looked_at: false,
            locked: false,
        }
    }
}
