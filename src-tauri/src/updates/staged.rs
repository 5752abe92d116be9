//! An update that was to be installed at the quit. Its file lies beside the program's until the next start: only the version
//! before can watch the new one's first start, and nothing is to run between the two. So that start puts it in place, and hands
//! over to it.

use super::{installation::Surroundings, kept, problems, record::Record, replace, trial::Trial};
use crate::native_status::UpdateProblem;
use gateway::{Gateway, config::Paths};
use std::{ffi::OsString, io};

/// Who follows this start of the version `current`, if an update waits for it. Called before anything else begins.
pub fn take_up(paths: &Paths, current: &str, arguments: impl Iterator<Item = OsString>) -> Option<Trial> {
    let record = Record::read(&paths.data).filter(|record| record.staged)?;
    // Another program uses the database: the update waits until none does.
    if Gateway::runs_at(paths) {
        return None;
    }
    let here = Surroundings::here().ok()?.starts_by().canonicalize().ok()?;
    let file = record.file.clone().filter(|file| record.from == current && *file == here);
    let Some(file) = file.filter(|file| replace::next(file).is_file()) else {
        forget(paths, &record);
        return None;
    };
    match put_in_place(paths, &record) {
        Ok(()) => Some(Trial { data: paths.data.clone(), program: file, arguments: arguments.collect() }),
        Err(e) => {
            forget(paths, &record);
            let problem = UpdateProblem::from(&problems::not_written(&e));
            let told = Record { problem: Some(problem), staged: false, ..record };
            let _told_by_the_log_alone = told.write(&paths.data).inspect_err(|e| eprintln!("{e}"));
            None
        }
    }
}

/// All that is needed to undo it is kept first.
fn put_in_place(paths: &Paths, record: &Record) -> io::Result<()> {
    kept::take(&paths.data)?;
    Record { staged: false, ..record.clone() }.write(&paths.data)?;
    record.file.as_deref().map_or(Ok(()), replace::swap)
}

/// It was staged for another version, or for a program that is elsewhere now: a look finds it again.
fn forget(paths: &Paths, record: &Record) {
    kept::forget(&paths.data);
    Record::remove(&paths.data);
    if let Some(file) = &record.file {
        let _there_is_none = std::fs::remove_file(replace::next(file));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, path::PathBuf};

    /// A new version that waits beside this test's own program, as far as the record says.
    struct World {
        folder: tempfile::TempDir,
        paths: Paths,
    }

    fn world(file: PathBuf) -> World {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::find(Some(folder.path())).unwrap();
        paths.make().unwrap();
        fs::write(replace::next(&file), "new").unwrap();
        record(file).write(&paths.data).unwrap();
        World { folder, paths }
    }

    fn record(file: PathBuf) -> Record {
        Record { from: "0.1.0".into(), to: "0.2.0".into(), file: Some(file), problem: None, staged: true }
    }

    #[test]
    fn one_for_another_version_or_another_file_is_forgotten() {
        let elsewhere = tempfile::tempdir().unwrap();
        let file = elsewhere.path().join("lanyard");
        fs::write(&file, "old").unwrap();
        for current in ["0.1.0", "0.1.1"] {
            let world = world(file.clone());
            assert_eq!(take_up(&world.paths, current, std::iter::empty()), None);
            assert!(Record::read(&world.paths.data).is_none() && !replace::next(&file).exists());
            assert_eq!(fs::read(&file).unwrap(), b"old");
        }
    }

    #[test]
    fn while_another_program_has_the_database_open_it_waits() {
        let elsewhere = tempfile::tempdir().unwrap();
        let file = elsewhere.path().join("lanyard");
        let world = world(file.clone());
        let lock = fs::File::create(world.folder.path().join("data/lanyard.lock")).unwrap();
        lock.try_lock().unwrap();
        assert_eq!(take_up(&world.paths, "0.1.1", std::iter::empty()), None);
        assert_eq!(Record::read(&world.paths.data), Some(record(file.clone())));
        assert!(replace::next(&file).exists());
    }
}
