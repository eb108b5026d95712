//! Customers and contact records.
//!
//! Owns: import, search, the pop for a caller, saving of contact records.
//! Refuses: data outside the asker's scope; half an import. Keeps no audit: who did what is
//! written down at the doors, which know where it came from.
//! May use: store, domain, clock.

mod contact;
mod customer;
mod decode;
mod import;
mod pop;
mod search;
mod table;

pub use crate::domain::contact::HistoryRow;
pub use contact::Draft;
pub use import::{Imported, LARGEST_FILE};
pub use pop::Pop;

use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// Lines of an import that are told at most.
const SHOWN_ERRORS: usize = 100;
/// Characters of a text that operators write at length: 申し送り, 対応内容.
const LONGEST_TEXT: usize = 20_000;
/// Characters of any other field.
const LONGEST_FIELD: usize = 4_000;

/// A line of an import that can't be taken. The whole file is refused with all of them (at most 100 shown).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LineError {
    /// 1-based line of the file, the header being line 1.
    pub line: u64,
    /// Column name as in the header, or empty.
    pub column: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Why the CRM said no.
#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    /// The file has lines that can't be taken; nothing was imported.
    #[error("{} lines can't be imported", .0.len())]
    Import(Vec<LineError>),
    /// The file as a whole can't be read.
    #[error("{0}")]
    File(String),
    /// A value is not allowed: field name and sentence.
    #[error("{0}: {1}")]
    Field(&'static str, String),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Crm {
    store: Store,
    clock: Clock,
}

impl Crm {
    /// The CRM over the open databases.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}

#[cfg(test)]
mod tests;
