//! A file of secrets for computers without a keychain: TOML, one `account = "secret"` a line, readable by its owner
//! alone. On Windows the rights of the profile folder stand for the mode.

use super::{Account, KeychainError};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// More than any set of keys needs; a wrong path to a huge file is not read into memory.
const LARGEST: u64 = 64 * 1024;

/// The account's secret; `None` if the file does not exist or does not name it.
pub(super) fn read(path: &Path, account: Account) -> Result<Option<SecretString>, KeychainError> {
    let mut table = table(path)?;
    Ok(table.remove(account.name()).filter(|value| !value.is_empty()).map(SecretString::from))
}

/// Puts in or (with `None`) takes out one account's secret; the file is replaced whole or not at all.
pub(super) fn write(path: &Path, account: Account, value: Option<&SecretString>) -> Result<(), KeychainError> {
    let unusable = |cause| KeychainError::FileUnusable { path: path.to_owned(), cause };
    let mut table = table(path)?;
    let changed = match value {
        Some(value) => {
            table.insert(account.name().to_owned(), value.expose_secret().to_owned());
            true
        }
        None => table.remove(account.name()).is_some(),
    };
    if !changed {
        return Ok(());
    }
    let text = Zeroizing::new(toml::to_string(&table).map_err(|e| unusable(io::Error::other(e)))?);
    replace(path, text.as_bytes()).map_err(unusable)
}

fn table(path: &Path) -> Result<BTreeMap<String, String>, KeychainError> {
    let unusable = |cause| KeychainError::FileUnusable { path: path.to_owned(), cause };
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(unusable(e)),
    };
    refuse_exposed(path, &about)?;
    if !about.is_file() || about.len() > LARGEST {
        return Err(unusable(io::Error::other("it is no small plain file")));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unusable)?);
    toml::from_str(&text).map_err(|e| {
        let before = e.span().map_or(0, |span| span.start).min(text.len());
        let line = 1 + text.as_bytes()[..before].iter().filter(|b| **b == b'\n').count();
        KeychainError::FileBroken { path: path.to_owned(), line }
    })
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, about: &fs::Metadata) -> Result<(), KeychainError> {
    use std::os::unix::fs::PermissionsExt;
    match about.permissions().mode() & 0o777 {
        mode if mode & 0o077 == 0 => Ok(()),
        mode => Err(KeychainError::FileExposed { path: path.to_owned(), mode }),
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), KeychainError> {
    Ok(())
}

/// Writes beside the file, then renames: a crash leaves the old file or the new one.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}
