//! Where updates come from: the plugin, asked. It checks what it fetched against the key that was built in, and that it was
//! signed for the version that was announced.

use super::{course::Release, installation::Installation, package, problems, replace};
use domain::{Code, Problem};
use std::{
    env,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tauri::AppHandle;
use tauri_plugin_updater::{Error, Update, Updater, UpdaterExt};

/// The list of updates is a few kilobytes.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// An update over a slow line.
const FETCHED_WITHIN: Duration = Duration::from_secs(30 * 60);
/// An update is about 10 MB. It is held in memory until it is installed, so what pours on for ever is cut off.
const LARGEST: u64 = 400_000_000;
/// Another place for the list of updates: a mirror. What it offers must be signed all the same.
const URL: &str = "LANYARD_UPDATE_URL";

/// Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    app: AppHandle,
    installation: Installation,
    here: Arc<Mutex<Here>>,
}

#[derive(Default)]
struct Here {
    found: Option<Update>,
    fetched: Option<Vec<u8>>,
}

impl Feed {
    pub fn new(app: AppHandle, installation: Installation) -> Self {
        Self { app, installation, here: Arc::default() }
    }

    /// Whether this build knows a key and a place to look at.
    pub fn is_set_up(app: &AppHandle) -> bool {
        let config = app.config().plugins.0.get("updater");
        let key = config.and_then(|config| config["pubkey"].as_str()).unwrap_or_default();
        let places = config.and_then(|config| config["endpoints"].as_array()).map_or(0, Vec::len);
        !key.is_empty() && (places > 0 || env::var_os(URL).is_some())
    }

    /// # Errors
    /// `UPDATE_UNREACHABLE`, `UPDATE_UNREADABLE`, `UPDATE_NOT_FOR_HERE`.
    pub async fn look(&self) -> Result<Option<Release>, Problem> {
        let updater = self.updater().map_err(|e| problems::of(&e))?;
        let found = updater.check().await.map_err(|e| problems::of(&e))?;
        let release =
            found.as_ref().map(|update| Release { version: update.version.clone(), notes: update.body.clone() });
        *self.here() = Here { found, fetched: None };
        Ok(release)
    }

    fn updater(&self) -> Result<Updater, Error> {
        let mut builder = self.app.updater_builder().timeout(ANSWERS_WITHIN);
        if let Installation::File(file) = &self.installation {
            builder = builder.executable_path(file);
        }
        if let Ok(url) = env::var(URL) {
            builder = builder.endpoints(vec![url.parse()?])?;
        }
        builder.build()
    }

    /// `tell` is told how much is here, 0 to 1, at most a hundred times.
    ///
    /// # Errors
    /// `UPDATE_UNREACHABLE`, `UPDATE_REFUSED`; then nothing is kept of it.
    pub async fn fetch(&self, tell: impl Fn(f64)) -> Result<(), Problem> {
        let mut update = self.here().found.clone().ok_or(Code::UpdateUnreadable)?;
        update.timeout = Some(FETCHED_WITHIN);
        let too_much = tokio::sync::Notify::new();
        let (mut got, mut told) = (0u64, 0u64);
        let count = |chunk: usize, of: Option<u64>| {
            got += chunk as u64;
            if got > LARGEST {
                too_much.notify_one();
            }
            if let Some(percent) = of.and_then(|of| (got * 100).checked_div(of)).filter(|percent| *percent > told) {
                told = percent;
                tell(percent.min(100) as f64 / 100.0);
            }
        };
        let fetched = tokio::select! {
            fetched = update.download(count, || ()) => fetched.map_err(|e| problems::of(&e))?,
            () = too_much.notified() => return Err(Problem::with_detail(Code::UpdateRefused, "It is far too large.")),
        };
        if !self.installation.takes(&fetched) {
            return Err(problems::no_program());
        }
        self.here().fetched = Some(fetched);
        Ok(())
    }

    /// Puts in place what was fetched; it is checked once more. `again`: the new version starts at once. Where it does not, a file
    /// waits beside the program for the next start, and a Windows installer starts nothing; this process has ended by then.
    ///
    /// # Errors
    /// `UPDATE_REFUSED`, `UPDATE_NOT_ALLOWED`, `UPDATE_NOT_INSTALLED`; then what is installed is as it was.
    pub fn install(&self, again: bool, data: &Path) -> Result<(), Problem> {
        let Here { found: Some(update), fetched: Some(bytes) } = std::mem::take(&mut *self.here()) else {
            return Err(Code::UpdateNotInstalled.into());
        };
        match &self.installation {
            Installation::File(file) => {
                update.verify(&bytes).map_err(|e| problems::of(&e))?;
                let put = if again { replace::replace } else { replace::stage };
                put(file, &bytes).map_err(|e| problems::not_written(&e))
            }
            Installation::Package => {
                update.verify(&bytes).map_err(|e| problems::of(&e))?;
                package::install(&bytes, data)
            }
            Installation::Bundle => update.restart_after_install(again).install(&bytes).map_err(|e| problems::of(&e)),
        }
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
