//! The menu bar of macOS. Written to Tauri's documentation: it could not be run on Linux.

use crate::{controller::Tick, tray::Choice, window::tick};
use tauri::{
    AppHandle, Builder, Wry,
    menu::{Menu, MenuItem, MenuItemKind},
};
use tokio::sync::mpsc;

/// The tray's entries are numbers.
const QUIT: &str = "quit";

/// Quit is the tray's: the system's own would end the app without a question, and wait for the gateway in its last call.
pub fn with(builder: Builder<Wry>, ticks: mpsc::Sender<Tick>) -> Builder<Wry> {
    builder.menu(bar).on_menu_event(move |_, event| {
        if event.id() == QUIT {
            tick(&ticks, Tick::Chosen(Choice::Quit));
        }
    })
}

/// The usual one, whose first menu is the app's and ends with Quit.
fn bar(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let bar = Menu::default(app)?;
    if let Some(MenuItemKind::Submenu(own)) = bar.items()?.first() {
        own.remove_at(own.items()?.len().saturating_sub(1))?;
        own.append(&MenuItem::with_id(app, QUIT, "Quit Lanyard", true, Some("CmdOrCtrl+Q"))?)?;
    }
    Ok(bar)
}
