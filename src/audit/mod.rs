//! The audit log: one hash chain a tenant and one for the appliance.
//!
//! Owns: the chain. Holds ids, never personal data, so that a customer can be erased and the
//! chain still verifies. May use: store, domain, clock.

use crate::domain::TenantId;

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

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    _private: (),
}

impl Audit {
    /// Appends to a tenant's chain (`Some`) or the appliance's (`None`); returns after commit.
    pub async fn append(&self, tenant: Option<TenantId>, entry: Entry) -> Result<(), crate::store::StoreError> { let _ = (tenant, entry); todo!("H1") }
}
