//! The icon, and the line that says the same in words.

use super::House;
use domain::Code;
use gateway::{desk::Glance, sessions::SandboxState};

/// How things stand, as the icon tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Face {
    Idle,
    Working,
    NeedsYou,
    Offline,
    Trouble,
}

impl Face {
    /// What the owner can do something about comes first: a question, then trouble.
    pub fn of(house: &House, glance: &Glance) -> Self {
        match house {
            House::Refused(_) => Self::Trouble,
            House::Starting | House::Stopping | House::Stopped => Self::Offline,
            House::Up if !glance.approvals.is_empty() => Self::NeedsYou,
            House::Up if glance.trouble.is_some() => Self::Trouble,
            House::Up if !glance.working.is_empty() => Self::Working,
            House::Up if glance.offline => Self::Offline,
            House::Up => Self::Idle,
        }
    }

    /// As its files are named.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "working",
            Self::NeedsYou => "needs-you",
            Self::Offline => "offline",
            Self::Trouble => "trouble",
        }
    }
}

/// What the icon stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A light bar.
    Light,
    /// A dark bar.
    Dark,
    /// Nobody knows: greys that can be seen on both.
    Any,
}

/// One line for a person.
pub(super) fn says(face: Face, house: &House, glance: &Glance) -> String {
    match house {
        House::Starting => return "Lanyard starts".into(),
        House::Stopping | House::Stopped => return "Lanyard stops".into(),
        House::Refused(why) if why.code == Code::AlreadyRunning => return "Another Lanyard runs here".into(),
        House::Refused(why) => return why.message.clone(),
        House::Up => {}
    }
    match face {
        Face::NeedsYou if glance.approvals.len() == 1 => "A question waits for you".into(),
        Face::NeedsYou => format!("{} questions wait for you", glance.approvals.len()),
        Face::Trouble => glance.trouble.clone().unwrap_or_default(),
        Face::Working if glance.working.len() == 1 => "At work in one session".into(),
        Face::Working => format!("At work in {} sessions", glance.working.len()),
        Face::Offline => "The tunnel is on its way back".into(),
        Face::Idle if glance.sandbox == SandboxState::Paused => "Paused".into(),
        Face::Idle => "Nothing to do".into(),
    }
}
