//! The one window, and the page in it. Nothing but our own page is ever loaded there.

use crate::{
    commands::{self, may_open},
    controller::{Seen, Tick},
    scheme::{ORIGIN, SCHEME},
};
use std::path::PathBuf;
use tauri::{
    AppHandle, Emitter, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
    webview::{DownloadEvent, NewWindowResponse, PageLoadEvent},
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
        .on_navigation(stays)
        .on_new_window(|url, _| {
            stays(&url);
            NewWindowResponse::Deny
        })
        .on_download(download)
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

/// Only our own page stays in the window; a link that leads elsewhere is opened in the system's browser.
fn stays(url: &Url) -> bool {
    let ours = url.scheme() == SCHEME || url.as_str().starts_with(ORIGIN);
    if !ours && may_open(url.as_str()) {
        let _no_browser = open::that_detached(url.as_str());
    }
    ours
}

/// What the page offers to save goes to the folder for downloads, under a name of its own.
fn download(webview: tauri::Webview, event: DownloadEvent<'_>) -> bool {
    let DownloadEvent::Requested { url, destination } = event else { return true };
    let Ok(folder) = webview.path().download_dir().or_else(|_| webview.path().home_dir()) else { return false };
    let named = destination.file_name().filter(|name| !name.is_empty()).map(|name| name.to_string_lossy().into_owned());
    let name = named.or_else(|| url.path_segments()?.next_back().map(str::to_owned)).unwrap_or_default();
    *destination = free(&folder, if name.is_empty() { "lanyard" } else { &name });
    true
}

/// `name`, or with a number before its ending if there is one already.
fn free(folder: &std::path::Path, name: &str) -> PathBuf {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let tries = std::iter::once(name.to_owned()).chain((1..).map(|n| format!("{stem} ({n}){ending}")));
    tries.map(|name| folder.join(name)).find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
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
    fn a_download_takes_no_other_files_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(free(folder.path(), "a.md"), at("a.md"));
        std::fs::write(at("a.md"), "").unwrap();
        std::fs::write(at("a (1).md"), "").unwrap();
        assert_eq!(free(folder.path(), "a.md"), at("a (2).md"));
        assert_eq!(free(folder.path(), ".x"), at(".x"));
    }

    #[test]
    fn only_our_own_page_stays_in_the_window() {
        assert!(stays(&format!("{ORIGIN}/#/pair").parse().unwrap()));
        assert!(!stays(&"about:srcdoc".parse().unwrap()) && !stays(&"file:///etc/passwd".parse().unwrap()));
    }
}
