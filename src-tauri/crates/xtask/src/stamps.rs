//! Has anything changed since this was last made? By content, not by time: a fresh clone has new times and old content.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Never part of what a thing is made from.
const OUTPUTS: [&str; 4] = ["node_modules", "dist", "target", ".git"];

/// The fingerprint of files, folders and words a thing is made from.
#[derive(Default)]
pub struct Inputs(Sha256);

impl Inputs {
    /// A word that matters, such as a version.
    pub fn word(mut self, word: &str) -> Self {
        self.add("word", word.as_bytes());
        self
    }

    /// A file or all files below a folder, by their path within `root` and their content. What does not exist counts as absent.
    pub fn path(mut self, root: &Path, path: &str) -> Result<Self> {
        let mut files = Vec::new();
        collect(&root.join(path), &mut files)?;
        files.sort();
        for file in files {
            let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let content = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            self.add(&name, &content);
        }
        Ok(self)
    }

    /// 64 hexadecimal digits.
    pub fn fingerprint(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn add(&mut self, name: &str, content: &[u8]) {
        for part in [name.as_bytes(), content] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
    } else if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            if !OUTPUTS.iter().any(|output| entry.file_name() == *output) {
                collect(&entry.path(), files)?;
            }
        }
    }
    Ok(())
}

/// The fingerprint a thing was last made from, beside the thing, so that both go together.
pub struct Stamp(PathBuf);

impl Stamp {
    pub fn at(path: PathBuf) -> Stamp {
        Stamp(path)
    }

    pub fn is(&self, fingerprint: &str) -> bool {
        std::fs::read_to_string(&self.0).is_ok_and(|last| last == fingerprint)
    }

    pub fn set(&self, fingerprint: &str) -> Result<()> {
        std::fs::write(&self.0, fingerprint).with_context(|| format!("cannot write {}", self.0.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("lanyard-xtask-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src/node_modules")).unwrap();
        std::fs::write(folder.join("src/a"), "one").unwrap();
        folder
    }

    fn print(root: &Path) -> String {
        Inputs::default().word("v1").path(root, "src").unwrap().path(root, "absent").unwrap().fingerprint()
    }

    #[test]
    fn only_content_and_names_change_a_fingerprint() {
        let root = folder("stamps");
        let first = print(&root);
        std::fs::write(root.join("src/a"), "one").unwrap();
        std::fs::write(root.join("src/node_modules/x"), "an output").unwrap();
        assert_eq!(print(&root), first);
        std::fs::write(root.join("src/a"), "two").unwrap();
        assert_ne!(print(&root), first);
        std::fs::write(root.join("src/a"), "one").unwrap();
        std::fs::rename(root.join("src/a"), root.join("src/b")).unwrap();
        assert_ne!(print(&root), first);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_stamp_holds_until_the_fingerprint_is_another() {
        let root = folder("stamp");
        let stamp = Stamp::at(root.join("stamp"));
        assert!(!stamp.is("abc"));
        stamp.set("abc").unwrap();
        assert!(stamp.is("abc") && !stamp.is("abd"));
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn bytes_do_not_slide_between_name_and_content() {
        let one = Inputs::default().word("ab").word("c").fingerprint();
        assert_ne!(one, Inputs::default().word("a").word("bc").fingerprint());
    }
}
