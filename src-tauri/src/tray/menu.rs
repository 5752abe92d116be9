//! The tray's menu. An approval is granted here only where all of it fits the menu: what is allowed is what was shown.

use super::{House, View};
use crate::{
    errands::Errand,
    native_status::{UpdateState, WaitsFor},
};
use domain::{Code, SessionId};
use gateway::{
    desk::{AtWork, Counts, Glance, OpenApproval, Pick},
    sessions::SandboxState,
};

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Line,
    /// Words that do nothing.
    Says(String),
    Does {
        label: String,
        does: Choice,
    },
    Switch {
        label: String,
        on: bool,
        does: Choice,
    },
    More {
        label: String,
        items: Vec<Item>,
    },
}

/// What an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The window, at this screen.
    Show(String),
    Run(Errand),
    Autostart(bool),
    /// A lost phone: asks first.
    Lock,
    CheckForUpdates,
    /// Installs the newer version as soon as no turn runs.
    Update,
    /// Starts the gateway again after it was refused.
    TryAgain,
    /// Ends the Lanyard that holds the data folder, and goes on in its place.
    TakeOver,
    Quit,
}

/// Open approvals in the menu itself; the window has all.
const APPROVALS: usize = 6;
/// What an approval's entry may hold of it: lines, and characters in each.
const LINES: usize = 14;
const LINE: usize = 72;
/// Characters of a label.
const LABEL: usize = 56;

pub fn menu(view: View<'_>) -> Vec<Item> {
    let face = super::Face::of(view.house, view.glance);
    let says = cut(&super::face::says(face, view.house, view.glance), LABEL * 2);
    let mut items = match (view.house, face) {
        // What is wrong is explained, and mended, in the window.
        (House::Up, super::Face::Trouble) => vec![does(&says, Choice::Show("/".into()))],
        _ => vec![Item::Says(says)],
    };
    match view.house {
        House::Up => up(&mut items, view),
        House::Refused(why) => {
            items.push(Item::Line);
            items.push(does("See what is wrong…", Choice::Show("/".into())));
            match why.code {
                Code::AlreadyRunning => items.push(does("Stop it and run here…", Choice::TakeOver)),
                _ => items.push(does("Try again", Choice::TryAgain)),
            }
        }
        House::Starting | House::Stopping | House::Stopped => {}
    }
    if !matches!(view.house, House::Stopping | House::Stopped) {
        items.push(Item::Line);
        items.push(Item::Switch {
            label: "Start at login".into(),
            on: view.autostart,
            does: Choice::Autostart(!view.autostart),
        });
        items.extend(updates(view));
        items.push(does("Quit Lanyard…", Choice::Quit));
    }
    items
}

fn up(items: &mut Vec<Item>, view: View<'_>) {
    let glance = view.glance;
    if let Some(trouble) = glance.trouble.as_ref().filter(|_| !glance.approvals.is_empty()) {
        items.push(does(&cut(trouble, LABEL * 2), Choice::Show("/".into())));
    }
    group(items, glance.approvals.iter().take(APPROVALS).map(approval).collect());
    if glance.approvals.len() > APPROVALS {
        items.push(does("All that waits…", Choice::Show("/approvals".into())));
    }
    group(items, glance.working.iter().map(at_work).chain(tasks(glance.tasks)).collect());
    group(
        items,
        match glance.locked {
            true => vec![does("Open Lanyard", Choice::Show("/".into()))],
            false => vec![
                does("Open Lanyard", Choice::Show("/".into())),
                does("Pair a phone…", Choice::Show("/pair".into())),
            ],
        },
    );
    if !glance.recent.is_empty() {
        let recent = glance.recent.iter().map(|s| does(&named(s.number, &s.title), session(s.id)));
        items.push(Item::More { label: "Recent sessions".into(), items: recent.collect() });
    }
    group(items, house(glance));
}

/// What a lost phone's lock leaves to do.
fn locked() -> Vec<Item> {
    vec![does("Unlock: texts and agents go on", Choice::Run(Errand::Unlock))]
}

fn group(items: &mut Vec<Item>, more: Vec<Item>) {
    if !more.is_empty() {
        items.push(Item::Line);
        items.extend(more);
    }
}

fn house(glance: &Glance) -> Vec<Item> {
    if glance.locked {
        return locked();
    }
    let sandbox = match &glance.sandbox {
        SandboxState::Paused => does("Resume the sandbox", Choice::Run(Errand::Resume)),
        SandboxState::Preparing { step } => Item::Says(cut(&format!("The sandbox is made ready: {step}"), LABEL)),
        SandboxState::Unknown | SandboxState::Ready | SandboxState::Trouble { .. } => {
            does("Pause the sandbox", Choice::Run(Errand::Pause))
        }
    };
    let on = glance.tunnel.on;
    let state = match glance.tunnel.state {
        "open" => "Tunnel",
        "refused" => "Tunnel (refused)",
        _ if on => "Tunnel (on its way)",
        _ => "Tunnel",
    };
    vec![
        sandbox,
        Item::Switch { label: state.into(), on, does: Choice::Run(Errand::Tunnel(!on)) },
        does("Lost phone: lock everything…", Choice::Lock),
    ]
}

