//! Entries of a desktop on Linux, as far as Lanyard writes any.

use std::path::PathBuf;

/// A word of an entry's line. One that needs it stands in quotes, as a shell's; a percent sign twice, or it would be a field; and
/// all of it once more as any value of an entry, in which a backslash stands for itself only when doubled. Others stand as they
/// are: not everything that reads entries knows quotes (xdg-open on a desktop it does not know).
/// <https://specifications.freedesktop.org/desktop-entry-spec/latest/exec-variables.html>
pub fn word(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c)) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '`' | '$' => quoted.extend(["\\\\", &c.to_string()]),
            '\\' => quoted.push_str("\\\\\\\\"),
            '%' => quoted.push_str("%%"),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Where this user's own data and entries are.
pub fn data_home() -> Option<PathBuf> {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    path("XDG_DATA_HOME").or_else(|| Some(path("HOME")?.join(".local/share")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_and_signs_is_one_word() {
        assert_eq!(word("/opt/My Apps/Lanyard.AppImage"), "\"/opt/My Apps/Lanyard.AppImage\"");
        assert_eq!(word("100% $HOME"), r#""100%% \\$HOME""#);
        assert_eq!(word(r#"a"b\c`"#), r#""a\\"b\\\\c\\`""#);
        assert_eq!(word("--home=/home/ada/.lanyard_2"), "--home=/home/ada/.lanyard_2");
        assert_eq!(word(""), "\"\"");
    }
}
