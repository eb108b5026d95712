//! The audit log: one hash chain a tenant and one for the appliance.
//!
//! Owns: the chain. Holds ids, never personal data, so that a customer can be erased and the
//! chain still verifies. May use: store, domain, clock.

use crate::clock::Clock;
use crate::domain::TenantId;
use crate::domain::audit::{AuditEntry, AuditRow, GENESIS};
use crate::store::{Store, StoreError};

/// Rows read at a time while a chain is walked.
const PAGE: usize = 1000;

/// One thing to write down.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `uid:0/pid:4711`, `account:<id>`, `daemon`.
    pub actor: String,
    /// `socket`, an address, or empty.
    pub source: String,
    /// `noun.verb`: `account.create`, `session.login`, `recording.play`.
    pub action: &'static str,
    /// Id of the thing, or empty.
    pub object: String,
    /// How it went.
    pub outcome: Outcome,
    /// Further fields, ids only.
    pub detail: serde_json::Value,
}

/// How an audited act went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Refused by a rule.
    Refused,
    /// Tried and failed.
    Failed,
}

impl Outcome {
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What a walk along a chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every row follows the one before it. A cut tail shows in `rows` and `head` alone:
    /// compare them with a head noted earlier.
    Intact {
        /// How many rows.
        rows: i64,
        /// The last row's hash.
        head: [u8; 32],
    },
    /// The first row that does not follow, or the sequence that is missing.
    Broken {
        /// Its sequence.
        seq: i64,
    },
}

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    store: Store,
    clock: Clock,
}

impl Audit {
    /// The audit log over `store`.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Appends to a tenant's chain (`Some`) or the appliance's (`None`); returns after commit.
    pub async fn append(&self, tenant: Option<TenantId>, entry: Entry) -> Result<(), StoreError> {
        let entry = AuditEntry {
            at: self.clock.unix_millis(),
            actor: entry.actor,
            source: entry.source,
            action: entry.action.to_owned(),
            object: entry.object,
            outcome: entry.outcome.word().to_owned(),
            detail: entry.detail.to_string(),
        };
        match tenant {
            Some(id) => self.store.tenant(id)?.audit_append(entry).await?,
            None => self.store.system().audit_append(entry).await?,
        };
        Ok(())
    }

    /// Rows of a chain with a sequence above `after`, in order, at most `limit`.
    pub async fn rows(
        &self,
        tenant: Option<TenantId>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        match tenant {
            Some(id) => self.store.tenant(id)?.audit_rows(after, limit).await,
            None => self.store.system().audit_rows(after, limit).await,
        }
    }

    /// Walks a whole chain and checks every link.
    pub async fn verify(&self, tenant: Option<TenantId>) -> Result<Verdict, StoreError> {
        let (mut seq, mut head) = (0, GENESIS);
        // From the very first, so that a row slipped in before 1 is seen too.
        let mut after = i64::MIN;
        loop {
            let rows = self.rows(tenant, after, PAGE).await?;
            if rows.is_empty() {
                return Ok(Verdict::Intact { rows: seq, head });
            }
            for row in rows {
                seq += 1;
                if row.seq != seq || !row.follows(&head) {
                    return Ok(Verdict::Broken { seq });
                }
                (head, after) = (row.hash, seq);
            }
        }
    }
}

#[cfg(test)]
mod tests;