/// Only where updates are to be had in this installation.
fn updates(view: View<'_>) -> Vec<Item> {
    let update = view.update;
    let version = update.version.as_deref().unwrap_or_default();
    let now = |words: &str| does(words, Choice::Update);
    match (update.state, update.waits_for) {
        (UpdateState::Off, _) => vec![],
        (UpdateState::None | UpdateState::Failed, _) => vec![does("Check for updates", Choice::CheckForUpdates)],
        (UpdateState::Checking, _) => vec![Item::Says("Looking for updates".into())],
        (UpdateState::Available, _) | (UpdateState::Ready, None) => vec![now(&format!("Install {version}"))],
        (UpdateState::Downloading, _) => vec![Item::Says(format!("Fetching {version}"))],
        (UpdateState::Ready, Some(WaitsFor::Turn)) => {
            vec![Item::Says(format!("{version} is installed after the running turn"))]
        }
        (UpdateState::Ready, Some(WaitsFor::Quit)) => {
            vec![Item::Says(format!("{version} is installed when you quit")), now(&format!("Install {version} now"))]
        }
        (UpdateState::Installing, _) => vec![Item::Says(format!("Installing {version}"))],
    }
}

fn approval(a: &OpenApproval) -> Item {
    let (id, hash) = (a.id, || a.hash.clone());
    let (lines, whole) = lines(&a.in_full);
    let mut items: Vec<Item> = vec![Item::Says(format!("Session {} asks, {} risk", a.session_number, a.risk.as_str()))];
    items.extend(lines.into_iter().map(Item::Says));
    items.push(Item::Line);
    match &a.pick {
        Pick::Allow if whole => items.push(does("Allow once", Choice::Run(Errand::Allow { id, hash: hash() }))),
        Pick::Option(options) if whole => items.extend(
            options
                .iter()
                .map(|o| does(&cut(o, LABEL), Choice::Run(Errand::Answer { id, hash: hash(), option: o.clone() }))),
        ),
        Pick::Allow | Pick::Option(_) | Pick::Words => {}
    }
    items.push(does("Deny", Choice::Run(Errand::Deny { id, hash: hash() })));
    items.push(does("Look at it…", session(a.session)));
    Item::More { label: cut(&format!("#{} {}", a.number, a.words), LABEL), items }
}

fn at_work(s: &AtWork) -> Item {
    let doing = s.doing.as_deref().unwrap_or("thinks");
    Item::More {
        label: cut(&format!("{}: {doing}", named(s.number, &s.title)), LABEL + 16),
        items: vec![does("Watch it…", session(s.id)), does("Stop this turn", Choice::Run(Errand::Halt(s.number)))],
    }
}

/// `Tasks: 2 at work, 1 of them needs you, 3 wait`; nothing where there are none.
fn tasks(counts: Counts) -> Option<Item> {
    let Counts { queued, running, needs_you } = counts;
    let needs = if needs_you > 0 { format!(", {needs_you} of them needs you") } else { String::new() };
    let words = match (running, queued) {
        (0, 0) => return None,
        (0, waiting) => format!("Tasks: {waiting} wait"),
        (running, 0) => format!("Tasks: {running} at work{needs}"),
        (running, waiting) => format!("Tasks: {running} at work{needs}, {waiting} wait"),
    };
    Some(does(&words, Choice::Show("/tasks".into())))
}

fn session(id: SessionId) -> Choice {
    Choice::Show(format!("/sessions/{id}"))
}

fn does(label: &str, does: Choice) -> Item {
    Item::Does { label: label.to_owned(), does }
}

fn named(number: u32, title: &str) -> String {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() { format!("Session {number}") } else { cut(&format!("{number}  {title}"), LABEL - 8) }
}

/// All of it in lines that a menu can show, and whether that is all of it.
fn lines(words: &str) -> (Vec<String>, bool) {
    let wrapped = words.lines().flat_map(|line| textwrap::wrap(line, LINE)).map(|line| line.into_owned());
    let mut lines: Vec<String> = wrapped.take(LINES + 1).collect();
    let whole = lines.len() <= LINES;
    if !whole {
        lines.truncate(LINES - 1);
        lines.push("… and more: look at it in the window".into());
    }
    (lines, whole)
}

/// At most so many characters, in one line.
fn cut(words: &str, most: usize) -> String {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(most) {
        None => line,
        Some(_) => line.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests;
