//! Files that the page offers to save. A webview cannot save what comes by a scheme of ours, so the app does: where the page
//! leads to an address of the API, or to the audit, neither of which is ever a page, what is there is a file.

use crate::{commands::Shared, controller::Tick};
use bytes::Bytes;
use domain::{Code, Problem};
use gateway::desk::Desk;
use http::{HeaderMap, Request, StatusCode, header};
use std::path::{Path, PathBuf};
use tauri::{AppHandle, Manager, Url};

/// Whether the page leads there to save what is there.
pub fn is_file(url: &Url) -> bool {
    url.path().starts_with("/api/") || url.path() == "/audit"
}

/// Saves it in the folder for downloads, under the name that the gateway gives it.
pub fn save(app: &AppHandle, url: &Url) {
    let shared = app.state::<Shared>();
    let (desk, ticks) = (shared.desk.borrow().clone(), shared.ticks.clone());
    let folder = app.path().download_dir().or_else(|_| app.path().home_dir()).unwrap_or_default();
    let at = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    tauri::async_runtime::spawn(async move {
        let tick = match fetch(desk, &at, &folder).await {
            Ok(path) => Tick::Saved(path),
            Err(problem) => Tick::Failed(problem),
        };
        let _the_app_is_ending = ticks.send(tick).await;
    });
}

async fn fetch(desk: Option<Desk>, at: &str, folder: &Path) -> Result<PathBuf, Problem> {
    let desk = desk.ok_or(Code::NotRunning)?;
    let request = Request::get(at).body(Bytes::new()).map_err(|e| Problem::with_detail(Code::BadRequest, e))?;
    let answer = desk.call(request).await;
    if answer.status() != StatusCode::OK {
        return Err(crate::errands::said(answer.body()));
    }
    let path = free(folder, &name(answer.headers(), at));
    let written = tokio::fs::create_dir_all(folder).await.and(tokio::fs::write(&path, answer.body()).await);
    written
        .map_err(|e| Problem::with_detail(Code::Internal, format!("{} could not be written: {e}.", path.display())))?;
    Ok(path)
}

/// What the answer calls it, else its address's last part; nothing that leads to another folder.
fn name(headers: &HeaderMap, at: &str) -> String {
    let said = headers.get(header::CONTENT_DISPOSITION).and_then(|said| said.to_str().ok());
    let said = said.and_then(|said| Some(said.split_once("filename=")?.1.trim_matches(['"', ' ']).to_owned()));
    let last = at.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
    let name: String = said.unwrap_or(last).chars().filter(|c| !c.is_control() && !"/\\:".contains(*c)).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "lanyard".to_owned() } else { name.to_owned() }
}

/// `name`, or with a number before its ending if there is one already.
fn free(folder: &Path, name: &str) -> PathBuf {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let tries = std::iter::once(name.to_owned()).chain((1..).map(|n| format!("{stem} ({n}){ending}")));
    tries.map(|name| folder.join(name)).find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_no_others_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(free(folder.path(), "a.md"), at("a.md"));
        std::fs::write(at("a.md"), "").unwrap();
        std::fs::write(at("a (1).md"), "").unwrap();
        assert_eq!(free(folder.path(), "a.md"), at("a (2).md"));
    }

    #[test]
    fn a_file_is_named_as_the_gateway_says_and_stays_in_its_folder() {
        let called = |said: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_DISPOSITION, http::HeaderValue::from_static(said));
            name(&headers, "/api/sessions/1/export?format=md")
        };
        assert_eq!(called("attachment; filename=\"session-1.md\""), "session-1.md");
        assert_eq!(called("attachment; filename=\"../../.bashrc\""), "bashrc");
        assert_eq!(called("attachment"), "export");
        assert_eq!(name(&HeaderMap::new(), "/api/"), "lanyard");
    }
}
