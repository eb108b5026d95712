//! Customers and contact records.
//!
//! Owns: import, search, the pop for a caller, saving of contact records.
//! Refuses: data outside the asker's scope; half an import.
//! May use: audit, store, domain, clock.

use crate::clock::Clock;
use crate::domain::{
    CallId, CampaignId, CustomerId, PhoneNumber, Scope, UnixMillis,
    contact::{ContactRecord, NextAction},
    customer::Customer,
    record::CallRecord,
};
use crate::store::{Store, StoreError};

/// What the operator's screen shows about a caller.
#[derive(Clone, Debug)]
pub struct Pop {
    /// Customers with this number in the scope's campaigns, best first; at most 5.
    pub customers: Vec<Customer>,
    /// History of the first of them, newest first, at most 20.
    pub history: Vec<HistoryRow>,
}

/// One line of 対応履歴: a call, a contact record, or both together.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    /// When.
    pub at: UnixMillis,
    /// The call, if any.
    pub call: Option<CallRecord>,
    /// The contact record, if any.
    pub contact: Option<ContactRecord>,
    /// Name of the operator.
    pub operator: String,
}

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

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Imported {
    /// New customers.
    pub added: usize,
    /// Customers whose code was known, now changed.
    pub changed: usize,
    /// `utf-8` or `shift_jis`.
    pub encoding: String,
}

/// A contact record as the operator saves it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The campaign worked for.
    pub campaign: CampaignId,
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// The call it is of; with the saving account it is the record's key.
    pub call: Option<CallId>,
    /// 用件区分
    pub topic: String,
    /// 対応結果
    pub disposition: String,
    /// 次アクション
    pub next_action: NextAction,
    /// When due.
    pub due_at: Option<UnixMillis>,
    /// 対応内容, at most 20,000 characters.
    pub note: String,
    /// The version this edits; 0 for the first save. A newer one in the store is a conflict.
    pub version: i64,
}

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Crm {
    _private: (),
}

impl Crm {
    /// The CRM over the open databases. Who did what is audited at the doors, where the
    /// source address is known.
    pub fn new(store: Store, clock: Clock) -> Self {
        let _ = (store, clock);
        Self { _private: () }
    }
    /// The contact record that the scope's account has saved of a call, if any: what a
    /// conflict is shown with.
    pub async fn contact(&self, scope: &Scope, call: CallId) -> Result<Option<ContactRecord>, CrmError> {
        let _ = (scope, call);
        todo!("H2")
    }
    /// What to show for a caller in one campaign.
    pub async fn pop(
        &self,
        scope: &Scope,
        campaign: CampaignId,
        caller: Option<&PhoneNumber>,
    ) -> Result<Pop, CrmError> {
        let _ = (scope, campaign, caller);
        todo!("H2")
    }
    /// One customer.
    pub async fn customer(&self, scope: &Scope, id: CustomerId) -> Result<Customer, CrmError> {
        let _ = (scope, id);
        todo!("H2")
    }
    /// Saves changed fields of a customer; `version` in it must be the store's.
    pub async fn save_customer(&self, scope: &Scope, customer: Customer) -> Result<Customer, CrmError> {
        let _ = (scope, customer);
        todo!("H2")
    }
    /// Free-text search over name, kana (folded), code, numbers (digits), email; at most `limit` (≤ 100).
    pub async fn search(&self, scope: &Scope, text: &str, limit: usize) -> Result<Vec<Customer>, CrmError> {
        let _ = (scope, text, limit);
        todo!("H2")
    }
    /// History of a customer, newest first.
    pub async fn history(
        &self,
        scope: &Scope,
        id: CustomerId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, CrmError> {
        let _ = (scope, id, limit);
        todo!("H2")
    }
    /// Saves a contact record; returns after commit.
    pub async fn save_contact(&self, scope: &Scope, draft: Draft) -> Result<ContactRecord, CrmError> {
        let _ = (scope, draft);
        todo!("H2")
    }
    /// Callbacks the account owes, soonest first: record and customer name.
    pub async fn callbacks(
        &self,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<(ContactRecord, Option<Customer>)>, CrmError> {
        let _ = (scope, limit);
        todo!("H2")
    }
    /// Imports a CSV (UTF-8 with or without BOM, or Shift_JIS) into a campaign: all or nothing.
    pub async fn import(
        &self,
        scope: &Scope,
        campaign: CampaignId,
        region: &str,
        file: Vec<u8>,
        dry_run: bool,
    ) -> Result<Imported, CrmError> {
        let _ = (scope, campaign, region, file, dry_run);
        todo!("H2")
    }
}
