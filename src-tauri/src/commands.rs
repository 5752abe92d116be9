//! What the page may ask of the app around it.

use crate::{
    controller::Tick,
    lines::{self, Lines},
    native_status::NativeStatus,
    updates::{Input, When},
};
use domain::{Code, Problem};
use gateway::desk::Desk;
use http::{Request, header};
use serde_json::Value;
use tauri::{AppHandle, State, ipc::Channel};
use tauri_plugin_dialog::DialogExt;
use tokio::sync::{mpsc, oneshot, watch};

/// What the commands share.
pub struct Shared {
    pub desk: watch::Receiver<Option<Desk>>,
    pub lines: Lines,
    pub status: watch::Receiver<Option<NativeStatus>>,
    pub ticks: mpsc::Sender<Tick>,
}

/// Opens a live line after an event; each frame comes by the channel, and null when the line is over.
#[tauri::command]
pub async fn desk_subscribe(
    shared: State<'_, Shared>,
    after: Option<i64>,
    channel: Channel<Option<String>>,
) -> Result<u32, Problem> {
    let desk = shared.desk.borrow().clone().ok_or(Code::NotRunning)?;
    Ok(shared.lines.open(&desk, after, channel))
}

/// Gives a frame to a line. False: it is over.
#[tauri::command]
pub async fn desk_tell(shared: State<'_, Shared>, id: u32, frame: String) -> Result<bool, Problem> {
    Ok(shared.lines.tell(id, frame).await)
}

#[tauri::command]
pub async fn desk_unsubscribe(shared: State<'_, Shared>, id: u32) -> Result<(), Problem> {
    shared.lines.close(id);
    Ok(())
}

/// Asks for an answer of JSON lines; each comes by the channel, and null at the end.
#[tauri::command]
pub async fn desk_each_line(
    shared: State<'_, Shared>,
    method: String,
    path: String,
    body: Option<String>,
    channel: Channel<Option<String>>,
) -> Result<(), Value> {
    let refused = |problem: Problem| serde_json::to_value(&problem).unwrap_or_default();
    let desk = shared.desk.borrow().clone().ok_or_else(|| refused(Code::NotRunning.into()))?;
    let request = Request::builder().method(&*method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let request = request.body(body.unwrap_or_default().into_bytes());
    let request = request.map_err(|e| refused(Problem::with_detail(Code::BadRequest, e)))?;
    lines::each(&desk, request, channel).await
}

#[tauri::command]
pub async fn native_status(shared: State<'_, Shared>) -> Result<NativeStatus, Problem> {
    let status = shared.status.borrow().clone();
    status.ok_or_else(|| Code::NotRunning.into())
}

/// Starts Lanyard at login from now on, or not. What came of it is told by event `native`.
#[tauri::command]
pub async fn native_autostart(shared: State<'_, Shared>, on: bool) -> Result<(), Problem> {
    let told = shared.ticks.send(Tick::Autostart(on)).await;
    told.map_err(|_| Code::NotRunning.into())
}

/// Looks for a newer version. What comes of it is told by event `native`.
#[tauri::command]
pub async fn update_check(shared: State<'_, Shared>) -> Result<(), Problem> {
    wish(&shared, Input::Look { asked: true }).await
}

/// Installs the newer version: `now` (as soon as no turn runs), or at `quit`.
#[tauri::command]
pub async fn update_install(shared: State<'_, Shared>, when: When) -> Result<(), Problem> {
    wish(&shared, Input::Install(when)).await
}

async fn wish(shared: &Shared, input: Input) -> Result<(), Problem> {
    let told = shared.ticks.send(Tick::WishUpdate(input)).await;
    told.map_err(|_| Code::NotRunning.into())
}

/// Opens a link in the system's own browser.
#[tauri::command]
pub async fn native_open(url: String) -> Result<(), Problem> {
    if !may_open(&url) {
        return Err(Problem::with_detail(Code::BadRequest, "Only web, mail and text links are opened."));
    }
    open::that_detached(&url).map_err(|e| Problem::with_detail(Code::Internal, e))
}

/// Links that only show something, or write something that a person then sends.
pub fn may_open(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http" | "sms" | "mailto"))
}

/// The system's folder chooser; none if nothing was chosen.
#[tauri::command]
pub async fn native_pick_folder(app: AppHandle) -> Result<Option<String>, Problem> {
    let (chosen, choice) = oneshot::channel();
    app.dialog().file().pick_folder(move |folder| {
        let _nobody_waits = chosen.send(folder);
    });
    let folder = choice.await.ok().flatten().and_then(|folder| folder.into_path().ok());
    Ok(folder.map(|folder| folder.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_could_start_a_program_is_not_opened() {
        assert!(
            ["https://a.b/c", "http://localhost:1", "sms:+15550100", "mailto:a@b.c"].iter().all(|url| may_open(url))
        );
        let wrong = ["file:///etc/passwd", "javascript:1", "vscode://x", "/bin/sh", "ssh://h", "lanyard://pair"];
        assert!(!wrong.iter().any(|url| may_open(url)));
    }
}
