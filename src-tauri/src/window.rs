//! The one window, and the page in it. Nothing but our own page is ever loaded there.

use crate::{
    commands::{self, may_open},
    controller::{Seen, Tick},
    saving,
    scheme::{ORIGIN, SCHEME},
};
use std::path::PathBuf;
use tauri::{
    AppHandle, Emitter, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
    webview::{NewWindowResponse, PageLoadEvent},
};
use tokio::sync::mpsc;

pub const LABEL: &str = "main";
const SIZE: (f64, f64) = (1100.0, 760.0);
const LEAST: (f64, f64) = (720.0, 480.0);

/// Shows it in front, at a screen if one is named; makes it if there is none. On the main thread.
pub fn show(app: &AppHandle, ticks: &mpsc::Sender<Tick>, screen: Option<&str>, data: Option<PathBuf>) {
    let shown = match app.get_webview_window(LABEL) {
        Some(window) => {
            if let Some(screen) = screen {
                let _the_page_is_gone = window.emit_to(LABEL, "go", serde_json::json!({ "path": screen }));
            }
            window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus())
        }
        None => make(app, ticks, screen, data).map(|_| ()),
    };
    if let Err(e) = shown {
        tracing::error!(error = %e, "the window could not be shown");
    }
}

fn make(
    app: &AppHandle,
    ticks: &mpsc::Sender<Tick>,
    screen: Option<&str>,
    data: Option<PathBuf>,
) -> tauri::Result<WebviewWindow> {
    let at = format!("{ORIGIN}/{}", screen.filter(|s| *s != "/").map(|s| format!("#{s}")).unwrap_or_default());
    let url: Url = at.parse().map_err(tauri::Error::InvalidUrl)?;
    let mut builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::CustomProtocol(url))
        .title("Lanyard")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(LEAST.0, LEAST.1)
        .center()
        .on_navigation({
            let app = app.clone();
            move |url| stays(&app, url)
        })
        .on_new_window({
            let app = app.clone();
            move |url, _| {
                stays(&app, &url);
                NewWindowResponse::Deny
            }
        })
        .on_page_load(|window, load| {
            // The page before this one has left its lines open.
            if load.event() == PageLoadEvent::Started {
                window.state::<commands::Shared>().lines.close_all();
            }
        });
    if let Some(data) = data {
        builder = builder.data_directory(data);
    }
    let window = builder.build()?;
    let ticks = ticks.clone();
    let app = app.clone();
    window.on_window_event(move |event| match event {
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            tick(&ticks, Tick::Window(Seen::CloseAsked));
        }
        WindowEvent::Focused(focused) => tick(&ticks, Tick::Window(Seen::Focused(*focused))),
        WindowEvent::Destroyed => app.state::<commands::Shared>().lines.close_all(),
        _ => {}
    });
    Ok(window)
}

/// Where a link leads.
#[derive(Debug, PartialEq)]
enum Way {
    Page,
    File,
    Elsewhere,
}

fn way(url: &Url) -> Way {
    match url.scheme() == SCHEME || url.origin().ascii_serialization() == ORIGIN {
        true if saving::is_file(url) => Way::File,
        true => Way::Page,
        false => Way::Elsewhere,
    }
}

/// Only our own page stays in the window: a file is saved, and a link that leads elsewhere is opened in the system's browser.
fn stays(app: &AppHandle, url: &Url) -> bool {
    match way(url) {
        Way::Page => return true,
        Way::File => saving::save(app, url),
        Way::Elsewhere if may_open(url.as_str()) => {
            let _no_browser = open::that_detached(url.as_str());
        }
        Way::Elsewhere => {}
    }
    false
}

/// From a callback that must not wait. So many at once are no person's doing.
pub fn tick(ticks: &mpsc::Sender<Tick>, tick: Tick) {
    if let Err(e) = ticks.try_send(tick) {
        tracing::warn!(error = %e, "something that happened was not taken in");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_page_stays_in_the_window() {
        let way = |url: &str| way(&url.parse().unwrap());
        assert_eq!(way(&format!("{ORIGIN}/#/pair")), Way::Page);
        assert_eq!(way(&format!("{ORIGIN}/api/sessions/1/export?format=md")), Way::File);
        assert_eq!(way(&format!("{ORIGIN}/audit")), Way::File);
        assert_eq!(way("about:srcdoc"), Way::Elsewhere);
        assert_eq!(way("file:///etc/passwd"), Way::Elsewhere);
        assert_eq!(way("http://desk.localhost.evil.example/"), Way::Elsewhere);
    }
}
