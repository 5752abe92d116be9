//! Files inside a sandbox, through processes of the agent's own user: that reaches `/tmp` too, and can touch nothing
//! that the agent could not.

use crate::{Command, Error, Output, Sandboxes};
use bytes::Bytes;
use domain::SandboxId;

/// Writes beside the file and moves it into place, so that a reader sees the old or the new, never a part.
const WRITE: &str = r#"set -e
folder=$(dirname -- "$1")
mkdir -p -- "$folder"
part=$(mktemp -- "$folder/.lanyard.XXXXXX")
trap 'rm -f -- "$part"' EXIT
cat > "$part"
chmod 644 -- "$part"
mv -f -- "$part" "$1""#;

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
