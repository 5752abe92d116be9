//! Newer versions of the app: looked for once a day and when asked, fetched and installed when the owner says so, never while a
//! turn runs. An update is a quit with an installation in between: the gateway stops as it always does, and the sessions go on
//! from what is on disk.
//!
//! [`course`] decides; [`feed`] asks the plugin; [`replace`] and [`package`] or the plugin put it in place, at a quit by way of
//! [`staged`]; [`trial`] is the version before,
//! which watches the new one's first starts and comes back if it dies.

pub mod course;
mod feed;
pub mod installation;
mod kept;
mod package;
pub mod problems;
pub mod record;
pub mod replace;
mod running;
pub mod staged;
pub mod trial;

pub use course::{Input, When};

use crate::{controller::Tick, ending::Leaving, tray::House, trouble};
use course::Course;
use domain::{Code, Problem};
use feed::Feed;
use gateway::desk::Desk;
use installation::{Installation, Packed, Surroundings};
use record::{Left, Record};
use running::Running;
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};
use tauri::{
    AppHandle,
    utils::{config::BundleType, platform::bundle_type},
};
use tokio::sync::{mpsc, watch};
use trial::Trial;

/// Inputs on their way. A download tells at most a hundred.
pub const INPUTS: usize = 128;
/// Who follows this process, once it is known. Taken up when all else has ended.
pub type Successor = Arc<OnceLock<Trial>>;

/// What updates are run with.
pub struct Updates {
    pub app: AppHandle,
    pub data: PathBuf,
    pub inputs: mpsc::Receiver<Input>,
    /// Where this sends its own.
    pub tell: mpsc::Sender<Input>,
    pub desk: watch::Receiver<Option<Desk>>,
    /// How the gateway fares.
    pub shown: watch::Receiver<trouble::Shown>,
    pub ticks: mpsc::Sender<Tick>,
    pub successor: Successor,
    pub leaving: Leaving,
}

impl Updates {
    /// Until the app ends.
    pub async fn run(self) {
        let current = self.app.package_info().version.to_string();
        let left = Left::find(&self.data, &current);
        let here = Surroundings::here().unwrap_or_default();
        let installation = look(&self.app, &here);
        let course = match (&installation, &left) {
            (Err(why), _) => Course::off(current.clone(), why.clone()),
            (Ok(_), Left::Ended(problem)) => Course::new(current.clone(), Some(problem.clone())),
            (Ok(_), Left::Nothing | Left::Trial(_)) => Course::new(current.clone(), None),
        };
        if let Left::Trial(record) = left {
            tokio::spawn(pass(record, self.data.clone(), self.shown.clone()));
        }
        let installation = installation.ok();
        let feed = installation.clone().map(|installation| Feed::new(self.app.clone(), installation));
        let running =
            Running { with: self, current, program: here.starts_by(), course, feed, installation, making_way: None };
        running.run().await;
    }
}

fn look(app: &AppHandle, here: &Surroundings) -> Result<Installation, Problem> {
    if !Feed::is_set_up(app) {
        return Err(installation::off("It was built from source.").suggest("Build the newer source the same way."));
    }
    let packed = packed()
        .ok_or_else(|| installation::off("It was not installed by its installer.").suggest("Use the installer."))?;
    Installation::look(packed, here)
}

/// None: by nobody, where only an installer's can be replaced.
pub fn packed() -> Option<Packed> {
    match bundle_type() {
        Some(BundleType::AppImage) => Some(Packed::AppImage),
        Some(BundleType::Deb | BundleType::Rpm) => Some(Packed::Package),
        Some(_) => Some(Packed::Bundle),
        None => cfg!(target_os = "linux").then_some(Packed::Raw),
    }
}

/// This new version is up: what was kept for its failure goes. One that does not start its gateway keeps the way back, which its
/// owner may need.
async fn pass(record: Record, data: PathBuf, mut shown: watch::Receiver<trouble::Shown>) {
    if shown.wait_for(|shown| shown.house == House::Up).await.is_ok() {
        Record::remove(&data);
        kept::forget(&data);
        if let Some(file) = &record.file {
            let _removed_by_hand = std::fs::remove_file(replace::previous(file));
        }
        tracing::info!(from = record.from, to = record.to, "updated");
    }
}

/// This process has ended but for this: starts who follows it.
pub fn hand_over(successor: &Successor) {
    let Some(trial) = successor.get() else { return };
    if let Err(e) = trial.begin() {
        eprintln!("{}: Lanyard could not be started again: {e}", Code::UpdateNotInstalled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trouble::Shown;

    #[tokio::test]
    async fn a_new_version_that_refuses_to_start_keeps_the_way_back() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let file = data.join("lanyard");
        let kept = [replace::previous(&file), data.join("lanyard.db.before-update"), Record::path(&data)];
        let record =
            Record { from: "0.1.0".into(), to: "0.2.0".into(), file: Some(file), problem: None, staged: false };
        record.write(&data).unwrap();
        kept[..2].iter().for_each(|file| std::fs::write(file, "old").unwrap());
        let house = watch::Sender::new(Shown::default());
        let passing = tokio::spawn(pass(record, data, house.subscribe()));
        house.send_modify(|shown| shown.house = House::Refused(Code::DatabaseDamaged.into()));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(kept.iter().all(|file| file.exists()));
        house.send_modify(|shown| shown.house = House::Up);
        passing.await.unwrap();
        assert!(!kept.iter().any(|file| file.exists()));
    }
}
