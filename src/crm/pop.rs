//! What an operator sees of a caller before the first word.

use super::{Crm, CrmError, HistoryRow};
use crate::domain::customer::Customer;
use crate::domain::{CampaignId, CustomerId, PhoneNumber, Scope, UnixMillis};

/// Customers shown of one number.
const MOST_CUSTOMERS: usize = 5;
/// Lines of history shown with them.
const MOST_HISTORY: usize = 20;
/// Lines of history that may be asked for at once.
const MOST_ROWS: usize = 500;

/// What the operator's screen shows about a caller.
#[derive(Clone, Debug, Default)]
pub struct Pop {
    /// Customers of the campaign with this number, best first; at most 5.
    pub customers: Vec<Customer>,
    /// History of the first of them, newest first, at most 20.
    pub history: Vec<HistoryRow>,
}

impl Crm {
    /// What to show for a caller in one campaign; nothing for a caller who withholds the
    /// number. `NotFound` when the scope does not reach the campaign.
    pub async fn pop(
        &self,
        scope: &Scope,
        campaign: CampaignId,
        caller: Option<&PhoneNumber>,
    ) -> Result<Pop, CrmError> {
        let Some(caller) = caller else { return Ok(Pop::default()) };
        let tenant = self.store.tenant(scope.tenant())?;
        let customers = tenant.customers_by_phone(scope, campaign, caller, MOST_CUSTOMERS).await?;
        let history = match customers.first() {
            Some(first) => tenant.history(scope, first.id, MOST_HISTORY).await?,
            None => Vec::new(),
        };
        Ok(Pop { customers, history })
    }

    /// History of a customer, newest first, at most `limit` (≤ 500).
    pub async fn history(
        &self,
        scope: &Scope,
        id: CustomerId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, CrmError> {
        Ok(self.store.tenant(scope.tenant())?.history(scope, id, limit.min(MOST_ROWS)).await?)
    }

    /// Recent calls with what was written of them, newest first, at most `limit` (≤ 500),
    /// begun before `before`: an operator's own, a supervisor's campaigns'.
    pub async fn recent_calls(
        &self,
        scope: &Scope,
        limit: usize,
        before: Option<UnixMillis>,
    ) -> Result<Vec<HistoryRow>, CrmError> {
        let tenant = self.store.tenant(scope.tenant())?;
        Ok(tenant.calls_with_contacts(scope, limit.min(MOST_ROWS), before).await?)
    }
}
