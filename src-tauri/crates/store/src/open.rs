//! Opening connections and bringing the shape up to date.

use crate::{Error, Result};
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};
use std::{path::Path, sync::LazyLock, time::Duration};

/// In order, never edited once shipped: a change of shape is a new file.
static MIGRATIONS: LazyLock<Migrations<'static>> = LazyLock::new(|| {
    let shapes = [
        include_str!("migrations/01_house.sql"),
        include_str!("migrations/02_phones.sql"),
        include_str!("migrations/03_push.sql"),
        include_str!("migrations/04_answers.sql"),
        include_str!("migrations/05_records.sql"),
        include_str!("migrations/06_hosts.sql"),
        include_str!("migrations/07_ceilings.sql"),
        include_str!("migrations/08_audit.sql"),
        include_str!("migrations/09_parked.sql"),
        include_str!("migrations/10_tasks.sql"),
    ];
    Migrations::new(shapes.into_iter().map(M::up).collect())
});

pub fn writer(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    // FULL: what is acknowledged survives a power cut. The page cache (4 MB) bounds resident memory. The log is folded into the
    // file every 16 MB: that is the writer's longest pause, and at the usual 4 MB one commit in fifty would meet it under load.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -4000; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;",
    )?;
    settle(&conn)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

pub fn reader(path: &Path) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1000;")?;
    settle(&conn)?;
    Ok(conn)
}

fn settle(conn: &Connection) -> Result<()> {
    Ok(conn.busy_timeout(Duration::from_secs(5))?)
}

pub fn migrate(conn: &mut Connection) -> Result<()> {
    use rusqlite_migration::{Error as E, MigrationDefinitionError as D};
    MIGRATIONS.to_latest(conn).map_err(|e| match e {
        E::MigrationDefinition(D::DatabaseTooFarAhead) => Error::Newer,
        E::RusqliteError { err, .. } => err.into(),
        other => Error::Value(Box::new(other)),
    })
}
