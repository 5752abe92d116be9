//! One file in the place of another, in one step: whatever happens, there is a whole program at its path.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Where the version before lies until the new one has started.
pub fn previous(file: &Path) -> PathBuf {
    beside(file, ".previous")
}

/// Where the version after it lies until it is put in place.
pub fn next(file: &Path) -> PathBuf {
    beside(file, ".next")
}

/// Puts `bytes` at `file`, as executable as what is there, and keeps that as [`previous`].
///
/// # Errors
/// As the system's; then `file` is as it was.
pub fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    stage(file, bytes)?;
    swap(file)
}

/// Puts `bytes` at [`next`], as executable as `file`.
///
/// # Errors
/// As the system's; then there is none.
pub fn stage(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = next(file);
    write(&next, bytes, file).inspect_err(|_| drop(fs::remove_file(&next))).inspect(|()| settle(file))
}

/// Puts [`next`] at `file`, and keeps what was there as [`previous`].
///
/// # Errors
/// As the system's; then `file` is as it was, and there is no next one.
pub fn swap(file: &Path) -> io::Result<()> {
    let swapped = keep(file, &previous(file)).and_then(|()| fs::rename(next(file), file));
    if swapped.is_err() {
        let _nothing_was_written = fs::remove_file(next(file));
        let _nothing_was_kept = fs::remove_file(previous(file));
    }
    swapped.inspect(|()| settle(file))
}

/// Puts [`previous`] back.
///
/// # Errors
/// As the system's.
pub fn put_back(file: &Path) -> io::Result<()> {
    fs::rename(previous(file), file).inspect(|()| settle(file))
}

fn write(next: &Path, bytes: &[u8], like: &Path) -> io::Result<()> {
    let _left_by_a_power_cut = fs::remove_file(next);
    let mut file = OpenOptions::new().write(true).create_new(true).open(next)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::metadata(like)?.permissions())?;
    file.sync_all()
}

/// A second name for the same file; a copy where the file system knows no second names.
fn keep(file: &Path, previous: &Path) -> io::Result<()> {
    let _of_an_update_before = fs::remove_file(previous);
    fs::hard_link(file, previous).or_else(|_| fs::copy(file, previous).map(|_| ()))
}

/// The new name outlives a power cut. Where a folder cannot be synced the rename still is one step.
fn settle(file: &Path) {
    if let Some(folder) = file.parent().and_then(|folder| File::open(folder).ok()) {
        let _not_on_every_system = folder.sync_all();
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().map_or_else(OsString::new, OsString::from);
    name.push(ending);
    file.with_file_name(name)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn program() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Lanyard.AppImage");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o750)).unwrap();
        (folder, file)
    }

    #[test]
    fn the_new_one_is_executable_and_the_old_one_can_be_put_back() {
        let (_folder, file) = program();
        replace(&file, b"new").unwrap();
        assert_eq!((fs::read(&file).unwrap(), fs::read(previous(&file)).unwrap()), (b"new".to_vec(), b"old".to_vec()));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o750);
        put_back(&file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_one_and_nothing_else() {
        let (folder, file) = program();
        fs::create_dir(next(&file)).unwrap();
        replace(&file, b"new").unwrap_err();
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert!(!previous(&file).exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
