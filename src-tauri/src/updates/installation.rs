//! How this Lanyard was installed, and whether it can be replaced from inside.

use domain::{Code, Problem};
use std::path::{Path, PathBuf};

/// What an update replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installation {
    /// One file: an AppImage, or the program as it is.
    File(PathBuf),
    /// A package of the system's: its package manager replaces it, and asks for the right.
    Package,
    /// A macOS app, or what a Windows installer put there.
    Bundle,
}

/// How the program was packed. The bundler writes it into the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    AppImage,
    Package,
    Bundle,
    /// By nobody.
    Raw,
}

/// What the system tells of this process.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The running program.
    pub program: PathBuf,
    /// `APPIMAGE` and `APPDIR`, as an AppImage sets them for what it starts.
    pub appimage: Option<PathBuf>,
    pub appdir: Option<PathBuf>,
    /// `pkexec`, which asks for the right to install a package, is there.
    pub can_ask: bool,
}

impl Installation {
    /// # Errors
    /// `UPDATES_OFF`, with what holds it up here.
    pub fn look(packed: Packed, here: &Surroundings) -> Result<Self, Problem> {
        match packed {
            Packed::Bundle => Ok(Self::Bundle),
            Packed::Package if here.can_ask => Ok(Self::Package),
            Packed::Package => Err(off("Nothing here can ask for the right to install a package (pkexec).")
                .suggest("Install polkit's pkexec, or install each new package by hand.")),
            Packed::AppImage => file(appimage(here)?),
            Packed::Raw => file(here.program.clone()),
        }
    }
}

impl Installation {
    /// Whether these are bytes of what it is replaced by. Another program's would be put in place as well.
    pub fn takes(&self, bytes: &[u8]) -> bool {
        const ELF: &[u8] = b"\x7fELF";
        const RPM: &[u8] = &[0xed, 0xab, 0xee, 0xdb];
        match self {
            Self::File(_) => bytes.starts_with(ELF),
            Self::Package => is_deb(bytes) || bytes.starts_with(RPM),
            // Unpacked before anything is replaced.
            Self::Bundle => true,
        }
    }
}

pub fn is_deb(package: &[u8]) -> bool {
    package.starts_with(b"!<arch>\n")
}

fn appimage(here: &Surroundings) -> Result<PathBuf, Problem> {
    here.own_appimage()
        .ok_or_else(|| off("It was taken out of its AppImage.").suggest("Start the AppImage itself; that one updates."))
}

fn file(file: PathBuf) -> Result<Installation, Problem> {
    let file = file.canonicalize().map_err(|e| off(&format!("{} cannot be read: {e}.", file.display())))?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    if may_write(folder) {
        return Ok(Installation::File(file));
    }
    Err(off(&format!("{} may not be replaced by this user.", file.display()))
        .suggest("Update it the way it was installed, or put Lanyard into a folder of yours."))
}

#[cfg(unix)]
fn may_write(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(folder: &Path) -> bool {
    folder.metadata().is_ok_and(|folder| !folder.permissions().readonly())
}

pub fn off(why: &str) -> Problem {
    Problem::with_detail(Code::UpdatesOff, why)
}

impl Surroundings {
    pub fn here() -> std::io::Result<Self> {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Ok(Self {
            program: std::env::current_exe()?,
            appimage: path("APPIMAGE"),
            appdir: path("APPDIR"),
            can_ask: found("pkexec"),
        })
    }

    /// What this program is started by: its AppImage, or its own file.
    pub fn starts_by(&self) -> PathBuf {
        self.own_appimage().unwrap_or_else(|| self.program.clone())
    }

    /// `APPIMAGE` is inherited: in the terminal of an editor that is an AppImage it names that editor. Ours holds this program.
    fn own_appimage(&self) -> Option<PathBuf> {
        let ours = self.appdir.as_ref().is_some_and(|mount| self.program.starts_with(mount));
        self.appimage.clone().filter(|_| ours)
    }
}

fn found(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(folder: &Path) -> Surroundings {
        let program = folder.join("lanyard-desktop");
        std::fs::write(&program, "x").unwrap();
        Surroundings { program, ..Surroundings::default() }
    }

    #[test]
    fn a_file_in_a_folder_of_the_owner_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let here = here(folder.path());
        let file = here.program.canonicalize().unwrap();
        assert_eq!(Installation::look(Packed::Raw, &here), Ok(Installation::File(file)));
    }

    #[test]
    fn the_appimage_of_another_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let editor = folder.path().join("Editor.AppImage");
        std::fs::write(&editor, "x").unwrap();
        let mut here = Surroundings {
            appimage: Some(editor.clone()),
            appdir: Some("/tmp/.mount_Editor".into()),
            ..here(folder.path())
        };
        assert_eq!(
            Installation::look(Packed::Raw, &here),
            Ok(Installation::File(here.program.canonicalize().unwrap()))
        );
        assert_eq!(Installation::look(Packed::AppImage, &here).unwrap_err().code, Code::UpdatesOff);
        assert_eq!(here.starts_by(), here.program);
        here.appdir = Some(folder.path().to_owned());
        assert_eq!(here.starts_by(), editor);
        assert_eq!(Installation::look(Packed::AppImage, &here), Ok(Installation::File(editor.canonicalize().unwrap())));
    }

    #[test]
    fn what_is_no_program_is_not_taken_for_one() {
        let file = Installation::File("/x".into());
        assert!(file.takes(b"\x7fELF\x02") && !file.takes(b"#!/bin/sh") && !file.takes(b""));
        assert!(Installation::Package.takes(b"!<arch>\ndebian-binary") && !Installation::Package.takes(b"\x7fELF"));
    }

    #[test]
    fn a_package_that_nobody_may_install_is_said_to_be_so() {
        let mut here = Surroundings::default();
        assert!(Installation::look(Packed::Package, &here).unwrap_err().message.contains("pkexec"));
        here.can_ask = true;
        assert_eq!(Installation::look(Packed::Package, &here), Ok(Installation::Package));
    }
}
