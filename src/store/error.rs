//! Why the store said no.

use rusqlite::ErrorCode;
use thiserror::Error;

/// Every failure of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No such row, or none within the scope: the two are told apart nowhere.
    #[error("not found")]
    NotFound,
    /// A unique name or number is taken, or the row has a newer version.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The writer's queue is full.
    #[error("the database is busy")]
    Busy,
    /// The database itself failed; callers fail closed.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A key could not be unwrapped, or a file is not where it must be.
    #[error("{0}")]
    Key(String),
    /// The group that the write was part of could not be committed: nothing of it is stored.
    #[error("database: the commit failed: {0}")]
    Commit(String),
    /// The database was closed before it could answer.
    #[error("the database is closed")]
    Closed,
    /// Another process has the data directory open.
    #[error("{0}: another bbd is using this data directory")]
    InUse(String),
    /// The schema could not be brought up to date.
    #[error("database schema: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    /// A file or folder of the data directory failed.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl StoreError {
    /// Turns a broken constraint into a [`StoreError::Conflict`] that says `what`; other
    /// failures stay what they are. For `INSERT`, `UPDATE` and `DELETE` of rows with unique
    /// names or with rows that hang on them.
    pub(in crate::store) fn conflict(error: rusqlite::Error, what: &str) -> Self {
        if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
            Self::Conflict(what.to_owned())
        } else {
            Self::Database(error)
        }
    }

    /// For `map_err` on a file operation.
    pub(in crate::store) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }
}

/// Refuses with [`StoreError::NotFound`] when a statement changed no row.
pub(in crate::store) fn found(changed: usize) -> Result<(), StoreError> {
    if changed == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}
