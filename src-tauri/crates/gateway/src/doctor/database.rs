//! The database, all of it, as SQLite checks it.

use super::{Finding, broken, well};
use crate::{config::Paths, gateway::database_problem};

/// Reads every page; a second for a gigabyte.
pub async fn database(paths: &Paths) -> Finding {
    let path = paths.database();
    if !path.exists() {
        return well("database", "There is none yet; it is made at the first start.");
    }
    match tokio::task::spawn_blocking(move || store::check(&path)).await {
        Ok(Ok(())) => well("database", "It is whole."),
        Ok(Err(e)) => {
            tracing::error!(error = ?e, "the database was checked");
            broken("database", database_problem(e.code(), paths))
        }
        Err(e) => broken("database", domain::Problem::with_detail(domain::Code::Internal, e)),
    }
}
