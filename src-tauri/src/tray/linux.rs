//! The tray by D-Bus (StatusNotifierItem and its menu). Tells whether anything on this desktop shows it.

use super::{Choice, Face, Item, Tone, Tray, watcher};
use crate::controller::Tick;
use ksni::{
    OfflineReason, Status, ToolTip, TrayMethods,
    menu::{CheckmarkItem, MenuItem, StandardItem, SubMenu},
};
use tokio::sync::{mpsc, watch};

/// Draws the newest tray; those between are skipped.
pub struct Icon(watch::Sender<Option<Tray>>);

impl Icon {
    pub fn new(_app: &tauri::AppHandle, ticks: mpsc::Sender<Tick>) -> Self {
        let (draw, drawn) = watch::channel(None);
        tokio::spawn(keep(drawn, ticks));
        Self(draw)
    }

    pub fn draw(&self, tray: Option<&Tray>) {
        self.0.send_replace(tray.cloned());
    }
}

struct Drawn {
    tray: Tray,
    tone: Tone,
    ticks: mpsc::Sender<Tick>,
    /// The watcher there is has it.
    listed: watch::Sender<bool>,
}

async fn keep(mut wanted: watch::Receiver<Option<Tray>>, ticks: mpsc::Sender<Tick>) {
    let tone = super::tone::here().await;
    let mut host = watcher::host();
    let (list, mut listed) = watch::channel(true);
    let mut shown: Option<ksni::Handle<Drawn>> = None;
    let mut told = None;
    loop {
        let tray = wanted.borrow_and_update().clone();
        let is_wanted = tray.is_some();
        shown = match (shown, tray) {
            (None, None) => None,
            (None, Some(tray)) => begin(Drawn { tray, tone, ticks: ticks.clone(), listed: list.clone() }).await,
            (Some(handle), None) => {
                handle.shutdown().await;
                None
            }
            (Some(handle), Some(tray)) => handle.update(|drawn| drawn.tray = tray).await.map(|()| handle),
        };
        let host_there = *host.borrow_and_update();
        let seen = match is_wanted {
            false => None,
            true if shown.is_none() => Some(false),
            true => host_there.map(|there| there && *listed.borrow_and_update()),
        };
        if let Some(seen) = seen.filter(|_| seen != told) {
            let _the_app_is_ending = ticks.send(Tick::Host(seen)).await;
        }
        told = seen;
        let goes_on = tokio::select! {
            changed = wanted.changed() => changed.is_ok(),
            Ok(()) = host.changed() => true,
            Ok(()) = listed.changed() => true,
        };
        if !goes_on {
            return;
        }
    }
}

async fn begin(drawn: Drawn) -> Option<ksni::Handle<Drawn>> {
    drawn.listed.send_replace(true);
    // A panel that starts later asks for its items then.
    drawn.assume_sni_available(true).spawn().await.inspect_err(|e| tracing::warn!(error = %e, "there is no tray")).ok()
}

impl Drawn {
    fn tell(&self, tick: Tick) {
        crate::window::tick(&self.ticks, tick);
    }
}

impl ksni::Tray for Drawn {
    fn id(&self) -> String {
        "lanyard".into()
    }

    fn title(&self) -> String {
        "Lanyard".into()
    }

    fn status(&self) -> Status {
        match self.tray.face {
            Face::NeedsYou | Face::Trouble => Status::NeedsAttention,
            Face::Idle | Face::Working | Face::Offline => Status::Active,
        }
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        super::art::pixels(self.tray.face, self.tone)
    }

    fn attention_icon_pixmap(&self) -> Vec<ksni::Icon> {
        self.icon_pixmap()
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip { title: "Lanyard".into(), description: self.tray.says.clone(), ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.tell(Tick::Opened);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        self.tray.menu.iter().map(entry).collect()
    }

    fn watcher_online(&self) {
        self.listed.send_replace(true);
    }

    fn watcher_offline(&self, _reason: OfflineReason) -> bool {
        self.listed.send_replace(false);
        true
    }
}

fn entry(item: &Item) -> MenuItem<Drawn> {
    match item {
        Item::Line => MenuItem::Separator,
        Item::Says(words) => StandardItem { label: plain(words), enabled: false, ..Default::default() }.into(),
        Item::Does { label, does } => {
            StandardItem { label: plain(label), activate: press(does), ..Default::default() }.into()
        }
        Item::Switch { label, on, does } => {
            CheckmarkItem { label: plain(label), checked: *on, activate: press(does), ..Default::default() }.into()
        }
        Item::More { label, items } => {
            SubMenu { label: plain(label), submenu: items.iter().map(entry).collect(), ..Default::default() }.into()
        }
    }
}

fn press(does: &Choice) -> Box<dyn Fn(&mut Drawn) + Send> {
    let does = does.clone();
    Box::new(move |drawn| drawn.tell(Tick::Chosen(does.clone())))
}

/// An underscore would mark a letter to press.
fn plain(label: &str) -> String {
    label.replace('_', "__")
}
