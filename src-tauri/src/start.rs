//! What the program was started for.

use crate::links;
use std::{ffi::OsString, path::PathBuf};

/// Read from the arguments of this start, or of a second one that the first takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A subcommand, or a wish for help: the command line.
    Command,
    App(Opening),
}

/// How the app is to begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Everything of this Lanyard under one folder (`--home`, else `LANYARD_HOME`).
    pub home: Option<PathBuf>,
    /// Into the tray, with no window: as at login.
    pub minimized: bool,
    /// The screen that a `lanyard://` link asks for.
    pub screen: Option<String>,
}

impl Start {
    /// `arguments` without the program's own name. What is not the app's is the command line's, which says what is wrong with it.
    pub fn read(arguments: impl IntoIterator<Item = OsString>, home: Option<OsString>) -> Self {
        let home = home.filter(|home| !home.is_empty());
        let mut opening = Opening { home: home.map(PathBuf::from), ..Opening::default() };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--minimized") => opening.minimized = true,
                Some("--home") => match arguments.next() {
                    Some(home) => opening.home = Some(home.into()),
                    None => return Self::Command,
                },
                Some(word) if word.starts_with("--home=") => opening.home = Some(word["--home=".len()..].into()),
                Some(word) if links::is_ours(word) => opening.screen = links::screen(word).or(Some("/".into())),
                _ => return Self::Command,
            }
        }
        Self::App(opening)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Start {
        Start::read(words.iter().map(OsString::from), Some("/env".into()))
    }

    fn app(minimized: bool, home: &str, screen: Option<&str>) -> Start {
        Start::App(Opening { home: Some(home.into()), minimized, screen: screen.map(str::to_owned) })
    }

    #[test]
    fn without_a_subcommand_it_is_the_app() {
        assert_eq!(read(&[]), app(false, "/env", None));
        assert_eq!(read(&["--minimized", "--home", "/x"]), app(true, "/x", None));
        assert_eq!(read(&["--home=/y", "lanyard://pair"]), app(false, "/y", Some("/pair")));
        assert_eq!(read(&["lanyard://what/ever"]), app(false, "/env", Some("/")));
    }

    #[test]
    fn anything_else_is_the_command_line() {
        for words in
            [&["serve"][..], &["--home", "/x", "status"], &["--help"], &["--json"], &["--home"], &["https://x"]]
        {
            assert_eq!(read(words), Start::Command, "{words:?}");
        }
    }
}
