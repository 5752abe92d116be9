//! The build context: one tar in a temporary file, made from the packages without unpacking them to disk.

use super::{
    Recipe,
    packages::Packages,
    recipe::{DOCKERFILE, FILES},
};
use crate::Error;
use flate2::read::GzDecoder;
use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};
use tar::{Archive, Builder, EntryType, Header};
use tempfile::NamedTempFile;

/// Names npm gives to what it packs.
const PACKAGE_ROOT: &str = "package";

/// Packs everything; the file is removed when it is dropped. About 0.5 GB, written in the cache's folder.
pub(super) async fn pack(recipe: &Recipe, packages: &Packages, cache: &Path) -> Result<NamedTempFile, Error> {
    let disk = |source| Error::Disk { doing: "pack the build context in", path: cache.to_owned(), source };
    let small = small_files(recipe);
    let (claude, node, npm) = (packages.claude.clone(), packages.node.clone(), packages.npm.clone());
    let file = NamedTempFile::with_prefix_in("context-", cache).map_err(disk)?;
    let work = move || -> io::Result<NamedTempFile> {
        let mut tar = Builder::new(BufWriter::with_capacity(1024 * 1024, file.as_file()));
        folder(&mut tar, "own-ca")?;
        for (path, mode, bytes) in small {
            add(&mut tar, Path::new(&path), mode, &bytes)?;
        }
        take(&mut tar, &claude, |path| (path == Path::new("claude")).then(|| path.to_owned()))?;
        take(&mut tar, &node, |path| (path == Path::new("bin/node")).then(|| Path::new("node").join(path)))?;
        take(&mut tar, &npm, |path| Some(Path::new("node/lib/node_modules/npm").join(path)))?;
        for name in ["npm", "npx"] {
            link(&mut tar, &format!("node/bin/{name}"), &format!("../lib/node_modules/npm/bin/{name}-cli.js"))?;
        }
        tar.into_inner()?.flush()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(io::Error::other(e))).map_err(disk)
}

fn small_files(recipe: &Recipe) -> Vec<(String, u32, Vec<u8>)> {
    let mut files = vec![
        ("Dockerfile".to_owned(), 0o644, DOCKERFILE.as_bytes().to_vec()),
        ("lanyard-relay".to_owned(), 0o755, recipe.relay.to_vec()),
    ];
    files.extend(FILES.iter().map(|(path, mode, text)| ((*path).to_owned(), *mode, text.as_bytes().to_vec())));
    files.extend(recipe.authorities.iter().map(|(name, text)| (format!("own-ca/{name}"), 0o644, text.clone())));
    files
}

/// Copies those entries of a package that `to` gives a new path, streaming.
fn take(tar: &mut Builder<impl Write>, package: &Path, to: impl Fn(&Path) -> Option<PathBuf>) -> io::Result<()> {
    let mut archive = Archive::new(GzDecoder::new(File::open(package)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let Some(path) = entry.path()?.strip_prefix(PACKAGE_ROOT).ok().and_then(&to) else { continue };
        if entry.header().entry_type() != EntryType::Regular {
            continue;
        }
        let mode = if entry.header().mode()? & 0o111 == 0 { 0o644 } else { 0o755 };
        let mut header = header(EntryType::Regular, mode, entry.size());
        tar.append_data(&mut header, path, Read::by_ref(&mut entry))?;
    }
    Ok(())
}

fn add(tar: &mut Builder<impl Write>, path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    tar.append_data(&mut header(EntryType::Regular, mode, bytes.len() as u64), path, bytes)
}

fn link(tar: &mut Builder<impl Write>, path: &str, target: &str) -> io::Result<()> {
    tar.append_link(&mut header(EntryType::Symlink, 0o777, 0), path, target)
}

fn folder(tar: &mut Builder<impl Write>, path: &str) -> io::Result<()> {
    tar.append_data(&mut header(EntryType::Directory, 0o755, 0), path, io::empty())
}

/// Root's, and always of the same time: the builder's cache compares contents, modes and owners.
fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
