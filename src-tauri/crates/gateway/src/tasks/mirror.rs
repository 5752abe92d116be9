//! Copies of repositories on this computer, so that a second clone need not fetch what the first did: git's own objects and
//! references in a tar, taken from a sandbox before an agent was in it, and unpacked into the next one of the same repository.
//! What is newer is fetched there as ever, so a copy may be old, or missing.

use crate::sessions::Workshop;
use domain::{Problem, task::Repository};
use futures::StreamExt;
use sandbox::{Attached, Chunk, Command};
use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tokio::{
    fs::{self, File},
    io::{AsyncWriteExt, copy},
};

/// A copy is made anew when the history has grown by this much beyond it.
const GROWN: u64 = 4 << 20;

const PACK: [&str; 6] = ["tar", "-c", "-C", "/workspace/.git", "objects", "packed-refs"];
const UNPACK: [&str; 3] = ["sh", "-c", "mkdir -p /workspace/.git && exec tar -x -C /workspace/.git"];

/// The folder of all copies, and how large it may become.
#[derive(Clone, Debug)]
pub struct Mirrors {
    folder: PathBuf,
    most: u64,
}

impl Mirrors {
    pub fn below(cache: &Path, most: u64) -> Self {
        Self { folder: cache.join("repositories"), most }
    }

    fn file(&self, repository: &Repository) -> PathBuf {
        let hash = Sha256::digest(repository.url().as_bytes());
        let name: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.tar"))
    }

    /// Puts the copy into the sandbox, if there is one. Gives its size in bytes.
    pub async fn put_into(&self, workshop: &Workshop, repository: &Repository) -> Option<u64> {
        let file = self.file(repository);
        let size = fs::metadata(&file).await.ok()?.len();
        match unpack(workshop, &file).await {
            Ok(()) => {
                let _only_its_age = touch(&file).await;
                Some(size)
            }
            Err(e) => {
                tracing::warn!(%repository, error = ?e, "a repository's copy could not be used; it is made anew");
                let _gone = fs::remove_file(&file).await;
                None
            }
        }
    }

    /// Takes a copy, if there is none or the history, which has `size` bytes, has outgrown it. Nothing depends on it.
    pub async fn take_from(&self, workshop: &Workshop, repository: &Repository, size: u64, known: Option<u64>) {
        let grown = known.is_none_or(|known| size > known + GROWN.max(known / 20));
        if !grown || size > self.most {
            return;
        }
        match self.pack(workshop, &self.file(repository)).await {
            Ok(()) => self.tidy().await,
            Err(e) => tracing::warn!(%repository, error = ?e, "no copy of a repository could be kept"),
        }
    }

    async fn pack(&self, workshop: &Workshop, file: &Path) -> Result<(), Failed> {
        make_private(&self.folder).await?;
        let part = file.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
        let packed = async {
            let Attached { mut stdin, mut output, exec } = workshop.attach(Command::new(PACK)).await?;
            stdin.shutdown().await?;
            let mut to = File::create(&part).await?;
            while let Some(chunk) = output.next().await {
                if let Chunk::Stdout(bytes) = chunk {
                    to.write_all(&bytes).await?;
                }
            }
            to.sync_all().await?;
            well(exec.status().await)?;
            Ok(fs::rename(&part, file).await?)
        };
        let packed = packed.await;
        if packed.is_err() {
            let _gone = fs::remove_file(&part).await;
        }
        packed
    }

    /// The one not used for longest goes first.
    async fn tidy(&self) {
        let (folder, most) = (self.folder.clone(), self.most);
        let tidied = tokio::task::spawn_blocking(move || tidy(&folder, most)).await;
        if let Ok(Err(e)) = tidied {
            tracing::warn!(error = ?e, "copies of repositories could not be tidied");
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0:?}")]
    Sandbox(Problem),
    #[error(transparent)]
    Disk(#[from] io::Error),
    #[error("tar ended with {0:?}")]
    Tar(Option<i64>),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Sandbox(problem)
    }
}

fn well(status: Option<i64>) -> Result<(), Failed> {
    if status == Some(0) { Ok(()) } else { Err(Failed::Tar(status)) }
}

async fn unpack(workshop: &Workshop, file: &Path) -> Result<(), Failed> {
    let mut from = File::open(file).await?;
    let Attached { mut stdin, mut output, exec } = workshop.attach(Command::new(UNPACK)).await?;
    copy(&mut from, &mut stdin).await?;
    stdin.shutdown().await?;
    while output.next().await.is_some() {}
    well(exec.status().await)
}

async fn touch(file: &Path) -> io::Result<()> {
    let file = File::options().append(true).open(file).await?;
    file.into_std().await.set_modified(SystemTime::now())
}

/// Private repositories are among them.
async fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder).await?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).await?;
    Ok(())
}

fn tidy(folder: &Path, most: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        files.push((about.modified()?, about.len(), entry.path()));
    }
    files.sort();
    let mut all: u64 = files.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in files {
        if all <= most {
            break;
        }
        std::fs::remove_file(path)?;
        all -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        for (age, name) in [(3, "old"), (1, "new"), (2, "middle")] {
            let path = folder.path().join(name);
            std::fs::write(&path, vec![0; 100]).unwrap();
            let file = std::fs::File::options().append(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age * 60)).unwrap();
        }
        tidy(folder.path(), 250).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["middle", "new"]);
    }
}
