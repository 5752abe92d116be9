//! What can go wrong with the database, sorted by what a caller can do.

use domain::Code;
use rusqlite::ErrorCode;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no database or is broken. Nothing was changed.
    #[error("the database is damaged")]
    Damaged(#[source] Option<rusqlite::Error>),
    /// Written by a newer Lanyard; an older one must not touch it.
    #[error("the database is of a newer version")]
    Newer,
    /// No room on the disk. Nothing of the change stayed.
    #[error("the disk is full")]
    Full(#[source] rusqlite::Error),
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// The change itself said no; nothing of it stays.
    #[error("refused: {0}")]
    Refused(Code),
    /// A row that must exist does not.
    #[error("no such row")]
    Missing,
    #[error("a stored value could not be read")]
    Value(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("SQLite reported an error")]
    Sqlite(#[source] rusqlite::Error),
}

impl Error {
    pub fn code(&self) -> Code {
        match self {
            Self::Damaged(_) | Self::Newer => Code::DatabaseDamaged,
            Self::Full(_) => Code::DiskFull,
            Self::Refused(code) => *code,
            Self::Closed | Self::Missing | Self::Value(_) | Self::Sqlite(_) => Code::Internal,
        }
    }

    /// Whether the same change may succeed a little later.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Sqlite(e) => matches!(
                e.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SystemIoFailure)
            ),
            _ => false,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(Some(e)),
            Some(ErrorCode::DiskFull) => Self::Full(e),
            _ if matches!(e, rusqlite::Error::QueryReturnedNoRows) => Self::Missing,
            _ => Self::Sqlite(e),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(e: serde_json::Error) -> Self {
        Self::Value(Box::new(e))
    }
}
