//! What one version leaves for the next start to know: that it was replaced, and how that ended. A file in the data folder,
//! for it is read before there is a gateway.

use crate::native_status::UpdateProblem;
use domain::{Code, Problem};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version that was replaced.
    pub from: String,
    /// The version that was put in its place.
    pub to: String,
    /// The program's file, where the version before it was kept beside it.
    pub file: Option<PathBuf>,
    /// It went wrong.
    pub problem: Option<UpdateProblem>,
    /// It lies beside the program, and is put in its place at the next start.
    #[serde(default)]
    pub staged: bool,
}

/// What a start finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    Nothing,
    /// This is the new version, and it has yet to say that it is up.
    Trial(Record),
    /// The update ended badly; this version goes on.
    Ended(Problem),
}

impl Record {
    pub fn path(data: &Path) -> PathBuf {
        data.join("update.json")
    }

    /// None if there is none, or none that can be read.
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(Self::path(data)).ok()?).ok()
    }

    /// # Errors
    /// As the system's.
    pub fn write(&self, data: &Path) -> io::Result<()> {
        let half = Self::path(data).with_extension("half");
        fs::write(&half, serde_json::to_vec(self)?)?;
        fs::rename(half, Self::path(data))
    }

    pub fn remove(data: &Path) {
        let _there_is_none = fs::remove_file(Self::path(data));
    }
}

impl Left {
    /// In the version `current`. What ended badly is told once.
    pub fn find(data: &Path, current: &str) -> Self {
        let Some(record) = Record::read(data) else { return Self::Nothing };
        if record.staged {
            return Self::Nothing;
        }
        if record.problem.is_none() && record.to == current {
            return Self::Trial(record);
        }
        Record::remove(data);
        match record.problem {
            Some(problem) => Self::Ended(told(problem)),
            // It was to be replaced, and was not: the computer went down in between.
            None if record.from == current => Self::Ended(Code::UpdateNotInstalled.into()),
            None => Self::Nothing,
        }
    }
}

fn told(problem: UpdateProblem) -> Problem {
    let UpdateProblem { code, message, suggestion } = problem;
    Problem { code: Code::named(&code).unwrap_or(Code::UpdateNotInstalled), message, suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(problem: Option<Code>) -> Record {
        let problem = problem.map(|code| UpdateProblem::from(&Problem::from(code)));
        Record { from: "0.1.0".into(), to: "0.2.0".into(), file: None, problem, staged: false }
    }

    #[test]
    fn the_new_version_is_on_trial_until_it_says_otherwise() {
        let data = tempfile::tempdir().unwrap();
        record(None).write(data.path()).unwrap();
        assert_eq!(Left::find(data.path(), "0.2.0"), Left::Trial(record(None)));
        assert_eq!(Left::find(data.path(), "0.2.0"), Left::Trial(record(None)), "still");
        Record::remove(data.path());
        assert_eq!(Left::find(data.path(), "0.2.0"), Left::Nothing);
    }

    #[test]
    fn what_ended_badly_is_told_once() {
        let data = tempfile::tempdir().unwrap();
        for (left, code) in
            [(record(Some(Code::UpdateTakenBack)), Code::UpdateTakenBack), (record(None), Code::UpdateNotInstalled)]
        {
            left.write(data.path()).unwrap();
            assert!(matches!(Left::find(data.path(), "0.1.0"), Left::Ended(problem) if problem.code == code));
            assert_eq!(Left::find(data.path(), "0.1.0"), Left::Nothing);
        }
    }

    #[test]
    fn one_that_waits_for_the_next_start_waits() {
        let data = tempfile::tempdir().unwrap();
        let staged = Record { staged: true, ..record(None) };
        staged.write(data.path()).unwrap();
        assert_eq!(Left::find(data.path(), "0.1.0"), Left::Nothing);
        assert_eq!(Record::read(data.path()), Some(staged));
    }

    #[test]
    fn what_is_no_record_is_none() {
        let data = tempfile::tempdir().unwrap();
        fs::write(Record::path(data.path()), "{").unwrap();
        assert_eq!(Left::find(data.path(), "0.2.0"), Left::Nothing);
    }
}
