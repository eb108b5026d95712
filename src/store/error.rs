//! Why the store said no.

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
}
