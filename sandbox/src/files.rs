//! Files inside a sandbox, through processes of the agent's own user: that reaches `/tmp` too, and can touch nothing
//! that the agent could not.

use crate::{Command, Error, Output, Sandboxes};
use bytes::Bytes;
use domain::{SandboxId, risk::Target};
use std::time::Duration;

/// A person's question waits for this; it takes a tenth of a second when all is well.
const LOOK: Duration = Duration::from_secs(5);

/// The path without links, which need not exist, ended by a zero byte; then how many names the file has, if it exists.
const REALLY: &str =
    r#"realpath -mz -- "$1" && { stat -c %h -- "$1" 2>/dev/null || echo 1; } && test -d "$1" && echo folder"#;

/// Writes beside the file and moves it into place, so that a reader sees the old or the new, never a part.
const WRITE: &str = r#"set -e
folder=$(dirname -- "$1")
mkdir -p -- "$folder"
part=$(mktemp -- "$folder/.lanyard.XXXXXX")
trap 'rm -f -- "$part"' EXIT
cat > "$part"
chmod 644 -- "$part"
mv -f -- "$part" "$1""#;

/// The shell's `noclobber` never opens a file that is there.
const WRITE_NEW: &str =
    r#"test -e "$1" || test -L "$1" || { mkdir -p -- "$(dirname -- "$1")" && set -C && cat > "$1"; }"#;

impl Sandboxes {
    /// The whole file, or [`Error::FileTooLarge`] past `max` bytes. A relative path starts at `/workspace`.
    pub async fn read_file(&self, id: SandboxId, path: &str, max: usize) -> Result<Bytes, Error> {
        let most = max.saturating_add(1);
        // `head` keeps to the size; the rest of the room is for its complaints.
        let command = Command::new(["head", "-c", &most.to_string(), "--", path]).cap(most.saturating_add(1000));
        let bytes = succeeded(path, self.exec(id, command).await?)?;
        if bytes.len() > max {
            return Err(Error::FileTooLarge { path: path.to_owned(), max });
        }
        Ok(bytes.into())
    }

    /// Where the file called `path` really is: links resolved as the agent's own user sees them, now. A relative path may
    /// start anywhere, so it is [`Target::Unknown`].
    pub async fn target(&self, id: SandboxId, path: &str) -> Target {
        if !path.starts_with('/') {
            return Target::Unknown;
        }
        let command = Command::new(["sh", "-c", REALLY, "sh", path]).timeout(LOOK);
        match self.exec(id, command).await {
            Ok(output) => read_target(&output.stdout),
            Err(e) => {
                tracing::warn!(sandbox.id = %id, error = ?e, "where a file's name leads could not be seen");
                Target::Unknown
            }
        }
    }

    /// Writes the file where there is none, as [`Sandboxes::write_file`].
    pub async fn write_new_file(&self, id: SandboxId, path: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let command = Command::new(["sh", "-c", WRITE_NEW, "sh", path]).stdin(bytes);
        succeeded(path, self.exec(id, command).await?).map(|_| ())
    }

    /// Writes the whole file, with its folders where they are missing. It belongs to the agent and has mode 0644.
    pub async fn write_file(&self, id: SandboxId, path: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let command = Command::new(["sh", "-c", WRITE, "sh", path]).stdin(bytes);
        succeeded(path, self.exec(id, command).await?).map(|_| ())
    }
}

fn succeeded(path: &str, output: Output) -> Result<Vec<u8>, Error> {
    if output.status == 0 {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::File { path: path.to_owned(), reason: said.trim().to_owned() })
}

/// A folder has several names by nature.
fn read_target(printed: &[u8]) -> Target {
    let text = std::str::from_utf8(printed).ok();
    let Some((path, about)) = text.and_then(|text| text.split_once('\0')) else { return Target::Unknown };
    let mut about = about.lines();
    match (about.next().and_then(|names| names.parse::<u64>().ok()), about.next()) {
        (Some(_), Some("folder")) | (Some(0 | 1), None) => Target::At(path.to_owned()),
        (Some(_), None) => Target::Shared(path.to_owned()),
        _ => Target::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sandbox_prints_of_a_file_is_read_or_unknown() {
        let at = |path: &str| Target::At(path.into());
        assert_eq!(read_target(b"/workspace/a b\n\x001\n"), at("/workspace/a b\n"));
        assert_eq!(read_target(b"/workspace/a\x002\n"), Target::Shared("/workspace/a".into()));
        assert_eq!(read_target(b"/workspace\x0017\nfolder\n"), at("/workspace"));
        for odd in [&b""[..], b"/workspace/a", b"/a\x00", b"/a\xff\x001\n", b"/a\x00x\n"] {
            assert_eq!(read_target(odd), Target::Unknown, "{odd:?}");
        }
    }
}
