//! The audit, looked through.

use serde::Serialize;
use ts_rs::TS;

/// `POST /audit/verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AuditShown {
    /// The number of the last row.
    pub rows: i64,
    /// Up to which row it is signed; none where nothing is signed yet.
    pub signed: Option<i64>,
    /// Up to which row it was cut off, being older than the owner wants it kept; none where it never was.
    pub cut: Option<i64>,
    /// None: every row stands as it was written, and none is gone.
    pub broken: Option<AuditBroken>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AuditBroken {
    /// The first and the last row that this is about.
    pub from: i64,
    pub to: i64,
    pub says: String,
}
