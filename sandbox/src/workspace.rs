//! Whether a folder of the owner's may be given to an agent, which will be able to change everything in it.

use crate::{Error, Settings};
use std::path::{Path, PathBuf};

/// The folder's real path, or [`Error::Workspace`] with the reason.
pub(crate) fn check(path: &Path, settings: &Settings) -> Result<PathBuf, Error> {
    let home = std::env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from);
    let no_go = [home, Some(settings.run_dir.clone())];
    let real = check_with(path, settings.agent_uid, no_go.iter().flatten().map(PathBuf::as_path));
    real.map_err(|reason| Error::Workspace { path: path.to_owned(), reason })
}

fn check_with<'a>(path: &Path, uid: u32, no_go: impl Iterator<Item = &'a Path>) -> Result<PathBuf, String> {
    if !path.is_absolute() {
        return Err("its path does not start at the root".to_owned());
    }
    // Symbolic links are followed here, once, so that what was checked is what is mounted.
    let real = path.canonicalize().map_err(|e| format!("it cannot be opened ({e})"))?;
    if !real.is_dir() {
        return Err("it is not a folder".to_owned());
    }
    if real.parent().is_none() {
        return Err("it is the root of the disk".to_owned());
    }
    for kept in no_go {
        let kept = kept.canonicalize().unwrap_or_else(|_| kept.to_owned());
        if kept.starts_with(&real) {
            return Err(format!("{} is in it; choose a folder of its own for the work", kept.display()));
        }
    }
    owned_by(&real, uid)?;
    Ok(real)
}

#[cfg(unix)]
fn owned_by(path: &Path, uid: u32) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let owner = path.metadata().map_err(|e| format!("it cannot be opened ({e})"))?.uid();
    if owner == uid {
        return Ok(());
    }
    Err(format!("it belongs to user {owner}, and the agent works as user {uid}"))
}

#[cfg(not(unix))]
fn owned_by(_path: &Path, _uid: u32) -> Result<(), String> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    fn refusal(path: &Path, uid: u32, no_go: &[&Path]) -> String {
        check_with(path, uid, no_go.iter().copied()).unwrap_err()
    }

    #[test]
    fn a_folder_of_the_agents_own_user_is_taken_by_its_real_path() {
        let world = tempfile::tempdir().unwrap();
        let (work, link) = (world.path().join("work"), world.path().join("link"));
        std::fs::create_dir(&work).unwrap();
        symlink(&work, &link).unwrap();
        let uid = work.metadata().unwrap().uid();
        assert_eq!(check_with(&link, uid, [].into_iter()), Ok(work.canonicalize().unwrap()));
    }

    #[test]
    fn folders_that_would_give_too_much_away_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let uid = home.path().metadata().unwrap().uid();
        let link = home.path().join("link");
        symlink(home.path(), &link).unwrap();
        for path in [home.path(), home.path().parent().unwrap(), &link] {
            assert!(refusal(path, uid, &[home.path()]).contains("is in it"), "{}", path.display());
        }
        assert!(refusal(Path::new("/"), 0, &[]).contains("root of the disk"));
    }

    #[test]
    fn what_is_missing_a_file_relative_or_anothers_is_refused() {
        let world = tempfile::tempdir().unwrap();
        let file = world.path().join("file");
        std::fs::write(&file, "").unwrap();
        let uid = world.path().metadata().unwrap().uid();
        assert!(refusal(&world.path().join("missing"), uid, &[]).contains("cannot be opened"));
        assert!(refusal(&file, uid, &[]).contains("not a folder"));
        assert!(refusal(Path::new("work"), uid, &[]).contains("does not start at the root"));
        assert!(refusal(world.path(), uid + 1, &[]).contains("belongs to user"));
    }
}
