//! What an account may see and do. Store and CRM functions on a tenant's data take a
//! [`Scope`]: no scope, no query.

use super::account::Role;
use super::{AccountId, CampaignId, TenantId};

/// Which campaigns a scope reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Campaigns {
    /// Every campaign of the tenant (its administrators, and the daemon itself).
    All,
    /// The assigned ones only; empty means none.
    Only(Vec<CampaignId>),
}

/// The right to touch one tenant's data, made by `access/` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    tenant: TenantId,
    account: Option<AccountId>,
    role: Role,
    campaigns: Campaigns,
}

impl Scope {
    /// Makes a scope. Banned by clippy outside `access/`.
    /// `account` is `None` for the daemon itself and for the control socket.
    pub fn granted(tenant: TenantId, account: Option<AccountId>, role: Role, campaigns: Campaigns) -> Self {
        Self { tenant, account, role, campaigns }
    }
    /// The tenant; a scope never spans two.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
    /// Who acts, when a person does.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }
    /// The acting role.
    pub fn role(&self) -> Role {
        self.role
    }
    /// The campaigns within reach.
    pub fn campaigns(&self) -> &Campaigns {
        &self.campaigns
    }
    /// Whether `campaign` is within reach.
    pub fn reaches(&self, campaign: CampaignId) -> bool {
        match &self.campaigns {
            Campaigns::All => true,
            Campaigns::Only(list) => list.contains(&campaign),
        }
    }
}
