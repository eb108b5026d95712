//! A scope as SQL: which rows of a tenant's database an asker may touch.

use super::TenantStore;
use crate::domain::{CampaignId, Scope, scope::Campaigns};
use crate::store::StoreError;
use rusqlite::types::Value;

/// The campaigns a scope reaches, ready for a `WHERE`. Made only after the tenant matched.
#[derive(Clone, Debug)]
pub(super) struct Reach(Campaigns);

impl TenantStore {
    /// A scope of another tenant reaches nothing here, and learns nothing: [`StoreError::NotFound`].
    pub(super) fn reach(&self, scope: &Scope) -> Result<Reach, StoreError> {
        if scope.tenant() == self.id() {
            Ok(Reach(scope.campaigns().clone()))
        } else {
            Err(StoreError::NotFound)
        }
    }
}

impl Reach {
    /// A condition on `column` (a campaign id, may be NULL), its ids pushed onto `params` in
    /// the order of its bare `?` marks. A NULL campaign is within reach of "all" only.
    pub(super) fn clause(&self, column: &str, params: &mut Vec<Value>) -> String {
        match &self.0 {
            Campaigns::All => "1 = 1".to_owned(),
            Campaigns::Only(list) if list.is_empty() => "1 = 0".to_owned(),
            Campaigns::Only(list) => {
                params.extend(list.iter().map(|id| Value::Text(id.to_string())));
                format!("{column} IN ({})", vec!["?"; list.len()].join(","))
            }
        }
    }

    /// Refuses a campaign out of reach the way a missing one is refused.
    pub(super) fn require(&self, campaign: CampaignId) -> Result<(), StoreError> {
        match &self.0 {
            Campaigns::All => Ok(()),
            Campaigns::Only(list) if list.contains(&campaign) => Ok(()),
            Campaigns::Only(_) => Err(StoreError::NotFound),
        }
    }
}
