//! Start at login. On Linux an entry of the desktop's own, written here: it names what the owner starts. Elsewhere the plugin does it.

use std::io;

#[cfg(target_os = "linux")]
pub use linux::Login;
#[cfg(not(target_os = "linux"))]
pub use native::{Login, plugin};

#[cfg(target_os = "linux")]
mod linux {
    use super::io;
    use crate::{entry, start::Opening, updates::installation::Surroundings};
    use std::{fs, path::PathBuf};
    use tauri::{AppHandle, Manager};

    pub struct Login {
        /// None: this user has no such folder.
        file: Option<PathBuf>,
        /// Program and arguments.
        words: Vec<String>,
    }

    impl Login {
        /// `lanyard uninstall` looks for the same file.
        pub fn new(app: &AppHandle, opening: &Opening) -> Self {
            let folder = app.path().config_dir().ok();
            let program = Surroundings::here().unwrap_or_default().starts_by();
            let home = opening.home.as_ref().map(|home| std::path::absolute(home).unwrap_or_else(|_| home.clone()));
            let words = [program.display().to_string(), "--minimized".into()]
                .into_iter()
                .chain(home.map(|home| format!("--home={}", home.display())))
                .collect();
            Self { file: folder.map(|folder| folder.join("autostart/Lanyard.desktop")), words }
        }

        pub fn is_on(&self) -> bool {
            self.file.as_ref().is_some_and(|file| file.exists())
        }

        /// # Errors
        /// As the system's.
        pub fn set(&self, on: bool) -> io::Result<()> {
            let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
            if on {
                file.parent().map_or(Ok(()), fs::create_dir_all)?;
                return fs::write(file, self.entry());
            }
            match fs::remove_file(file) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                Ok(()) | Err(_) => Ok(()),
            }
        }

        fn entry(&self) -> String {
            let line: Vec<String> = self.words.iter().map(|word| entry::word(word)).collect();
            format!(
                "[Desktop Entry]\nType=Application\nVersion=1.0\nName=Lanyard\nExec={}\nStartupNotify=false\nTerminal=false\n",
                line.join(" ")
            )
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn it_is_written_and_taken_away_again() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("autostart/Lanyard.desktop");
            let login = Login { file: Some(file.clone()), words: vec!["/a b/lanyard".into(), "--minimized".into()] };
            login.set(false).unwrap();
            login.set(true).unwrap();
            let written = fs::read_to_string(&file).unwrap();
            assert!(login.is_on() && written.contains("\nExec=\"/a b/lanyard\" --minimized\n"), "{written}");
            login.set(false).unwrap();
            assert!(!login.is_on());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod native {
    use super::io;
    use crate::start::Opening;
    use tauri::AppHandle;
    use tauri_plugin_autostart::ManagerExt;

    pub fn plugin<R: tauri::Runtime>(opening: &Opening) -> tauri::plugin::TauriPlugin<R> {
        let login = tauri_plugin_autostart::Builder::new().app_name("Lanyard").arg("--minimized");
        let login = match opening.home.as_ref().map(|home| home.display().to_string()) {
            None => login,
            // The entry's line is read as words.
            Some(home) if home.contains(' ') => login.arg(format!("\"--home={home}\"")),
            Some(home) => login.arg(format!("--home={home}")),
        };
        login.build()
    }

    pub struct Login(AppHandle);

    impl Login {
        pub fn new(app: &AppHandle, _opening: &Opening) -> Self {
            Self(app.clone())
        }

        pub fn is_on(&self) -> bool {
            self.0.autolaunch().is_enabled().unwrap_or(false)
        }

        /// # Errors
        /// As the system's.
        pub fn set(&self, on: bool) -> io::Result<()> {
            let login = self.0.autolaunch();
            let done = if on { login.enable() } else { login.disable() };
            done.map_err(io::Error::other)
        }
    }
}
