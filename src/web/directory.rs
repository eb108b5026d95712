//! What a session's screens need to know of its tenant: campaigns, queues, people's names.

use crate::access::Session;
use crate::domain::account::Role;
use crate::domain::campaign::{Campaign, CampaignStatus};
use crate::domain::{AccountId, TenantId, queue::Queue, record::CallRecord};
use crate::store::{Store, StoreError};
use std::collections::HashMap;

/// Running campaigns within the session's scope.
pub async fn campaigns(store: &Store, session: &Session) -> Result<Vec<Campaign>, StoreError> {
    let _ = (store, session, CampaignStatus::Running);
    todo!("H1")
}

/// The queues a session sees: an operator's own ones, for others those of their campaigns.
pub async fn queues(store: &Store, session: &Session) -> Result<Vec<Queue>, StoreError> {
    let _ = (store, session, Role::Operator);
    todo!("H1")
}

/// Names of a tenant's people.
pub async fn names(store: &Store, tenant: TenantId) -> Result<HashMap<AccountId, String>, StoreError> {
    let _ = (store, tenant);
    todo!("H1")
}

/// Calls within the session's scope, newest first: an operator's own ones, for others those of
/// their campaigns.
pub async fn calls(store: &Store, session: &Session, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
    let _ = (store, session, limit);
    todo!("H2")
}
