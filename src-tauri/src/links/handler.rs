//! Who opens `lanyard://` links on this desktop. A package says so in its own entry; an AppImage and the plain program say it for
//! this user here, and again when they were moved. Tauri's own plugin would take any `APPIMAGE` for this one's, and would take the
//! links back at each start from whom the owner gave them to.

use crate::{
    entry,
    updates::installation::{Packed, Surroundings},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// `lanyard uninstall` looks for the same file.
const FILE: &str = "lanyard-desktop-handler.desktop";
const KIND: &str = "x-scheme-handler/lanyard";
/// Both commands only write a file or two.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// Where the desktop looks, and what is to be opened with.
#[derive(Debug)]
pub struct Handler {
    /// This user's entries.
    own: PathBuf,
    /// Everybody's, which packages fill.
    shared: Vec<PathBuf>,
    program: PathBuf,
    packed: Option<Packed>,
}

/// What has to be told to the desktop.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    None,
    Written,
    TakenAway,
}

impl Handler {
    /// None: this user has no such folder.
    pub fn here(packed: Option<Packed>) -> Option<Self> {
        let own = crate::entry::data_home()?.join("applications");
        let shared = std::env::var_os("XDG_DATA_DIRS").filter(|dirs| !dirs.is_empty());
        let shared = shared.unwrap_or_else(|| "/usr/local/share:/usr/share".into());
        let shared = std::env::split_paths(&shared).map(|folder| folder.join("applications")).collect();
        Some(Self { own, shared, program: Surroundings::here().ok()?.starts_by(), packed })
    }

    /// Brings this user's entry up to date, and tells the desktop.
    pub async fn keep(self) {
        match self.change() {
            Ok(Change::None) => {}
            Ok(Change::Written) => {
                told(Command::new("update-desktop-database").arg(&self.own)).await;
                if !told(Command::new("xdg-mime").args(["default", FILE, KIND])).await {
                    tracing::warn!("lanyard:// links may not open: xdg-mime (package xdg-utils) did not take them");
                }
            }
            Ok(Change::TakenAway) => {
                told(Command::new("update-desktop-database").arg(&self.own)).await;
            }
            Err(e) => tracing::warn!(error = %e, "lanyard:// links may not open: no entry could be written for them"),
        }
    }

    fn change(&self) -> io::Result<Change> {
        let file = self.own.join(FILE);
        let known = fs::read_to_string(&file);
        if self.packed == Some(Packed::Package) || self.shared.iter().any(|folder| names_us(folder)) {
            return match known {
                Ok(_) => fs::remove_file(&file).map(|()| Change::TakenAway),
                Err(_) => Ok(Change::None),
            };
        }
        let entry = self.entry();
        if known.is_ok_and(|known| known == entry) {
            return Ok(Change::None);
        }
        fs::create_dir_all(&self.own)?;
        fs::write(file, entry).map(|()| Change::Written)
    }

    fn entry(&self) -> String {
        let program = entry::word(&self.program.display().to_string());
        format!(
            "[Desktop Entry]\nType=Application\nVersion=1.0\nName=Lanyard\nExec={program} %u\nTerminal=false\nNoDisplay=true\nMimeType={KIND};\n"
        )
    }
}

/// What each package's installation makes of all entries in a folder.
fn names_us(folder: &Path) -> bool {
    let start = format!("{KIND}=");
    fs::read_to_string(folder.join("mimeinfo.cache")).is_ok_and(|cache| cache.lines().any(|l| l.starts_with(&start)))
}

/// Whether the desktop took it. Nothing is shown: what these commands say is for a terminal.
async fn told(command: &mut Command) -> bool {
    let nothing = std::process::Stdio::null;
    let told = command.stdin(nothing()).stdout(nothing()).stderr(nothing()).kill_on_drop(true).status();
    matches!(timeout(TOLD_WITHIN, told).await, Ok(Ok(status)) if status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handler(folder: &Path, program: &str) -> Handler {
        Handler {
            own: folder.join("own"),
            shared: vec![folder.join("shared")],
            program: program.into(),
            packed: Some(Packed::AppImage),
        }
    }

    #[test]
    fn an_entry_is_written_once_and_again_when_the_program_moved() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own").join(FILE);
        let first = handler(folder.path(), "/home/ada/Lanyard.AppImage");
        assert_eq!((first.change().unwrap(), first.change().unwrap()), (Change::Written, Change::None));
        let moved = handler(folder.path(), "/home/ada/My Apps/Lanyard.AppImage");
        assert_eq!((moved.change().unwrap(), moved.change().unwrap()), (Change::Written, Change::None));
        let written = fs::read_to_string(file).unwrap();
        assert!(written.contains("\nExec=\"/home/ada/My Apps/Lanyard.AppImage\" %u\n"), "{written}");
        assert!(written.contains("\nMimeType=x-scheme-handler/lanyard;\n"), "{written}");
    }

    #[test]
    fn where_a_package_opens_links_this_users_entry_goes() {
        let folder = tempfile::tempdir().unwrap();
        let plain = handler(folder.path(), "/home/ada/lanyard-desktop");
        assert_eq!(plain.change().unwrap(), Change::Written);
        let packaged = Handler { packed: Some(Packed::Package), ..handler(folder.path(), "/usr/bin/lanyard-desktop") };
        assert_eq!((packaged.change().unwrap(), packaged.change().unwrap()), (Change::TakenAway, Change::None));
        fs::create_dir(folder.path().join("shared")).unwrap();
        let cache = "[MIME Cache]\ntext/html=firefox.desktop;\nx-scheme-handler/lanyard=Lanyard.desktop;\n";
        fs::write(folder.path().join("shared/mimeinfo.cache"), cache).unwrap();
        assert_eq!(plain.change().unwrap(), Change::None);
        assert!(!plain.own.join(FILE).exists());
    }
}
