//! Is the file whole?

use crate::{Error, Result, open};
use rusqlite::Connection;
use std::path::Path;

/// Reads every page of the database at `path` on a connection of its own, and changes nothing.
///
/// # Errors
/// [`Error::Damaged`] if anything is wrong with it; others as they come.
pub fn check(path: &Path) -> Result<()> {
    let conn: Connection = open::reader(path)?;
    let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        _ => Err(Error::Damaged(None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, facts};

    #[tokio::test]
    async fn a_page_of_rubbish_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let store = Store::open(&path).unwrap();
        let fill =
            |tx: &crate::Tx<'_>| (0..500).try_for_each(|n| facts::set(tx, &format!("fact {n}"), &"x".repeat(100)));
        store.write(fill).await.unwrap();
        check(&path).unwrap();
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        let pages = bytes.len() / 4096;
        bytes[(pages - 3) * 4096..(pages - 2) * 4096].fill(0xA5);
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(check(&path), Err(Error::Damaged(_))));
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is left as it is");
    }
}
