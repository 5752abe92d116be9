//! The database as it was before an update. A new version changes its shape when it starts, and the old one does not read the
//! new shape: whoever puts the old version back puts the database back with it. Nothing is lost by that, for a version that
//! never was up has said and heard nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The database, and what its last transactions may lie in.
const FILES: [&str; 2] = ["lanyard.db", "lanyard.db-wal"];
/// An index of the latter that is made anew.
const INDEX: &str = "lanyard.db-shm";

/// Copies it. Nothing has it open.
///
/// # Errors
/// As the system's; then nothing is kept.
pub fn take(data: &Path) -> io::Result<()> {
    forget(data);
    let copied = FILES.iter().map(|name| data.join(name)).filter(|file| file.exists()).try_for_each(|file| {
        fs::copy(&file, copy(&file))?;
        Ok(())
    });
    if copied.is_err() {
        forget(data);
    }
    copied
}

/// Puts the copy in its place, if there is one.
///
/// # Errors
/// As the system's.
pub fn put_back(data: &Path) -> io::Result<()> {
    if !copy(&data.join(FILES[0])).exists() {
        return Ok(());
    }
    let _made_anew = fs::remove_file(data.join(INDEX));
    for file in FILES.map(|name| data.join(name)) {
        match copy(&file).exists() {
            true => fs::rename(copy(&file), &file)?,
            false if file.exists() => fs::remove_file(&file)?,
            false => {}
        }
    }
    Ok(())
}

pub fn forget(data: &Path) {
    for name in FILES {
        let _there_is_none = fs::remove_file(copy(&data.join(name)));
    }
}

fn copy(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".before-update");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_comes_back_as_it_was_without_what_the_new_version_added() {
        let data = tempfile::tempdir().unwrap();
        let at = |name: &str| data.path().join(name);
        fs::write(at("lanyard.db"), "old").unwrap();
        take(data.path()).unwrap();
        fs::write(at("lanyard.db"), "new").unwrap();
        fs::write(at("lanyard.db-wal"), "new").unwrap();
        put_back(data.path()).unwrap();
        assert_eq!(fs::read(at("lanyard.db")).unwrap(), b"old");
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
        put_back(data.path()).unwrap();
        assert_eq!(fs::read(at("lanyard.db")).unwrap(), b"old", "without a copy nothing is touched");
    }
}
