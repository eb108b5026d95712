//! What a session's screens need to know of its tenant: campaigns, queues, people's names.

use crate::access::Session;
use crate::domain::account::Role;
use crate::domain::campaign::{Campaign, CampaignStatus};
use crate::domain::{AccountId, TenantId, queue::Queue};
use crate::store::{Store, StoreError};

/// Running campaigns within the session's scope.
pub async fn campaigns(store: &Store, session: &Session) -> Result<Vec<Campaign>, StoreError> {
    let mut campaigns = store.tenant(session.tenant.id)?.campaigns(&session.scope).await?;
    campaigns.retain(|campaign| campaign.status == CampaignStatus::Running);
    Ok(campaigns)
}

/// The queues a session sees: an operator's own ones, for others those of their campaigns.
pub async fn queues(store: &Store, session: &Session) -> Result<Vec<Queue>, StoreError> {
    let mut queues = store.tenant(session.tenant.id)?.queues().await?;
    let operator = session.account.role == Role::Operator;
    queues.retain(|queue| {
        session.scope.reaches(queue.campaign) && (!operator || queue.members.contains(&session.account.id))
    });
    Ok(queues)
}

/// The name of one of the tenant's people; empty for one who is gone.
pub async fn name(store: &Store, tenant: TenantId, account: AccountId) -> Result<String, StoreError> {
    match store.tenant(tenant)?.account(account).await {
        Ok(account) => Ok(account.name),
        Err(StoreError::NotFound) => Ok(String::new()),
        Err(error) => Err(error),
    }
}
