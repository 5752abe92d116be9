//! The tray of macOS and Windows, by Tauri. Written to its documentation: it could not be run on Linux.

use super::{Choice, Item, Tone, Tray, art};
use crate::{controller::Tick, window::tick};
use std::sync::{Arc, Mutex, PoisonError};
use tauri::{
    AppHandle, Wry,
    image::Image,
    menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu},
    tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent},
};
use tokio::sync::mpsc;

const ID: &str = "lanyard";

pub struct Icon {
    app: AppHandle,
    ticks: mpsc::Sender<Tick>,
    /// What the entries of the menu that is shown do, by their ids.
    choices: Arc<Mutex<Vec<Choice>>>,
    shown: Arc<Mutex<Option<TrayIcon>>>,
}

impl Icon {
    pub fn new(app: &AppHandle, ticks: mpsc::Sender<Tick>) -> Self {
        let icon = Self { app: app.clone(), ticks, choices: Arc::default(), shown: Arc::default() };
        icon.listen();
        icon
    }

    /// Once: Tauri keeps what listens to a menu after its icon went, and a choice would be made as often as there were icons.
    fn listen(&self) {
        let (ticks, choices) = (self.ticks.clone(), self.choices.clone());
        self.app.on_menu_event(move |_, event| {
            let choices = choices.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(choice) = event.id().as_ref().parse::<usize>().ok().and_then(|n| choices.get(n)) {
                tick(&ticks, Tick::Chosen(choice.clone()));
            }
        });
    }

    pub fn draw(&self, tray: Option<&Tray>) {
        let (app, ticks, tray) = (self.app.clone(), self.ticks.clone(), tray.cloned());
        let (choices, shown) = (self.choices.clone(), self.shown.clone());
        let drawn = self.app.run_on_main_thread(move || {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(tray) = tray else {
                // Tauri holds it too: dropped here alone it would stay, beside the next one.
                if shown.take().is_some() {
                    drop(app.remove_tray_by_id(ID));
                }
                return;
            };
            if shown.is_none() {
                *shown = begin(&app, &ticks).inspect_err(|e| tracing::warn!(error = %e, "there is no tray")).ok();
                tick(&ticks, Tick::Host(shown.is_some()));
            }
            if let Some(icon) = shown.as_ref()
                && let Err(e) = redraw(&app, icon, &tray, &choices)
            {
                tracing::warn!(error = %e, "the tray could not be drawn");
            }
        });
        if let Err(e) = drawn {
            tracing::warn!(error = %e, "the app is ending");
        }
    }
}

fn begin(app: &AppHandle, ticks: &mpsc::Sender<Tick>) -> tauri::Result<TrayIcon> {
    let pressed = ticks.clone();
    TrayIconBuilder::with_id(ID)
        // On Windows the icon itself opens the window, as it is done there.
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_tray_icon_event(move |_, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event
                && cfg!(windows)
            {
                tick(&pressed, Tick::Opened);
            }
        })
        .build(app)
}

fn redraw(app: &AppHandle, icon: &TrayIcon, tray: &Tray, choices: &Mutex<Vec<Choice>>) -> tauri::Result<()> {
    // macOS draws a template in the colour of its bar.
    let template = cfg!(target_os = "macos");
    let file = if template { art::template(tray.face) } else { art::files(tray.face, Tone::Any)[1] };
    icon.set_icon_with_as_template(Some(Image::from_bytes(file)?), template)?;
    icon.set_tooltip(Some(format!("Lanyard: {}", tray.says)))?;
    let mut fresh = Vec::new();
    let entries = entries(app, &tray.menu, &mut fresh)?;
    let menu = Menu::new(app)?;
    for entry in &entries {
        menu.append(entry.as_ref())?;
    }
    *choices.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    icon.set_menu(Some(menu))
}

type Entry = Box<dyn IsMenuItem<Wry>>;

fn entries(app: &AppHandle, items: &[Item], choices: &mut Vec<Choice>) -> tauri::Result<Vec<Entry>> {
    items.iter().map(|item| entry(app, item, choices)).collect()
}

fn entry(app: &AppHandle, item: &Item, choices: &mut Vec<Choice>) -> tauri::Result<Entry> {
    let mut id = |does: &Choice| {
        choices.push(does.clone());
        (choices.len() - 1).to_string()
    };
    Ok(match item {
        Item::Line => Box::new(PredefinedMenuItem::separator(app)?),
        Item::Says(words) => Box::new(MenuItem::new(app, plain(words), false, None::<&str>)?),
        Item::Does { label, does } => Box::new(MenuItem::with_id(app, id(does), plain(label), true, None::<&str>)?),
        Item::Switch { label, on, does } => {
            Box::new(CheckMenuItem::with_id(app, id(does), plain(label), true, *on, None::<&str>)?)
        }
        Item::More { label, items } => {
            let more = Submenu::new(app, plain(label), true)?;
            for entry in entries(app, items, choices)? {
                more.append(entry.as_ref())?;
            }
            Box::new(more)
        }
    })
}

/// An ampersand would mark a letter to press.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}
