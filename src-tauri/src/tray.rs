//! What the tray shows: a pure function of how things stand. Drawing it is each system's own.

pub mod art;
mod face;
#[cfg(target_os = "linux")]
pub mod linux;
mod menu;
#[cfg(target_os = "linux")]
mod tone;
#[cfg(target_os = "linux")]
mod watcher;
// Compiled where it runs; it could not be run on Linux.
#[cfg(not(target_os = "linux"))]
pub mod native;

pub use face::{Face, Tone};
pub use menu::{Choice, Item, menu};

use crate::native_status::UpdateShown;
use domain::Problem;
use gateway::desk::Glance;

/// How the gateway in this process fares.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum House {
    #[default]
    Starting,
    Up,
    /// It does not start: why.
    Refused(Problem),
    Stopping,
    Stopped,
}

/// All that the tray is made of.
#[derive(Clone, Copy)]
pub struct View<'v> {
    pub house: &'v House,
    pub glance: &'v Glance,
    /// Whether Lanyard starts at login.
    pub autostart: bool,
    pub update: &'v UpdateShown,
}

/// The tray as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Tray {
    pub face: Face,
    /// One line: how things stand.
    pub says: String,
    pub menu: Vec<Item>,
}

impl Tray {
    pub fn of(view: View<'_>) -> Self {
        let face = Face::of(view.house, view.glance);
        Self { face, says: face::says(face, view.house, view.glance), menu: menu(view) }
    }
}
